package io.xmig.xia.node.congestion;

/**
 * Measures the rate at which a path delivers: what was delivered between the sending of a packet
 * and its acknowledgement, by the longer of the times that sending and acknowledging it took. What
 * the estimate needs is noted with every packet when it leaves.
 *
 * @threading one thread; time is an argument
 * @source draft-cheng-iccrg-delivery-rate-estimation-02
 */
public final class DeliveryRateEstimator {
  private long delivered;
  private long deliveredNs;
  private long firstSentNs;
  private long appLimitedUntil; // delivered count, 0: not limited

  /** Bytes delivered so far; to be noted with a packet that leaves. */
  public long delivered() {
    return delivered;
  }

  /** When the last of them were; to be noted with a packet that leaves. */
  public long deliveredNs() {
    return deliveredNs;
  }

  /** When the packet delivered last was sent; to be noted with a packet that leaves. */
  public long firstSentNs() {
    return firstSentNs;
  }

  /** Whether less was sent than could have been; to be noted with a packet that leaves. */
  public boolean isAppLimited() {
    return appLimitedUntil > 0;
  }

  /** A packet leaves and nothing else is in flight. */
  public void onSentFirst(long nowNs) {
    firstSentNs = nowNs;
    deliveredNs = nowNs;
  }

  /** There is nothing to send although there would be room. */
  public void onNothingToSend(long inFlightBytes) {
    appLimitedUntil = Math.max(1, delivered + inFlightBytes);
  }

  /** Bytes are acknowledged. */
  public void onDelivered(long bytes) {
    delivered += bytes;
  }

  /**
   * Fills in what the acknowledgement of a packet says about the rate.
   *
   * @param sentNs when it was sent
   * @param deliveredThen the first of the values noted with it, and so on
   * @param minRttNs acknowledgements that came in a lump must not look like a rate that the path
   *     does not have: no time shorter than this counts
   */
  public void sample(
      AckSample sample,
      long nowNs,
      long sentNs,
      long deliveredThen,
      long deliveredNsThen,
      long firstSentNsThen,
      boolean appLimitedThen,
      long minRttNs) {
    long sending = sentNs - firstSentNsThen;
    long acknowledging = nowNs - deliveredNsThen;
    deliveredNs = nowNs;
    firstSentNs = Math.max(firstSentNs, sentNs);
    long interval = Math.max(Math.max(sending, acknowledging), Math.max(minRttNs, 1));
    sample.deliveryRate = (long) ((delivered - deliveredThen) * 1e9 / interval);
    sample.appLimited = appLimitedThen;
    sample.priorDeliveredBytes = deliveredThen;
    sample.deliveredBytes = delivered;
    if (delivered > appLimitedUntil) {
      appLimitedUntil = 0;
    }
  }
}
