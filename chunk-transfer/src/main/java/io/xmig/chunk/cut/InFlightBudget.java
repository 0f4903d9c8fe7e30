package io.xmig.chunk.cut;

/**
 * Decides how many bytes may have been taken from the input and not yet been written to the output
 * at the other end. Every such byte is outage: the guest is stopped while they drain.
 *
 * <pre>
 *   budget = (T − D − 40 ms) · R − 128 KiB     T outage target, D downtime-limit, R measured rate,
 *                                              128 KiB = the two kernel pipes
 *   but at least  2 · R · L + one chunk        so that the path stays full and a better rate shows;
 *                                              L = shortest time from cutting to acknowledgement:
 *                                              two round trips and the work at both ends
 *            and  1.25 · R · M + one chunk       M = mean of that time in the best round, which on a
 *                                              lossy path is mostly waiting for what is sent
 *                                              again; twice that in the first seconds
 * </pre>
 *
 * @threading the loop; time is an argument
 * @source docs/testbed.md, buffering and downtime: real outage = downtime + buffered bytes / rate
 */
public final class InFlightBudget {
  /** The kernel's pipe at either end. */
  static final long PIPES_BYTES = 128 * 1024;

  /** Least budget until the path has been measured for a while. */
  static final long INITIAL_BYTES = 1 << 20;

  private static final long INITIAL_NS = 1_000_000_000L;

  /** In this time the budget doubles from round to round while the rate does. */
  private static final long GROWTH_NS = 2_000_000_000L;

  private static final long MIN_BYTES = 128 * 1024;

  private final long fixedBytes;
  private final long outageTargetNs;
  private final long downtimeLimitNs;
  private long maxBytes;
  private final DeliveryRate rate = new DeliveryRate();
  private long minRttNs;

  /**
   * @param fixedBytes the budget if it is not to be derived, else 0
   * @param outageTargetNs T
   * @param downtimeLimitNs D, 0 for the one that {@link DowntimeLimit} derives
   * @param maxBytes upper bound, whatever is derived: this is memory
   */
  public InFlightBudget(long fixedBytes, long outageTargetNs, long downtimeLimitNs, long maxBytes) {
    this.fixedBytes = fixedBytes;
    this.outageTargetNs = outageTargetNs;
    this.downtimeLimitNs = downtimeLimitNs;
    this.maxBytes = maxBytes;
  }

  /** The other end does not take more than this. */
  public void capAt(long bytes) {
    maxBytes = Math.min(maxBytes, bytes);
  }

  /** A round trip was measured; the smallest is what {@link #minRttNs} says. */
  public void onRtt(long rttNs) {
    if (minRttNs == 0 || rttNs < minRttNs) {
      minRttNs = Math.max(1, rttNs);
    }
  }

  /** See {@link DeliveryRate}. */
  public DeliveryRate rate() {
    return rate;
  }

  /** The smallest round trip, 0 if none was measured. */
  public long minRttNs() {
    return minRttNs;
  }

  /** Bytes that fill the path once over: the least that must be under way for it not to idle. */
  public long pathBytes() {
    return (long) (rate.bytesPerSecond() * rate.shortestNs() / 1e9);
  }

  /**
   * The budget now.
   *
   * @param chunkBytes size of a chunk now
   */
  public long limitBytes(long nowNs, int chunkBytes) {
    if (fixedBytes > 0) {
      return Math.min(maxBytes, fixedBytes);
    }
    long byPath = byPath(nowNs, chunkBytes);
    double slackSeconds =
        (outageTargetNs - downtimeLimitNs(byPath) - DowntimeLimit.RESTART_NS) / 1e9;
    long byOutage = (long) (slackSeconds * rate.bytesPerSecond()) - PIPES_BYTES;
    long least = rate.measuredNs(nowNs) < INITIAL_NS ? INITIAL_BYTES : MIN_BYTES;
    return Math.min(maxBytes, Math.max(least, Math.max(byOutage, byPath)));
  }

  private long byPath(long nowNs, int chunkBytes) {
    double gain = rate.measuredNs(nowNs) < GROWTH_NS ? 2 : 1.25;
    long byMean = (long) (gain * rate.bytesPerSecond() * rate.meanNs() / 1e9);
    return Math.max(2 * pathBytes(), byMean) + chunkBytes;
  }

  private long downtimeLimitNs(long byPath) {
    return downtimeLimitNs > 0
        ? downtimeLimitNs
        : DowntimeLimit.within(outageTargetNs, rate.bytesPerSecond(), byPath + PIPES_BYTES);
  }

  /**
   * The downtime-limit that this budget goes with.
   *
   * @param chunkBytes size of a chunk now
   */
  public long downtimeLimitNs(long nowNs, int chunkBytes) {
    return downtimeLimitNs(byPath(nowNs, chunkBytes));
  }
}
