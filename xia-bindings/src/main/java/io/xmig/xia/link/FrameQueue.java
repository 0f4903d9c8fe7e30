package io.xmig.xia.link;

import java.nio.ByteBuffer;

/**
 * A bounded first-in first-out queue of frames, lying one after the other in one piece of direct
 * memory that is used in a circle. No allocation once it has its working size.
 *
 * <p>Starts small and doubles up to its limit. A frame never wraps around the end, so that each is
 * one piece for the kernel.
 */
final class FrameQueue {
  private static final int ALIGNMENT = 8;

  private final int maxBytes;
  private ByteBuffer arena;
  private ByteBuffer view;
  private int[] offsets;
  private int[] lengths;
  private int head; // index of the oldest frame in offsets and lengths
  private int count;
  private int tail; // where the next frame may start
  private int bytes;

  /**
   * @param initialBytes memory to start with
   * @param maxBytes limit of the memory, at least one frame of the largest size
   */
  FrameQueue(int initialBytes, int maxBytes) {
    this.maxBytes = maxBytes;
    this.arena = ByteBuffer.allocateDirect(Math.min(initialBytes, maxBytes));
    this.view = arena.duplicate();
    this.offsets = new int[64];
    this.lengths = new int[64];
  }

  /** Frames queued. */
  int size() {
    return count;
  }

  /** Bytes of the frames queued. */
  int bytes() {
    return bytes;
  }

  boolean isEmpty() {
    return count == 0;
  }

  /** The memory the frames lie in; changes when the queue grows. */
  ByteBuffer arena() {
    return arena;
  }

  /** Where the i-th oldest frame lies. */
  int offset(int i) {
    return offsets[(head + i) & (offsets.length - 1)];
  }

  /** Its length. */
  int length(int i) {
    return lengths[(head + i) & (lengths.length - 1)];
  }

  /**
   * The i-th oldest frame, from position to limit of a buffer that the queue reuses with each call.
   */
  ByteBuffer frame(int i) {
    int offset = offset(i);
    view.limit(offset + length(i)).position(offset);
    return view;
  }

  /**
   * Copies a frame (position to limit, both unchanged) to the end of the queue.
   *
   * @return false if there is no room
   */
  boolean offer(ByteBuffer frame) {
    int length = frame.remaining();
    int start = place(length);
    while (start < 0) {
      if (!grow(length)) {
        return false;
      }
      start = place(length);
    }
    arena.put(start, frame, frame.position(), length);
    append(start, length);
    return true;
  }

  private void append(int start, int length) {
    if (count == offsets.length) {
      offsets = unrolled(offsets);
      lengths = unrolled(lengths);
      head = 0;
    }
    int slot = (head + count) & (offsets.length - 1);
    offsets[slot] = start;
    lengths[slot] = length;
    count++;
    bytes += length;
    tail = (start + length + ALIGNMENT - 1) & -ALIGNMENT;
  }

  /** Forgets the {@code n} oldest frames. */
  void drop(int n) {
    for (int i = 0; i < n; i++) {
      bytes -= length(i);
    }
    head = (head + n) & (offsets.length - 1);
    count -= n;
    if (count == 0) {
      tail = 0; // start over where the memory is warm
    }
  }

  void clear() {
    drop(count);
  }

  /** Where a frame of this length can lie, or −1. */
  private int place(int length) {
    if (count == 0) {
      return length <= arena.capacity() ? 0 : -1;
    }
    int first = offset(0);
    if (tail > first) { // in use: [first, tail)
      if (length <= arena.capacity() - tail) {
        return tail;
      }
      return length < first ? 0 : -1;
    }
    return length < first - tail ? tail : -1; // in use: [first, end) and [0, tail)
  }

  private boolean grow(int length) {
    long wanted = Math.max(arena.capacity() * 2L, arena.capacity() + (long) length);
    int capacity = (int) Math.min(wanted, maxBytes);
    if (capacity <= arena.capacity()) {
      return false;
    }
    ByteBuffer larger = ByteBuffer.allocateDirect(capacity);
    int at = 0;
    for (int i = 0; i < count; i++) {
      larger.put(at, arena, offset(i), length(i));
      offsets[(head + i) & (offsets.length - 1)] = at;
      at = (at + length(i) + ALIGNMENT - 1) & -ALIGNMENT;
    }
    tail = at;
    arena = larger;
    view = larger.duplicate();
    return true;
  }

  private int[] unrolled(int[] ring) {
    int[] larger = new int[ring.length * 2];
    for (int i = 0; i < count; i++) {
      larger[i] = ring[(head + i) & (ring.length - 1)];
    }
    return larger;
  }
}
