package io.xmig.xia.node.congestion;

/**
 * Additive increase, multiplicative decrease: the plainest policy, for comparison and as a
 * yardstick in tests.
 *
 * @source RFC 5681 section 3.1; RFC 3465 (appropriate byte counting)
 */
public final class Reno implements CongestionControl {
  /** Chosen as {@code reno}. */
  public static final class RenoProvider implements Provider {
    @Override
    public String name() {
      return "reno";
    }

    @Override
    public CongestionControl create(int segmentBytes, long initialWindowBytes) {
      return new Reno(segmentBytes, initialWindowBytes);
    }
  }

  private final long initialWindow;
  private int segment;
  private long window;
  private long threshold = Long.MAX_VALUE;
  private long ackedInAvoidance;
  private long reactedNs = Long.MIN_VALUE;
  private long smoothedRttNs;

  Reno(int segmentBytes, long initialWindowBytes) {
    this.segment = segmentBytes;
    this.initialWindow = Math.max(initialWindowBytes, 2L * segmentBytes);
    this.window = initialWindow;
  }

  @Override
  public long windowBytes() {
    return window;
  }

  @Override
  public long pacingRate() {
    if (smoothedRttNs == 0) {
      return UNPACED;
    }
    // Twice the window per round trip while it may double, else a fifth above it, as Linux does.
    long gainPercent = window < threshold ? 200 : 120;
    return Math.max(segment, (long) ((double) window * gainPercent / 100 * 1e9 / smoothedRttNs));
  }

  @Override
  public void onAck(AckSample sample) {
    if (sample.rttNs >= 0) {
      smoothedRttNs =
          smoothedRttNs == 0 ? Math.max(1, sample.rttNs) : (7 * smoothedRttNs + sample.rttNs) / 8;
    }
    if (sample.priorInFlightBytes + 2L * segment < window) {
      return; // the window was not what held the sender back
    }
    if (window < threshold) {
      window += sample.ackedBytes;
      return;
    }
    ackedInAvoidance += sample.ackedBytes;
    if (ackedInAvoidance >= window) {
      ackedInAvoidance -= window;
      window += segment;
    }
  }

  @Override
  public void onLoss(long nowNs, long lostBytes, long inFlightBytes, long newestSentNs) {
    if (newestSentNs <= reactedNs) {
      return;
    }
    reactedNs = nowNs;
    threshold = Math.max(window / 2, 2L * segment);
    window = threshold;
    ackedInAvoidance = 0;
  }

  @Override
  public void onTimeout(long nowNs) {
    threshold = Math.max(window / 2, 2L * segment);
    window = 2L * segment;
    reactedNs = nowNs;
    ackedInAvoidance = 0;
  }

  @Override
  public void onPathChange(long nowNs) {
    threshold = Long.MAX_VALUE;
    window = Math.max(initialWindow, window / 2);
    smoothedRttNs = 0;
    reactedNs = nowNs;
  }

  @Override
  public void onSegmentSize(int segmentBytes) {
    segment = segmentBytes;
    window = Math.max(window, 2L * segment);
  }
}
