package io.xmig.chunk.cut;

/**
 * Estimates the rate at which a path carries bytes all the way to the output, from
 * acknowledgements.
 *
 * <p>A window that was slow only because the input gave too little says nothing about the path:
 * such windows may raise the estimate, never lower it.
 *
 * @threading one thread; time is an argument
 * @source local choice: delivery-rate samples as in BBR, smoothed
 */
public final class DeliveryRate {
  private static final long MIN_WINDOW_NS = 20_000_000L;
  private static final double RISING = 2;
  // A pause of the machine is not a slow path: what falls, falls over a third of a second.
  private static final double FALLING = 16;

  private boolean started;
  private long windowStartNs;
  private long windowStartBytes;
  private boolean budgetLimited;
  private double bytesPerSecond;

  /** The sender could not take more since the budget was used up. */
  public void onBudgetLimited() {
    budgetLimited = true;
  }

  /** Nothing is under way any more: the window that is open tells nothing. */
  public void onIdle() {
    started = false;
    budgetLimited = false;
  }

  /**
   * An acknowledgement.
   *
   * @param cumulativeBytes bytes acknowledged since the start of the stream
   * @param rttNs smallest round trip, the least length of a window
   */
  public void onAcknowledged(long nowNs, long cumulativeBytes, long rttNs) {
    if (!started) {
      started = true;
      windowStartNs = nowNs;
      windowStartBytes = cumulativeBytes;
      return;
    }
    long window = nowNs - windowStartNs;
    if (window < Math.max(MIN_WINDOW_NS, rttNs)) {
      return;
    }
    double sample = (cumulativeBytes - windowStartBytes) * 1e9 / window;
    if (bytesPerSecond == 0) {
      bytesPerSecond = sample;
    } else if (sample > bytesPerSecond) {
      bytesPerSecond += (sample - bytesPerSecond) / RISING;
    } else if (budgetLimited) {
      bytesPerSecond += (sample - bytesPerSecond) / FALLING;
    }
    windowStartNs = nowNs;
    windowStartBytes = cumulativeBytes;
    budgetLimited = false;
  }

  /** The estimate, 0 while there is none. */
  public double bytesPerSecond() {
    return bytesPerSecond;
  }
}
