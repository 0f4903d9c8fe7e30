package io.xmig.xia.node.congestion;

/**
 * What one acknowledgement told its transport. The transport owns one instance, fills it for each
 * acknowledgement and hands it to {@link CongestionControl#onAck}, which must not keep it.
 *
 * <p>The delivery rate is measured as in the draft on delivery rate estimation: bytes delivered
 * between the sending and the acknowledgement of one packet, by the longer of the time it took to
 * send them and the time it took to acknowledge them.
 *
 * @source draft-cheng-iccrg-delivery-rate-estimation-02, section 3
 */
public final class AckSample {
  /** Time of the acknowledgement, nanoseconds on the node's clock. */
  public long nowNs;

  /** Bytes acknowledged for the first time by this acknowledgement. */
  public long ackedBytes;

  /** Bytes found to be lost because of this acknowledgement. */
  public long lostBytes;

  /** Round trip of the newest packet acknowledged, nanoseconds; negative if there is no sample. */
  public long rttNs;

  /** Delivery rate, bytes per second; 0 if there is no sample. */
  public long deliveryRate;

  /** Whether the sender had nothing to send when that packet left: the rate is a lower bound. */
  public boolean appLimited;

  /** Bytes delivered in the whole life of the connection, after this acknowledgement. */
  public long deliveredBytes;

  /**
   * {@link #deliveredBytes} as it was when the newest packet acknowledged was sent. A round trip is
   * over when this reaches the {@link #deliveredBytes} of the round's beginning.
   */
  public long priorDeliveredBytes;

  /** Bytes in flight before this acknowledgement. */
  public long priorInFlightBytes;

  /** Bytes in flight after this acknowledgement. */
  public long inFlightBytes;

  /** Forgets everything, for the next acknowledgement. */
  public void clear() {
    nowNs = 0;
    ackedBytes = 0;
    lostBytes = 0;
    rttNs = -1;
    deliveryRate = 0;
    appLimited = false;
    deliveredBytes = 0;
    priorDeliveredBytes = 0;
    priorInFlightBytes = 0;
    inFlightBytes = 0;
  }
}
