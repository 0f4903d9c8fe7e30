package io.xmig.xia.node;

/** Allows events up to a rate, with a burst: a token bucket on the caller's clock. */
final class RateLimit {
  private final long intervalNs;
  private final long burstNs;
  private long nextNs;
  private boolean started;

  /**
   * @param perSecond events allowed a second in the long run
   * @param burst events allowed at once after a pause
   */
  RateLimit(int perSecond, int burst) {
    this.intervalNs = 1_000_000_000L / perSecond;
    this.burstNs = intervalNs * burst;
  }

  boolean allows(long nowNs) {
    if (!started || nowNs - nextNs > 0) {
      started = true;
      nextNs = nowNs;
    }
    if (nextNs - nowNs > burstNs - intervalNs) {
      return false;
    }
    nextNs += intervalNs;
    return true;
  }
}
