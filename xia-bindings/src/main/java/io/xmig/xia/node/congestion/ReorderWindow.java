package io.xmig.xia.node.congestion;

/**
 * How long what was overtaken is still waited for before it counts as lost: a quarter of the lowest
 * round trip, and one more each time a loss turns out to have been lateness.
 *
 * @threading one thread
 * @source RFC 8985 section 6.2; narrowing after a number of true losses is RFC 8985's RACK.reo_wnd
 *     persistence, counted in losses
 */
public final class ReorderWindow {
  private static final int MAX_STEPS = 16;
  private static final int CALM_LOSSES = 16;

  private int steps = 1;
  private int lossesSinceLate;

  /** What was given up has arrived. */
  public void widen() {
    steps = Math.min(MAX_STEPS, steps + 1);
    lossesSinceLate = 0;
  }

  /** Something is lost, and nothing has been late for a while. */
  public void calm() {
    if (++lossesSinceLate >= CALM_LOSSES) {
      lossesSinceLate = 0;
      steps = Math.max(1, steps - 1);
    }
  }

  /**
   * The window now: at most a smoothed round trip.
   *
   * @param leastNs what it is at least: the granularity of clocks and schedulers
   */
  public long ns(long minRttNs, long smoothedRttNs, long leastNs) {
    long window = Math.max(leastNs, minRttNs / 4 * steps);
    return Math.min(window, Math.max(leastNs, smoothedRttNs));
  }
}
