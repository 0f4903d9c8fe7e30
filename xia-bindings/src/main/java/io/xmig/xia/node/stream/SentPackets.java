package io.xmig.xia.node.stream;

/**
 * Records of the packets sent, by packet number, in rings of primitive arrays: nothing is allocated
 * per packet once the rings have grown to the size of the window.
 *
 * <pre>
 *   oldest              first                    next
 *     | history: settled  | in flight, lost, settled |
 * </pre>
 *
 * A number is never used twice: what is sent again gets a new one, so an acknowledgement always
 * tells which sending arrived.
 */
final class SentPackets {
  /** Most records kept; a window never holds more packets than this. */
  static final int MAX_RECORDS = 1 << 16;

  static final byte IN_FLIGHT = 1;
  static final byte ACKED = 2;
  static final byte LOST = 3; // to be sent again
  static final byte RESENT = 4; // found lost, and sent again under another number

  static final byte CARRIES_FIN = 1;
  static final byte APP_LIMITED = 2;
  static final byte CARRIES_DATA = 4;

  private int mask = 255;
  private long[] offset = new long[mask + 1];
  private int[] length = new int[mask + 1];
  private int[] bytes = new int[mask + 1];
  private long[] sentNs = new long[mask + 1];
  private long[] delivered = new long[mask + 1];
  private long[] deliveredNs = new long[mask + 1];
  private long[] firstSentNs = new long[mask + 1];
  private byte[] state = new byte[mask + 1];
  private byte[] flags = new byte[mask + 1];

  private long oldest;
  private long first;
  private long next;
  private int resentKept;

  /** Records kept of packets that were sent again and have not turned up late. */
  int resentKept() {
    return resentKept;
  }

  /** Oldest record kept. */
  long oldest() {
    return oldest;
  }

  /** Oldest packet in flight or lost and not sent again. */
  long first() {
    return first;
  }

  /** Number of the next packet. */
  long next() {
    return next;
  }

  boolean isFull() {
    return next - first >= MAX_RECORDS;
  }

  /** Adds a packet in flight; returns its number. */
  long add(
      long offset,
      int length,
      int bytes,
      int flags,
      long nowNs,
      long delivered,
      long deliveredNs,
      long firstSentNs) {
    if (next - oldest > mask) {
      makeRoom();
    }
    int i = (int) next & mask;
    this.offset[i] = offset;
    this.length[i] = length;
    this.bytes[i] = bytes;
    this.sentNs[i] = nowNs;
    this.delivered[i] = delivered;
    this.deliveredNs[i] = deliveredNs;
    this.firstSentNs[i] = firstSentNs;
    this.state[i] = IN_FLIGHT;
    this.flags[i] = (byte) flags;
    return next++;
  }

  private void makeRoom() {
    int capacity = mask + 1;
    if (next - first <= capacity / 2 || capacity >= MAX_RECORDS) {
      forgetBefore(Math.min(first, oldest + Math.max(1, capacity / 4)));
      if (next - oldest <= mask) {
        return;
      }
    }
    if (capacity >= MAX_RECORDS) {
      throw new IllegalStateException("more than " + MAX_RECORDS + " packets in flight");
    }
    int larger = 2 * capacity;
    long[] offsets = new long[larger];
    int[] lengths = new int[larger];
    int[] sizes = new int[larger];
    long[] times = new long[larger];
    long[] deliveries = new long[larger];
    long[] deliveryTimes = new long[larger];
    long[] firstTimes = new long[larger];
    byte[] states = new byte[larger];
    byte[] marks = new byte[larger];
    for (long n = oldest; n < next; n++) {
      int from = (int) n & mask;
      int to = (int) n & (larger - 1);
      offsets[to] = offset[from];
      lengths[to] = length[from];
      sizes[to] = bytes[from];
      times[to] = sentNs[from];
      deliveries[to] = delivered[from];
      deliveryTimes[to] = deliveredNs[from];
      firstTimes[to] = firstSentNs[from];
      states[to] = state[from];
      marks[to] = flags[from];
    }
    offset = offsets;
    length = lengths;
    bytes = sizes;
    sentNs = times;
    delivered = deliveries;
    deliveredNs = deliveryTimes;
    firstSentNs = firstTimes;
    state = states;
    flags = marks;
    mask = larger - 1;
  }

  /**
   * Moves {@link #first} over what is settled, and forgets history from before {@code beforeNs}.
   */
  void advance(long beforeNs) {
    while (first < next) {
      byte s = state[(int) first & mask];
      if (s == IN_FLIGHT || s == LOST) {
        break;
      }
      first++;
    }
    long keep = oldest;
    while (keep < first && sentNs[(int) keep & mask] < beforeNs) {
      keep++;
    }
    forgetBefore(keep);
  }

  private void forgetBefore(long number) {
    for (; oldest < number; oldest++) {
      if (state[(int) oldest & mask] == RESENT) {
        resentKept--;
      }
    }
  }

  long offset(long number) {
    return offset[(int) number & mask];
  }

  int length(long number) {
    return length[(int) number & mask];
  }

  /** Size of the whole packet, headers included. */
  int bytes(long number) {
    return bytes[(int) number & mask];
  }

  long sentNs(long number) {
    return sentNs[(int) number & mask];
  }

  long delivered(long number) {
    return delivered[(int) number & mask];
  }

  long deliveredNs(long number) {
    return deliveredNs[(int) number & mask];
  }

  long firstSentNs(long number) {
    return firstSentNs[(int) number & mask];
  }

  byte state(long number) {
    return state[(int) number & mask];
  }

  void state(long number, byte to) {
    int i = (int) number & mask;
    if (state[i] == RESENT) {
      resentKept--;
    }
    if (to == RESENT) {
      resentKept++;
    }
    state[i] = to;
  }

  boolean is(long number, byte flag) {
    return (flags[(int) number & mask] & flag) != 0;
  }

  /** What is left of a lost packet after a part of it has been sent again. */
  void shorten(long number, int by) {
    int i = (int) number & mask;
    offset[i] += by;
    length[i] -= by;
  }
}
