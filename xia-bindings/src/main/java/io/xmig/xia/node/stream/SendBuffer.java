package io.xmig.xia.node.stream;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Bytes written by the application and not yet acknowledged, in a direct ring addressed by stream
 * offset.
 *
 * <pre>
 *   base                                   end          base + capacity
 *    | written, sent or not, not acknowledged |   room        |
 * </pre>
 */
final class SendBuffer {
  private final BufferPool pool;
  private final int maxCapacity;
  private int capacity;
  private @Nullable ByteBuffer ring;
  private long base;
  private long end;

  /** The pool must have {@code capacity} bytes reserved for this buffer. */
  SendBuffer(BufferPool pool, int capacity, int maxCapacity) {
    this.pool = pool;
    this.capacity = capacity;
    this.maxCapacity = maxCapacity;
  }

  /** Offset of the first byte kept. */
  long base() {
    return base;
  }

  /** Offset after the last byte written. */
  long end() {
    return end;
  }

  int capacity() {
    return capacity;
  }

  int room() {
    return capacity - (int) (end - base);
  }

  boolean canGrow() {
    return capacity < maxCapacity;
  }

  /** Copies as much of {@code source} as there is room for and moves its position. */
  int put(ByteBuffer source) {
    int n = Math.min(room(), source.remaining());
    if (n == 0) {
      return 0;
    }
    ByteBuffer to = ring;
    if (to == null) {
      to = pool.take(capacity);
      ring = to;
    }
    int at = (int) (end & (capacity - 1));
    int first = Math.min(n, capacity - at);
    int from = source.position();
    to.put(at, source, from, first);
    if (first < n) {
      to.put(0, source, from + first, n - first);
    }
    source.position(from + n);
    end += n;
    return n;
  }

  /**
   * Copies {@code length} bytes from stream offset {@code offset} to the position of {@code out}.
   */
  void copyTo(long offset, int length, ByteBuffer out) {
    ByteBuffer from = ring;
    if (length == 0) {
      return;
    }
    if (from == null || offset < base || offset + length > end) {
      throw new IllegalStateException(
          "bytes " + offset + "+" + length + " are not in the send buffer " + base + ".." + end);
    }
    int at = (int) (offset & (capacity - 1));
    int first = Math.min(length, capacity - at);
    int to = out.position();
    out.put(to, from, at, first);
    if (first < length) {
      out.put(to + first, from, 0, length - first);
    }
    out.position(to + length);
  }

  /** Forgets the bytes before {@code offset}. */
  void release(long offset) {
    if (offset > base) {
      base = Math.min(offset, end);
    }
  }

  /** Doubles the capacity if limits and budget allow. */
  boolean grow() {
    if (!canGrow() || !pool.reserve(capacity)) {
      return false;
    }
    int larger = capacity * 2;
    ByteBuffer old = ring;
    if (old != null) {
      ring = Rings.moveTo(pool.take(larger), old, base, end);
      pool.give(old);
    }
    capacity = larger;
    return true;
  }

  /** Returns the memory; the buffer is of no more use. */
  void free() {
    if (ring != null) {
      pool.give(ring);
      ring = null;
    }
    pool.unreserve(capacity);
    capacity = 0;
    base = end;
  }
}
