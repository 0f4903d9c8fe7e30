package io.xmig.xia.node.chunk;

/**
 * Round-trip time and retransmission timeout of a path.
 *
 * @source RFC 6298 section 2; the lowest round trip for RFC 8985
 */
final class RoundTrip {
  /** Timeout before anything has been measured: what the prototype waits, docs/wire.md 5. */
  static final long INITIAL_TIMEOUT_NS = 300_000_000L;

  private static final long MIN_RTT_LIFE_NS = 30_000_000_000L;

  private final long minTimeoutNs;
  private final long maxTimeoutNs;
  private long smoothedNs;
  private long variationNs;
  private long minNs = Long.MAX_VALUE;
  private long minSeenNs;
  private int backoff;

  RoundTrip(long minTimeoutNs, long maxTimeoutNs) {
    this.minTimeoutNs = minTimeoutNs;
    this.maxTimeoutNs = maxTimeoutNs;
  }

  void sample(long nowNs, long rttNs) {
    long rtt = Math.max(1, rttNs);
    if (rtt <= minNs || nowNs - minSeenNs > MIN_RTT_LIFE_NS) {
      minNs = rtt;
      minSeenNs = nowNs;
    }
    if (smoothedNs == 0) {
      smoothedNs = rtt;
      variationNs = rtt / 2;
      return;
    }
    variationNs += (Math.abs(smoothedNs - rtt) - variationNs) / 4;
    smoothedNs += (rtt - smoothedNs) / 8;
  }

  boolean known() {
    return smoothedNs != 0;
  }

  /** 0 while unknown. */
  long smoothedNs() {
    return smoothedNs;
  }

  /** 0 while unknown. */
  long minNs() {
    return minNs == Long.MAX_VALUE ? 0 : minNs;
  }

  long timeoutNs() {
    long base =
        smoothedNs == 0
            ? Math.max(INITIAL_TIMEOUT_NS, minTimeoutNs)
            : Math.max(minTimeoutNs, smoothedNs + 4 * variationNs);
    long backedOff = backoff >= 16 ? Long.MAX_VALUE : base << backoff;
    // A path that is slower than the limit is still waited for once.
    return Math.max(base, Math.min(backedOff, maxTimeoutNs));
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
    smoothedNs = 0;
    variationNs = 0;
    minNs = Long.MAX_VALUE;
    backoff = 0;
  }
}
