package io.xmig.xia.node.congestion;

/**
 * Smoothed round trip, its variation, and the smallest one of late.
 *
 * @threading one thread; time is an argument
 * @source RFC 6298 section 2; the window of the minimum is a local choice: twice 10 s
 */
public final class RttEstimator {
  /** Timeout before there is a sample. RFC 6298 says 1 s; v1.1 peers use 300 ms for everything. */
  public static final long INITIAL_TIMEOUT_NS = 300_000_000L;

  /** Smallest allowance for variation: clocks and schedulers are no finer on a busy host. */
  static final long GRANULARITY_NS = 5_000_000L;

  private static final long PROBE_GRANULARITY_NS = 1_000_000L;

  /** Shorter round trips are those of the clock, which stands still while a loop is at work. */
  static final long SHORTEST_NS = 50_000L;

  private static final long MIN_WINDOW_NS = 10_000_000_000L;

  /** A path that has become so much shorter shows it in another one of these. */
  private static final int CONFIRMING_SAMPLES = 32;

  private int confirmsWithin;
  private long smoothedNs;
  private long variationNs;
  private long latestNs;
  private long minNs = Long.MAX_VALUE;
  private long previousMinNs = Long.MAX_VALUE;
  private long windowStartNs;

  /**
   * Takes a sample; gives it back as it was taken, negative if it is doubted: a single one far
   * below all others is that of a damaged packet that looks like the answer to something just sent.
   */
  public long sample(long nowNs, long rttNs) {
    long rtt = Math.max(SHORTEST_NS, rttNs);
    boolean confirmed = confirmsWithin > 0;
    confirmsWithin = Math.max(0, confirmsWithin - 1);
    if (rtt < minNs() / 2) {
      confirmsWithin = CONFIRMING_SAMPLES;
      if (!confirmed) {
        return -1;
      }
    }
    latestNs = rtt;
    if (nowNs - windowStartNs > MIN_WINDOW_NS) {
      windowStartNs = nowNs;
      previousMinNs = minNs;
      minNs = rtt;
    } else {
      minNs = Math.min(minNs, rtt);
    }
    if (smoothedNs == 0) {
      smoothedNs = rtt;
      variationNs = rtt / 2;
      return rtt;
    }
    variationNs += (Math.abs(smoothedNs - rtt) - variationNs) / 4;
    smoothedNs += (rtt - smoothedNs) / 8;
    return rtt;
  }

  /** Whether there is a sample. */
  public boolean hasSample() {
    return smoothedNs != 0;
  }

  /** 0 before the first sample. */
  public long smoothedNs() {
    return smoothedNs;
  }

  /** Of the newest acknowledgement; 0 before the first sample. */
  public long latestNs() {
    return latestNs;
  }

  /** Smallest round trip of the last 10 to 20 s; 0 before the first sample. */
  public long minNs() {
    long min = Math.min(minNs, previousMinNs);
    return min == Long.MAX_VALUE ? 0 : min;
  }

  /** How long an acknowledgement may take before something is wrong. */
  public long timeoutNs(long maxAckDelayNs) {
    if (smoothedNs == 0) {
      return INITIAL_TIMEOUT_NS;
    }
    return smoothedNs + Math.max(4 * variationNs, GRANULARITY_NS) + maxAckDelayNs;
  }

  /**
   * How long the end of what was sent may stay unanswered before it is looked after.
   *
   * @source RFC 9002 section 6.2.1, RFC 8985 section 7.2
   */
  public long probeTimeoutNs() {
    return Math.max(2 * smoothedNs, smoothedNs + Math.max(4 * variationNs, PROBE_GRANULARITY_NS));
  }

  /** The path is another one: the old values are a hint, its minimum is not. */
  public void pathChanged() {
    variationNs = Math.max(variationNs, smoothedNs / 2);
    minNs = Long.MAX_VALUE;
    previousMinNs = Long.MAX_VALUE;
  }
}
