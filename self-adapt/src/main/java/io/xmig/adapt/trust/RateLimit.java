package io.xmig.adapt.trust;

/** A token bucket: so many a second, with some in reserve. */
public final class RateLimit {
  private final double perNs;
  private final double burst;
  private double tokens;
  private long lastNs;

  /**
   * @param perSecond long-term rate
   * @param burst how many may come at once
   */
  public RateLimit(double perSecond, double burst) {
    this.perNs = perSecond / 1e9;
    this.burst = burst;
    this.tokens = burst;
  }

  /** Takes a token if there is one. */
  public boolean take(long nowNs) {
    tokens = Math.min(burst, tokens + Math.max(0, nowNs - lastNs) * perNs);
    lastNs = nowNs;
    if (tokens < 1) {
      return false;
    }
    tokens--;
    return true;
  }
}
