package io.xmig.xia.node.congestion;

/**
 * CUBIC with paced sending and an exit from slow start that heeds growing delay (HyStart++).
 *
 * <p>The window grows with the cube of the time since the last reduction, measured from the window
 * at which that loss happened, and at least as fast as an AIMD flow would. Works on bytes, so that
 * acknowledgements may come one by one or aggregated.
 *
 * @source RFC 9438 (CUBIC), sections 4.2 to 4.9; RFC 9406 (HyStart++), section 4
 */
public final class Cubic implements CongestionControl {
  /** Chosen as {@code cubic}. */
  public static final class CubicProvider implements Provider {
    @Override
    public String name() {
      return "cubic";
    }

    @Override
    public CongestionControl create(int segmentBytes, long initialWindowBytes) {
      return new Cubic(segmentBytes, initialWindowBytes);
    }
  }

  /** Multiplicative decrease, RFC 9438 section 4.6. */
  static final double BETA = 0.7;

  /** Aggressiveness in segments per second cubed, RFC 9438 section 5. */
  static final double C = 0.4;

  // HyStart++, RFC 9406 section 4.3
  private static final long MIN_RTT_THRESHOLD_NS = 4_000_000;
  private static final long MAX_RTT_THRESHOLD_NS = 16_000_000;
  private static final int RTT_SAMPLES = 8;
  private static final int CSS_ROUNDS = 5;
  private static final int CSS_GROWTH_DIVISOR = 4;

  private final long initialWindow;
  private int segment;
  private double window; // bytes
  private double threshold = Double.MAX_VALUE;
  private double windowMax; // bytes at the last reduction
  private double epochWindow; // bytes at the beginning of the epoch
  private double aimdWindow; // what an AIMD flow would have
  private double kSeconds;
  private long epochNs = -1;
  private long reactedNs = Long.MIN_VALUE;
  private long smoothedRttNs;

  // state before the last reduction, for an undo
  private double undoWindow;
  private double undoThreshold;
  private double undoWindowMax;

  // rounds of HyStart++
  private long roundEnd;
  private long roundMinRtt = Long.MAX_VALUE;
  private long lastRoundMinRtt = Long.MAX_VALUE;
  private long baselineRtt = Long.MAX_VALUE;
  private int roundSamples;
  private int cssRounds;

  Cubic(int segmentBytes, long initialWindowBytes) {
    this.segment = segmentBytes;
    this.initialWindow = Math.max(initialWindowBytes, 2L * segmentBytes);
    this.window = initialWindow;
  }

  @Override
  public long windowBytes() {
    return Math.max((long) window, 2L * segment);
  }

  @Override
  public long pacingRate() {
    if (smoothedRttNs == 0) {
      return UNPACED;
    }
    double gain = inSlowStart() ? 2.0 : 1.2;
    return Math.max(segment, (long) (window * gain * 1e9 / smoothedRttNs));
  }

  private boolean inSlowStart() {
    return window < threshold;
  }

  @Override
  public void onAck(AckSample sample) {
    if (sample.rttNs >= 0) {
      smoothedRttNs =
          smoothedRttNs == 0 ? Math.max(1, sample.rttNs) : (7 * smoothedRttNs + sample.rttNs) / 8;
    }
    boolean roundOver = sample.priorDeliveredBytes >= roundEnd;
    if (roundOver) {
      roundEnd = sample.deliveredBytes;
    }
    if (sample.ackedBytes <= 0) {
      return;
    }
    boolean limited = sample.priorInFlightBytes + quantum(sample) >= window;
    if (inSlowStart()) {
      watchDelay(sample, roundOver);
      // While the window doubles, what is in flight follows by up to a round trip.
      if (2 * sample.priorInFlightBytes >= window && inSlowStart()) {
        window += (double) sample.ackedBytes / (cssRounds > 0 ? CSS_GROWTH_DIVISOR : 1);
      }
      return;
    }
    if (!limited) {
      if (epochNs >= 0) {
        epochNs = -1; // time without use of the window does not count, RFC 9438 section 5.8
      }
      return;
    }
    grow(sample);
  }

