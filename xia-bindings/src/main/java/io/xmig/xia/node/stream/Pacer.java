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
  private static final int PACKETS_AFTER_PAUSE = 10;

  private long nextNs = Long.MIN_VALUE;
  private long lastCostNs;

  boolean isReady(long nowNs) {
    return nextNs <= nowNs;
  }

  /** A packet leaves now. */
  void sent(long nowNs, int bytes, long rate, boolean afterPause) {
    if (rate == CongestionControl.UNPACED) {
      nextNs = Long.MIN_VALUE;
      return;
    }
    lastCostNs = Math.max(1, (long) (bytes * 1e9 / Math.max(1, rate)));
    long credit =
        afterPause ? Math.max(CATCH_UP_NS, PACKETS_AFTER_PAUSE * lastCostNs) : CATCH_UP_NS;
    nextNs = Math.max(nextNs, nowNs - credit) + lastCostNs;
  }

  /** When to go on sending. */
  long resumeNs(long minRttNs) {
    long quantum = Math.max(MIN_QUANTUM_NS, Math.min(MAX_QUANTUM_NS, minRttNs / 8));
    return nextNs + Math.max(0, quantum - lastCostNs);
  }

  void reset() {
    nextNs = Long.MIN_VALUE;
  }
}
