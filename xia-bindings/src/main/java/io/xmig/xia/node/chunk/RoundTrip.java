package io.xmig.xia.node.chunk;

import io.xmig.xia.node.congestion.RttEstimator;

/**
 * Round-trip time of a path, and how long answers are waited for.
 *
 * @source RFC 6298 section 2
 */
final class RoundTrip {
  /** Timeout before anything has been measured: what the prototype waits, docs/wire.md 5. */
  static final long INITIAL_TIMEOUT_NS = RttEstimator.INITIAL_TIMEOUT_NS;

  private final long minTimeoutNs;
  private final long maxTimeoutNs;
  private RttEstimator rtt = new RttEstimator();
  private int backoff;

  RoundTrip(long minTimeoutNs, long maxTimeoutNs) {
    this.minTimeoutNs = minTimeoutNs;
    this.maxTimeoutNs = maxTimeoutNs;
  }

  /** Takes a sample; gives it back, negative if it is doubted. */
  long sample(long nowNs, long rttNs) {
    return rtt.sample(nowNs, rttNs);
  }

  boolean known() {
    return rtt.hasSample();
  }

  /** 0 while unknown. */
  long smoothedNs() {
    return rtt.smoothedNs();
  }

  /** 0 while unknown. */
  long minNs() {
    return rtt.minNs();
  }

  long timeoutNs() {
    long base = Math.max(minTimeoutNs, rtt.timeoutNs(0));
    long backedOff = backoff >= 16 ? Long.MAX_VALUE : base << backoff;
    // A path that is slower than the limit is still waited for once.
    return Math.max(base, Math.min(backedOff, maxTimeoutNs));
  }

  /** How long silence after the last request is borne before one is repeated. */
  long probeTimeoutNs() {
    return rtt.probeTimeoutNs();
  }

  int backoff() {
    return backoff;
  }

  void backOff() {
    backoff++;
  }

  void heard() {
    backoff = 0;
  }

  /** The path is another one. */
  void reset() {
    rtt = new RttEstimator();
    backoff = 0;
  }
}
