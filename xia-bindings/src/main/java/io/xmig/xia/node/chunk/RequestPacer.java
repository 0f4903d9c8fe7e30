package io.xmig.xia.node.chunk;

import io.xmig.xia.node.congestion.CongestionControl;

/**
 * Paces the requests of a {@link Flow}: when the next one may leave and how much it asks for, by
 * the rate of the congestion control.
 *
 * @threading the node's loop; time is an argument
 */
final class RequestPacer {
  /** Largest range of one request. */
  static final int MAX_QUANTUM_BYTES = 64 << 10;

  /**
   * A request asks for what the path carries in an eighth of the smallest round trip, within these:
   * each one is work for every node on the way.
   */
  private static final long MIN_QUANTUM_NS = 500_000L;

  private static final long MAX_QUANTUM_NS = 2_000_000L;

  /** How far behind its schedule the pacing may be and catch up in one go. */
  private static final long CREDIT_NS = 2_000_000L;

  /** A request due within this time is sent now. */
  private static final long SLACK_NS = 50_000L;

  private final CongestionControl control;
  private long nextSendNs;

  RequestPacer(CongestionControl control) {
    this.control = control;
  }

  boolean isReady(long now) {
    return now + SLACK_NS >= nextSendNs;
  }

  /** How long until the next request is due. */
  long waitNs(long now) {
    return nextSendNs - now;
  }

  /** The next request may leave at once: what was sent before says nothing any more. */
  void restart(long now) {
    nextSendNs = now;
  }

  /** Nothing is in flight: a pause is no schedule to catch up with. */
  void afterPause(long now) {
    nextSendNs = Math.max(nextSendNs, now);
  }

  /** A request for so many bytes has left. */
  void sent(long now, int bytes) {
    long rate = control.pacingRate();
    if (rate != CongestionControl.UNPACED) {
      nextSendNs = Math.max(nextSendNs, now - CREDIT_NS) + (long) (bytes * 1e9 / rate);
    }
  }

  /** Bytes of one request: a multiple of a segment, so that no segment is cut short. */
  int quantum(long window, int segmentBytes, long minRttNs) {
    long rate = control.pacingRate();
    long time = Math.max(MIN_QUANTUM_NS, Math.min(MAX_QUANTUM_NS, minRttNs / 8));
    long bytes =
        rate == CongestionControl.UNPACED
            ? MAX_QUANTUM_BYTES
            : (long) Math.min(MAX_QUANTUM_BYTES, time / 1e9 * rate);
    bytes = Math.max(2L * segmentBytes, bytes);
    bytes = Math.min(bytes, Math.max(segmentBytes, window / 4));
    bytes = Math.min(bytes, ChunkServer.MAX_RANGE_BYTES);
    return (int) Math.max(segmentBytes, bytes / segmentBytes * segmentBytes);
  }

  /** Bytes of a request that may be one of {@code concurrency} for a round trip. */
  static int firstRange(long window, int segmentBytes, int concurrency) {
    return (int) Math.max(segmentBytes, window / concurrency / segmentBytes * segmentBytes);
  }
}
