package io.xmig.xia.node.stream;

import java.util.Arrays;

/**
 * Numbers of lost packets in the order in which they are to be sent again: that of their bytes in
 * the stream. The peer can use nothing beyond its first hole, and what fills that may have been
 * lost again, later than what lies beyond it. A binary heap; nothing is allocated unless it grows.
 */
final class LostQueue {
  private long[] numbers = new long[64];
  private long[] offsets = new long[64];
  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  /** Adds the packet of this number, whose data begin at {@code offset}. */
  void add(long number, long offset) {
    if (size == numbers.length) {
      numbers = Arrays.copyOf(numbers, 2 * size);
      offsets = Arrays.copyOf(offsets, 2 * size);
    }
    int i = size++;
    while (i > 0 && isBefore(offset, number, (i - 1) / 2)) {
      move((i - 1) / 2, i);
      i = (i - 1) / 2;
    }
    numbers[i] = number;
    offsets[i] = offset;
  }

  /** The number of the first packet in the stream. */
  long peek() {
    return numbers[0];
  }

  void pop() {
    size--;
    long number = numbers[size];
    long offset = offsets[size];
    int i = 0;
    while (2 * i + 1 < size) {
      int child = 2 * i + 1;
      if (child + 1 < size && isBefore(offsets[child + 1], numbers[child + 1], child)) {
        child++;
      }
      if (isBefore(offset, number, child)) {
        break;
      }
      move(child, i);
      i = child;
    }
    numbers[i] = number;
    offsets[i] = offset;
  }

  void clear() {
    size = 0;
  }

  private boolean isBefore(long offset, long number, int i) {
    return offset != offsets[i] ? offset < offsets[i] : number < numbers[i];
  }

  private void move(int from, int to) {
    numbers[to] = numbers[from];
    offsets[to] = offsets[from];
  }
}
