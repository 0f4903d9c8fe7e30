package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.wire.ContentFlyweight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Assembles the chunks that pass this node and serves them once their hash is found right.
 *
 * <p>Per packet: one look-up and one copy, or neither for what passes the first time if only chunks
 * that come again are to be kept. Hashing runs elsewhere; what waits for it and what is incomplete
 * is limited in bytes, and beyond that chunks simply pass. Nothing unverified is ever served, and
 * nothing wrong is kept.
 *
 * @threading the node's loop; only {@link #verified} is filled from other threads
 */
final class PathCache {
  private static final int MAX_PIECES = 256;
  private static final int MAX_PARTIALS = 1024;
  private static final long POLL_NS = 2_000_000;

  private static final class Partial {
    final ByteBuffer buffer;
    final int length;
    final IntervalSet received = new IntervalSet(MAX_PIECES);
    int receivedBytes;

    Partial(ByteBuffer buffer, int length) {
      this.buffer = buffer;
      this.length = length;
    }
  }

  private record Verified(Xid cid, ByteBuffer data, boolean good) {}

  private final TransportContext context;
  private final ContentCache cache;
  private final ContentCache.Slice slice;
  private final ChunkOptions options;
  private final ChunkCounters counters;
  private final Sightings sightings;

  /** Incomplete chunks; the one begun first is given up first. */
  private final Map<Xid, Partial> partials = new LinkedHashMap<>();

  private final Queue<Verified> verified = new ConcurrentLinkedQueue<>();
  private long partialBytes;
  private long verifyingBytes;
  private int verifying;
  private EventLoop.@Nullable Timer poll;

  /** A buffer of a chunk given up, for the next one: saves clearing memory again. */
  private @Nullable ByteBuffer spare;

  PathCache(
      TransportContext context,
      ContentCache cache,
      ChunkOptions options,
      SliceOptions.Policy policy,
      ChunkCounters counters) {
    this.context = context;
    this.cache = cache;
    this.options = options;
    this.counters = counters;
    this.sightings = new Sightings(options.pathCacheBytes());
    this.slice =
        cache.allocateNetworkSlice(
            new SliceOptions(policy, options.pathCacheBytes(), Duration.ZERO, false));
  }

  /** A content packet is passing; its header has been read. */
  void passing(PacketView packet, ContentHeader header) {
    if (verifying > 0) {
      collect();
    }
    if (header.chunkOffset != 0 && partials.isEmpty()) {
      return; // the beginning of this one was not wanted
    }
    Xid cid = packet.sourceIntent();
    int payload = packet.payloadOffset() + header.headerLength;
    if (header.opcode != ContentFlyweight.RESPONSE
        || header.isRefusal
        || !cid.is(XidType.CID)
        || header.length == 0
        || header.length > packet.end() - payload
        || header.chunkOffset > header.chunkLength - header.length
        || header.chunkLength > options.maxChunkBytes()) {
      return;
    }
    Partial partial = partials.get(cid);
    if (partial == null) {
      if (header.chunkOffset != 0 || cache.contains(cid)) {
        return; // its beginning was not seen, it has been given up, or it is here
      }
      if (!options.pathFirstTime() && !sightings.again(cid, header.chunkLength)) {
        return;
      }
      partial = begin(cid, header.chunkLength);
      if (partial == null) {
        return;
      }
    } else if (partial.length != header.chunkLength) {
      giveUp(cid, partial);
      return;
    }
    int start = header.chunkOffset;
    int news = partial.received.add(start, start + header.length);
    if (news <= 0) {
      return;
    }
    partial.buffer.put(start, packet.buffer(), payload, header.length);
    partial.receivedBytes += news;
    if (partial.receivedBytes == partial.length) {
      partials.remove(cid);
      partialBytes -= partial.length;
      verify(cid, partial);
    }
  }

  private @Nullable Partial begin(Xid cid, int length) {
    if (length > options.pathCacheBytes()
        || verifyingBytes + length > options.pathPartialBytes()
        || length > options.pathPartialBytes()) {
      counters.pathChunksDropped++;
      return null;
    }
    Iterator<Map.Entry<Xid, Partial>> oldest = partials.entrySet().iterator();
    while (partialBytes + length > options.pathPartialBytes() || partials.size() >= MAX_PARTIALS) {
      Partial victim = oldest.next().getValue();
      oldest.remove();
      partialBytes -= victim.length;
      spare = victim.buffer;
      counters.pathChunksDropped++;
    }
    ByteBuffer buffer = spare;
    if (buffer != null && buffer.capacity() == length) {
      spare = null;
    } else {
      buffer = ByteBuffer.allocate(length);
    }
    Partial partial = new Partial(buffer, length);
    partials.put(cid, partial);
    partialBytes += length;
    return partial;
  }

  private void giveUp(Xid cid, Partial partial) {
    partials.remove(cid);
    partialBytes -= partial.length;
    spare = partial.buffer;
    counters.pathChunksDropped++;
  }

  private void verify(Xid cid, Partial partial) {
    ByteBuffer data = partial.buffer;
    try {
      verifyingBytes += partial.length;
      verifying++;
      options
          .verifier()
          .execute(() -> verified.add(new Verified(cid, data, Cid.matches(cid, data.duplicate()))));
    } catch (RejectedExecutionException e) {
      verifyingBytes -= partial.length;
      verifying--;
      counters.pathChunksDropped++;
      return;
    }
    collect();
    if (verifying > 0 && poll == null) {
      poll = context.schedule(POLL_NS, this::onPoll);
    }
  }

  private void onPoll() {
    poll = null;
    collect();
    if (verifying > 0) {
      poll = context.schedule(POLL_NS, this::onPoll);
    }
  }

  private void collect() {
    for (Verified v = verified.poll(); v != null; v = verified.poll()) {
      verifying--;
      verifyingBytes -= v.data.capacity();
      if (!v.good) {
        counters.pathChunksBad++;
        continue;
      }
      try {
        slice.put(v.cid, v.data);
        counters.pathChunksKept++;
      } catch (XiaSocketException e) {
        counters.pathChunksDropped++; // the applications' chunks fill the node
      }
    }
  }

  void close() {
    if (poll != null) {
      poll.cancel();
      poll = null;
    }
    partials.clear();
    slice.close();
  }

  long partialBytes() {
    return partialBytes;
  }
}
