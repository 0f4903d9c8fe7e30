package io.xmig.xia.node.stream;

/** Numbers of lost packets in the order in which they are to be sent again. */
final class LostQueue {
  private long[] numbers = new long[64];
  private int head;
  private int size;

  boolean isEmpty() {
    return size == 0;
  }

  void add(long number) {
    if (size == numbers.length) {
      long[] larger = new long[2 * size];
      for (int i = 0; i < size; i++) {
        larger[i] = numbers[(head + i) & (size - 1)];
      }
      numbers = larger;
      head = 0;
    }
    numbers[(head + size++) & (numbers.length - 1)] = number;
  }

  long peek() {
    return numbers[head];
  }

  void pop() {
    head = (head + 1) & (numbers.length - 1);
    size--;
  }

  void clear() {
    size = 0;
  }
}
