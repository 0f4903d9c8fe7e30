package io.xmig.xia.node.chunk;

import java.util.Arrays;

/**
 * A set of byte positions kept as sorted, disjoint, non-adjacent half-open intervals. Appending at
 * the end and filling the only gap cost O(1); other changes O(log n) plus the moved part.
 */
final class IntervalSet {
  /** Result of {@link #add} when the set would fall into too many pieces. */
  static final int TOO_MANY = -1;

  private final int maxIntervals;
  private int[] starts = new int[4];
  private int[] ends = new int[4];
  private int count;

  /**
   * @param maxIntervals pieces the set may fall into: a bound on what a hostile peer can make it
   *     hold
   */
  IntervalSet(int maxIntervals) {
    this.maxIntervals = maxIntervals;
  }

  boolean isEmpty() {
    return count == 0;
  }

  int intervals() {
    return count;
  }

  int start(int index) {
    return starts[index];
  }

  int end(int index) {
    return ends[index];
  }

  void clear() {
    count = 0;
  }

  /**
   * Adds {@code [start, end)}.
   *
   * @return positions that were not in the set before, or {@link #TOO_MANY} and no change
   */
  int add(int start, int end) {
    if (start >= end) {
      return 0;
    }
    if (count > 0 && start == ends[count - 1]) {
      ends[count - 1] = end;
      return end - start;
    }
    int from = firstEndingAtOrAfter(start);
    int to = from; // intervals from … to-1 touch the new one
    int covered = 0;
    int low = start;
    int high = end;
    while (to < count && starts[to] <= end) {
      covered += Math.max(0, Math.min(ends[to], end) - Math.max(starts[to], start));
      low = Math.min(low, starts[to]);
      high = Math.max(high, ends[to]);
      to++;
    }
    if (to == from) {
      if (count == maxIntervals) {
        return TOO_MANY;
      }
      open(from);
    } else if (to - from > 1) {
      System.arraycopy(starts, to, starts, from + 1, count - to);
      System.arraycopy(ends, to, ends, from + 1, count - to);
      count -= to - from - 1;
    }
    starts[from] = low;
    ends[from] = high;
    return end - start - covered;
  }

  /** Takes {@code [start, end)} out; may split one interval even at the limit of pieces. */
  void remove(int start, int end) {
    if (start >= end) {
      return;
    }
    int i = firstEndingAtOrAfter(start + 1);
    while (i < count && starts[i] < end) {
      if (starts[i] < start && ends[i] > end) {
        open(i + 1);
        starts[i + 1] = end;
        ends[i + 1] = ends[i];
        ends[i] = start;
        return;
      }
      if (starts[i] < start) {
        ends[i] = start;
        i++;
      } else if (ends[i] > end) {
        starts[i] = end;
        return;
      } else {
        System.arraycopy(starts, i + 1, starts, i, count - i - 1);
        System.arraycopy(ends, i + 1, ends, i, count - i - 1);
        count--;
      }
    }
  }

  /** Whether all of {@code [start, end)} is in the set. */
  boolean contains(int start, int end) {
    if (start >= end) {
      return true;
    }
    int i = firstEndingAtOrAfter(end);
    return i < count && starts[i] <= start;
  }

  /** The first position at or after {@code position} that is not in the set. */
  int firstMissing(int position) {
    int i = firstEndingAtOrAfter(position + 1);
    return i < count && starts[i] <= position ? ends[i] : position;
  }

  /** The first position at or after {@code position} that is in the set, or {@code limit}. */
  int firstPresent(int position, int limit) {
    int i = firstEndingAtOrAfter(position + 1);
    return i < count ? Math.min(limit, Math.max(position, starts[i])) : limit;
  }

  private void open(int index) {
    if (count == starts.length) {
      starts = Arrays.copyOf(starts, 2 * count);
      ends = Arrays.copyOf(ends, 2 * count);
    }
    System.arraycopy(starts, index, starts, index + 1, count - index);
    System.arraycopy(ends, index, ends, index + 1, count - index);
    count++;
  }

  private int firstEndingAtOrAfter(int position) {
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (ends[middle] < position) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append('[').append(starts[i]).append(',').append(ends[i]).append(')');
    }
    return text.toString();
  }
}
