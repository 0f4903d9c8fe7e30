package io.xmig.chunk.cut;

import java.nio.ByteBuffer;

/**
 * A buffer that pieces of a stream are views of; goes back to its pool when nobody holds it.
 *
 * @threading the loop only
 */
public final class Slab {
  private final SlabPool pool;
  private final ByteBuffer bytes;
  private int holders;

  Slab(SlabPool pool, ByteBuffer bytes) {
    this.pool = pool;
    this.bytes = bytes;
  }

  /** A view of some of its bytes. */
  public ByteBuffer view(int offset, int length) {
    return bytes.slice(offset, length);
  }

  /** Bytes it has room for. */
  public int capacity() {
    return bytes.capacity();
  }

  /** One more holder. */
  public void retain() {
    holders++;
  }

  /** One holder less; the last one gives the slab back. */
  public void release() {
    if (--holders == 0) {
      pool.giveBack(this);
    } else if (holders < 0) {
      throw new IllegalStateException("a slab was released more often than it was retained");
    }
  }
}