  /** What may be missing to a full window although the window is what holds the sender back. */
  private long quantum(AckSample sample) {
    return Math.max(2L * segment + sample.ackedBytes, (long) (window / 4));
  }

  private void grow(AckSample sample) {
    if (epochNs < 0) {
      epochNs = sample.nowNs;
      epochWindow = window;
      aimdWindow = window;
      if (window < windowMax) {
        kSeconds = Math.cbrt((windowMax - window) / segment / C);
      } else {
        kSeconds = 0;
        windowMax = window;
      }
    }
    double seconds = (sample.nowNs - epochNs) / 1e9;
    double cubicNow = cubic(seconds);
    // AIMD-friendly region, RFC 9438 section 4.3
    double alpha = aimdWindow < windowMax ? 3 * (1 - BETA) / (1 + BETA) : 1;
    aimdWindow += alpha * sample.ackedBytes / window * segment;
    if (cubicNow < aimdWindow) {
      window = Math.max(window, aimdWindow);
      return;
    }
    double target = cubic(seconds + smoothedRttNs / 1e9);
    target = Math.min(Math.max(target, window), 1.5 * window);
    window += (target - window) / window * sample.ackedBytes;
  }

  private double cubic(double seconds) {
    double t = seconds - kSeconds;
    return Math.max(epochWindow, C * t * t * t * segment + windowMax);
  }

  private void watchDelay(AckSample sample, boolean roundOver) {
    if (roundOver) {
      if (cssRounds > 0 && ++cssRounds > CSS_ROUNDS) {
        threshold = window;
        cssRounds = 0;
        return;
      }
      lastRoundMinRtt = roundMinRtt;
      roundMinRtt = Long.MAX_VALUE;
      roundSamples = 0;
    }
    if (sample.rttNs < 0) {
      return;
    }
    roundMinRtt = Math.min(roundMinRtt, sample.rttNs);
    roundSamples++;
    if (roundSamples < RTT_SAMPLES || lastRoundMinRtt == Long.MAX_VALUE) {
      return;
    }
    if (cssRounds == 0) {
      long eta =
          Math.max(MIN_RTT_THRESHOLD_NS, Math.min(lastRoundMinRtt / 8, MAX_RTT_THRESHOLD_NS));
      if (roundMinRtt >= lastRoundMinRtt + eta) {
        baselineRtt = roundMinRtt;
        cssRounds = 1;
      }
    } else if (roundMinRtt < baselineRtt) {
      baselineRtt = Long.MAX_VALUE;
      cssRounds = 0; // the growth of delay was passing: slow start goes on
    }
  }

  @Override
  public void onLoss(long nowNs, long lostBytes, long inFlightBytes, long newestSentNs) {
    if (newestSentNs <= reactedNs) {
      return;
    }
    reduce(nowNs);
    window = threshold;
  }

  private void reduce(long nowNs) {
    undoWindow = window;
    undoThreshold = threshold;
    undoWindowMax = windowMax;
    reactedNs = nowNs;
    // fast convergence, RFC 9438 section 4.7
    windowMax = window < windowMax ? window * (1 + BETA) / 2 : window;
    threshold = Math.max(window * BETA, 2.0 * segment);
    epochNs = -1;
    cssRounds = 0;
  }

  @Override
  public void onTimeout(long nowNs) {
    reduce(nowNs);
    window = 2.0 * segment;
  }

  @Override
  public void onSpuriousLoss(long nowNs) {
    if (undoWindow > window) {
      window = undoWindow;
      threshold = undoThreshold;
      windowMax = undoWindowMax;
      epochNs = -1;
      undoWindow = 0;
    }
  }

  @Override
  public void onPathChange(long nowNs) {
    window = Math.max(initialWindow, window / 2);
    threshold = Double.MAX_VALUE;
    windowMax = 0;
    epochNs = -1;
    smoothedRttNs = 0;
    reactedNs = nowNs;
    lastRoundMinRtt = Long.MAX_VALUE;
    roundMinRtt = Long.MAX_VALUE;
    roundSamples = 0;
    cssRounds = 0;
    undoWindow = 0;
  }

  @Override
  public void onSegmentSize(int segmentBytes) {
    segment = segmentBytes;
    window = Math.max(window, 2.0 * segment);
  }
}
