package io.xmig.xia.node.congestion;

/**
 * Finds out whether the loss that a flow sees is that of a full buffer: then packets that did
 * arrive have waited, or, where the buffer is too small for that to show, there is less loss after
 * less was in flight. Loss without a queue that is the same however much is in flight is the path's
 * own.
 *
 * @threading one thread
 * @source local choice
 */
final class LossCause {
  /** Enough of one kind if there are as many of the other. */
  private static final int SAMPLES = 3;

  /** Enough of one kind alone: the flow has stopped varying what it has in flight. */
  private static final int SAMPLES_IN_ALL = 8;

  /** Loss with little in flight, as a part of that with much, from which on it is the path's. */
  private static final double ALIKE = 0.6;

  /** A round trip this much longer than the lowest, and by this time, has met a queue. */
  private static final double QUEUE_GAIN = 1.25;

  private static final long QUEUE_NS = 250_000L;

  private double usual; // bytes in flight
  private long before; // in flight when this round began, whose fate is known when it ends
  private long roundsSum;
  private int rounds;
  private final long[] lost = new long[2]; // with little and with much in flight
  private final long[] all = new long[2];
  private final int[] samples = new int[2];
  private long rttSumNs;
  private int rtts;

  /** Forgets all samples. */
  void restart() {
    usual = 0;
    before = 0;
    roundsSum = 0;
    rounds = 0;
    rttSumNs = 0;
    rtts = 0;
    for (int i = 0; i < 2; i++) {
      lost[i] = 0;
      all[i] = 0;
      samples[i] = 0;
    }
  }

  /** A packet's round trip. */
  void roundTrip(long rttNs) {
    rttSumNs += rttNs;
    rtts++;
  }

  /** A round ends; the bytes now in flight are those of the next. */
  void round(long inFlightBytes) {
    if (before > 0) {
      roundsSum += before;
      rounds++;
    }
    before = inFlightBytes;
  }

  /**
   * What became of the bytes of the rounds that have ended since the last sample.
   *
   * @param lostBytes how many were lost
   * @param bytes of how many
   */
  void sample(long lostBytes, long bytes) {
    if (rounds == 0) {
      return;
    }
    double inFlight = (double) roundsSum / rounds;
    roundsSum = 0;
    rounds = 0;
    if (usual > 0) {
      int group = inFlight > usual ? 1 : 0;
      lost[group] += lostBytes;
      all[group] += bytes;
      samples[group]++;
    }
    usual = usual == 0 ? inFlight : usual + (inFlight - usual) / 4;
  }

  /** Whether there are samples enough. */
  boolean isKnown() {
    return Math.min(samples[0], samples[1]) >= SAMPLES || samples[0] + samples[1] >= SAMPLES_IN_ALL;
  }

  /** Whether there was a queue, or less in flight made for less loss. */
  boolean isCongestion(long minRttNs) {
    if (rttSumNs > rtts * (minRttNs * QUEUE_GAIN + QUEUE_NS)) {
      return true;
    }
    return Math.min(samples[0], samples[1]) >= SAMPLES - 1
        && lost[0] * (double) all[1] < ALIKE * lost[1] * (double) all[0];
  }

  /** Part of all bytes that was lost. */
  double rate() {
    return (double) (lost[0] + lost[1]) / Math.max(1, all[0] + all[1]);
  }
}
