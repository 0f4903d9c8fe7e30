package io.xmig.xia.node.stream;

/**
 * Packet numbers received, as at most {@link #MAX_RANGES} ranges, the newest first. When there are
 * more, the oldest are forgotten: the sender then sends those bytes again, which is harmless.
 */
final class AckRanges {
  static final int MAX_RANGES = 32;

  private final long[] low = new long[MAX_RANGES];
  private final long[] high = new long[MAX_RANGES];
  private int count;

  int count() {
    return count;
  }

  long low(int i) {
    return low[i];
  }

  long high(int i) {
    return high[i];
  }

  /** The newest packet number, −1 if there is none. */
  long largest() {
    return count == 0 ? -1 : high[0];
  }

  /** Whether the number is in a range, or so old that nobody knows any more. */
  boolean contains(long number) {
    for (int i = 0; i < count; i++) {
      if (number > high[i]) {
        return false;
      }
      if (number >= low[i]) {
        return true;
      }
    }
    return false;
  }

  /** Adds a number; false if it was there already. */
  boolean add(long number) {
    if (count > 0 && number == high[0] + 1) {
      high[0] = number;
      return true;
    }
    int i = 0;
    while (i < count && number < low[i]) {
      i++;
    }
    // range i is the first that starts at or below the number
    if (i < count && number <= high[i]) {
      return false;
    }
    boolean joinsBelow = i < count && number == high[i] + 1;
    boolean joinsAbove = i > 0 && number == low[i - 1] - 1;
    if (joinsBelow && joinsAbove) {
      low[i - 1] = low[i];
      close(i);
    } else if (joinsBelow) {
      high[i] = number;
    } else if (joinsAbove) {
      low[i - 1] = number;
    } else {
      open(i, number);
    }
    return true;
  }

  private void open(int i, long number) {
    if (i == MAX_RANGES) {
      return; // older than everything that is remembered
    }
    int moved = Math.min(count, MAX_RANGES - 1) - i;
    System.arraycopy(low, i, low, i + 1, moved);
    System.arraycopy(high, i, high, i + 1, moved);
    low[i] = number;
    high[i] = number;
    count = Math.min(count + 1, MAX_RANGES);
  }

  private void close(int i) {
    System.arraycopy(low, i + 1, low, i, count - i - 1);
    System.arraycopy(high, i + 1, high, i, count - i - 1);
    count--;
  }
}
