package io.xmig.xia.node.stream;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Bytes received and not yet read by the application, in a direct ring addressed by stream offset.
 * Bytes that arrive ahead of a gap are put where they belong; the parts present beyond the gap are
 * kept as a short sorted list.
 *
 * <pre>
 *   read          next                                   read + capacity
 *    | readable     | gap | present | gap | present | gap     |
 * </pre>
 */
final class ReceiveBuffer {
  /** What became of bytes offered. */
  enum Outcome {
    /** They continue what was there; more may be readable. */
    IN_ORDER,
    /** They are ahead of a gap. */
    AHEAD,
    /** All of them were there already. */
    DUPLICATE,
    /**
     * There is no room for them: beyond the window, or too many gaps. They must not be
     * acknowledged.
     */
    REFUSED
  }

  /** Separate parts that may be held beyond the first gap; a peer's reordering costs no more. */
  static final int MAX_PARTS = 1024;

  private final BufferPool pool;
  private final int maxCapacity;
  private int capacity;
  private @Nullable ByteBuffer ring;
  private long read;
  private long next;
  private long[] starts = new long[16];
  private long[] ends = new long[16];
  private int parts;

  /** The pool must have {@code capacity} bytes reserved for this buffer. */
  ReceiveBuffer(BufferPool pool, int capacity, int maxCapacity) {
    this.pool = pool;
    this.capacity = capacity;
    this.maxCapacity = maxCapacity;
  }

  /** Offset of the first byte not read yet. */
  long readOffset() {
    return read;
  }

  /** Offset of the first byte not received yet. */
  long next() {
    return next;
  }

  int readable() {
    return (int) (next - read);
  }

  int capacity() {
    return capacity;
  }

  /** First offset for which there is no room; never goes back. */
  long limit() {
    return read + capacity;
  }

  boolean hasGaps() {
    return parts > 0;
  }

  /** Stores {@code length} bytes that belong at {@code offset}. */
  Outcome put(long offset, ByteBuffer source, int position, int length) {
    long from = Math.max(offset, next);
    long to = offset + length;
    if (to <= next) {
      return Outcome.DUPLICATE;
    }
    if (to > limit()) {
      return Outcome.REFUSED;
    }
    if (from == next) {
      copyIn(from, source, position + (int) (from - offset), (int) (to - from));
      next = to;
      absorb();
      return Outcome.IN_ORDER;
    }
    return putAhead(from, to, source, position + (int) (from - offset));
  }

  private Outcome putAhead(long from, long to, ByteBuffer source, int position) {
    int i = parts; // the list is short and what arrives belongs near its end
    while (i > 0 && starts[i - 1] > from) {
      i--;
    }
    // part i − 1 starts at or before from, part i after it
    boolean joinsLeft = i > 0 && ends[i - 1] >= from;
    if (joinsLeft && ends[i - 1] >= to) {
      return Outcome.DUPLICATE;
    }
    if (!joinsLeft && parts == MAX_PARTS) {
      return Outcome.REFUSED;
    }
    copyIn(from, source, position, (int) (to - from));
    int at;
    if (joinsLeft) {
      at = i - 1;
      ends[at] = to;
    } else {
      insert(i, from, to);
      at = i;
    }
    int swallowed = at + 1;
    while (swallowed < parts && starts[swallowed] <= ends[at]) {
      ends[at] = Math.max(ends[at], ends[swallowed]);
      swallowed++;
    }
    remove(at + 1, swallowed);
    return Outcome.AHEAD;
  }

  private void insert(int index, long from, long to) {
    if (parts == starts.length) {
      starts = java.util.Arrays.copyOf(starts, 2 * parts);
      ends = java.util.Arrays.copyOf(ends, 2 * parts);
    }
    System.arraycopy(starts, index, starts, index + 1, parts - index);
    System.arraycopy(ends, index, ends, index + 1, parts - index);
    starts[index] = from;
    ends[index] = to;
    parts++;
  }

  private void remove(int from, int to) {
    if (to > from) {
      System.arraycopy(starts, to, starts, from, parts - to);
      System.arraycopy(ends, to, ends, from, parts - to);
      parts -= to - from;
    }
  }

  private void absorb() {
    int i = 0;
    while (i < parts && starts[i] <= next) {
      next = Math.max(next, ends[i]);
      i++;
    }
    remove(0, i);
  }

  private void copyIn(long offset, ByteBuffer source, int position, int length) {
    ByteBuffer to = ring;
    if (to == null) {
      to = pool.take(capacity);
      ring = to;
    }
    int at = (int) (offset & (capacity - 1));
    int first = Math.min(length, capacity - at);
    to.put(at, source, position, first);
    if (first < length) {
      to.put(0, source, position + first, length - first);
    }
  }

  /** Moves readable bytes into {@code target}. */
  int take(ByteBuffer target) {
    int n = Math.min(readable(), target.remaining());
    ByteBuffer from = ring;
    if (n == 0 || from == null) {
      return 0;
    }
    int at = (int) (read & (capacity - 1));
    int first = Math.min(n, capacity - at);
    int to = target.position();
    target.put(to, from, at, first);
    if (first < n) {
      target.put(to + first, from, 0, n - first);
    }
    target.position(to + n);
    read += n;
    return n;
  }

  /** Drops what is readable, as if it had been read. */
  void discard() {
    read = next;
  }

  /** Doubles the capacity if limits and budget allow. */
  boolean grow() {
    if (capacity >= maxCapacity || !pool.reserve(capacity)) {
      return false;
    }
    int larger = capacity * 2;
    ByteBuffer old = ring;
    if (old != null) {
      long highest = parts == 0 ? next : ends[parts - 1];
      ring = Rings.moveTo(pool.take(larger), old, read, highest);
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
    read = next;
    parts = 0;
  }
}
