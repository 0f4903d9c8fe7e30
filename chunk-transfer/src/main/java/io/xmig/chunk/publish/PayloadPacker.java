package io.xmig.chunk.publish;

import io.xmig.chunk.cut.Slab;
import io.xmig.chunk.cut.SlabPool;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Puts small compressed payloads together into slabs. Nobody knows before compressing how much will
 * come out, so there must be room for a whole piece; without this a payload of a few KiB would keep
 * a slab of half a megabyte until it is acknowledged.
 *
 * @threading the loop
 */
final class PayloadPacker {
  /** A payload and where it lies; the slab is held once. */
  record Payload(Slab slab, ByteBuffer bytes) {}

  private final SlabPool slabs;
  private @Nullable Slab current;
  private int filled;

  /**
   * @param slabs gives slabs of one size
   */
  PayloadPacker(SlabPool slabs) {
    this.slabs = slabs;
  }

  /**
   * Finds a lasting place for a payload: where it is if it fills at least half of its slab, else
   * copied behind others.
   *
   * @param slab held once for the payload; taken over
   */
  Payload pack(Slab slab, ByteBuffer payload) {
    int length = payload.remaining();
    if (length >= slab.capacity() / 2) {
      return new Payload(slab, payload);
    }
    Slab into = current;
    if (into == null || into.capacity() - filled < length) {
      close();
      into = slabs.take();
      current = into;
      filled = 0;
    }
    into.retain();
    ByteBuffer place = into.view(filled, length);
    place.duplicate().put(payload.duplicate());
    filled += length;
    slab.release();
    return new Payload(into, place);
  }

  /** No more payloads come; those that were packed stay. */
  void close() {
    if (current != null) {
      current.release();
      current = null;
    }
  }
}
