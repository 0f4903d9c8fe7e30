package io.xmig.xia.node.stream;

import io.xmig.xia.node.congestion.CongestionControl;

/**
 * Spreads packets over time. Small bursts are allowed, because a timer per packet would cost more
 * than it gives: what a quantum of time is worth leaves together.
 *
 * @source local choice: quantum of an eighth of the smallest round trip, 0.1 to 1 ms; catching up
 *     at most 2 ms after a late timer; ten packets at once after a pause
 */
final class Pacer {
  private static final long MIN_QUANTUM_NS = 100_000L;
  private static final long MAX_QUANTUM_NS = 1_000_000L;
  private static final long CATCH_UP_NS = 2_000_000L;
  private static final int PACKETS_PER_QUANTUM = 24;
  private static final int PACKETS_TO_CATCH_UP = 48;
  private static final int PACKETS_AFTER_PAUSE = 10;

  private static final int PACKETS_AT_ONE_TIME = 64;

  private long nextNs = Long.MIN_VALUE;
  private long lastCostNs;
  private long lastNs = Long.MIN_VALUE;
  private int sentAtLast;

  boolean isReady(long nowNs) {
    return nextNs <= nowNs && (nowNs != lastNs || sentAtLast < PACKETS_AT_ONE_TIME);
  }

  /** A packet leaves now. */
  void sent(long nowNs, int bytes, long rate, boolean afterPause) {
    sentAtLast = nowNs == lastNs ? sentAtLast + 1 : 1;
    lastNs = nowNs;
    if (rate == CongestionControl.UNPACED) {
      nextNs = Long.MIN_VALUE;
      return;
    }
    lastCostNs = Math.max(1, (long) (bytes * 1e9 / Math.max(1, rate)));
    long catchUp = Math.min(CATCH_UP_NS, PACKETS_TO_CATCH_UP * lastCostNs);
    long credit = afterPause ? Math.max(catchUp, PACKETS_AFTER_PAUSE * lastCostNs) : catchUp;
    nextNs = Math.max(nextNs, nowNs - credit) + lastCostNs;
  }

  /** When to go on sending. */
  long resumeNs(long minRttNs) {
    long quantum = Math.max(MIN_QUANTUM_NS, Math.min(MAX_QUANTUM_NS, minRttNs / 8));
    quantum = Math.min(quantum, PACKETS_PER_QUANTUM * lastCostNs);
    return Math.max(nextNs + Math.max(0, quantum - lastCostNs), lastNs + 1);
  }

  void reset() {
    nextNs = Long.MIN_VALUE;
  }
}
