package io.xmig.xia.node.congestion;

/**
 * A model of the path instead of a reaction to loss: the highest delivery rate of the last rounds
 * and the lowest round trip give the pacing rate and the window. Random loss of a few percent does
 * not slow it down.
 *
 * <pre>
 *   STARTUP ──rate stops growing, or much loss──▶ DRAIN ──queue empty──▶ PROBE_BW (8 phases:
 *                                                      5/4, 3/4, then six of 1)
 *   any state ──no low round trip for 5 s──▶ PROBE_RTT (half a window, two round trips) ──▶ back
 * </pre>
 *
 * <p>Differences from version 1:
 *
 * <ul>
 *   <li>The window is 1.25 bandwidth-delay products and a fixed allowance. The product is
 *       overestimated while flows compete, which keeps a queue of that proportion; the allowance is
 *       the same for all, so that shares even out in the time it takes to replace estimates.
 *   <li>Loss of more than 2 % over two hundred segments bounds the window, so that shallow buffers
 *       are not flooded, unless it is the path's own ({@link LossCause}).
 *   <li>A probe that found more is followed by another at once.
 *   <li>A round trip close to the lowest one refreshes it, so that a flow which leaves no queue
 *       need not pause to measure; a pause is short and keeps half the window.
 *   <li>Round trips are taken to be half a millisecond at least, and data acknowledged in lumps are
 *       allowed for: between processes of one machine the scheduler is most of the path.
 * </ul>
 *
 * @source draft-cardwell-iccrg-bbr-congestion-control-00 (version 1) and -02 (loss bound, extra
 *     acknowledged)
 */
public final class Bbr implements CongestionControl {
  /** Chosen as {@code bbr}. */
  public static final class BbrProvider implements Provider {
    @Override
    public String name() {
      return "bbr";
    }

    @Override
    public CongestionControl create(int segmentBytes, long initialWindowBytes) {
      return new Bbr(segmentBytes, initialWindowBytes);
    }
  }

  private enum State {
    STARTUP,
    DRAIN,
    PROBE_BW,
    PROBE_RTT
  }

  /** 2/ln 2: doubles the rate each round. */
  private static final double STARTUP_GAIN = 2.89;

  private static final double[] PROBE_GAINS = {1.25, 0.75, 1, 1, 1, 1, 1, 1};
  private static final double WINDOW_GAIN = 1.25;
  private static final long ALLOWANCE_SEGMENTS = 6;
  private static final int BANDWIDTH_ROUNDS = 10;
  private static final long MIN_RTT_WINDOW_NS = 5_000_000_000L;
  private static final long PROBE_RTT_NS = 10_000_000L;

  /** Round trips below this are mostly scheduling of processes; the window is made for this. */
  private static final long SHORTEST_RTT_NS = 500_000L;

  /** A round trip within 1/16 of the lowest shows that there is no queue. */
  private static final int RTT_TOLERANCE_SHIFT = 4;

  private static final double LOSS_THRESHOLD = 0.02;
  private static final int LOSS_SAMPLE_SEGMENTS = 200;

  /** What loss leaves of the window. */
  private static final double LOSS_REDUCTION = 0.85;

  private static final long LOSS_TOLERANCE_NS = 5_000_000_000L;
  private static final long LONGEST_LOSS_TOLERANCE_NS = 80_000_000_000L;

  /**
   * Data acknowledged in lumps count for at most this long and a quarter of the round trip: what a
   * process waits for a processor that several others want, twice.
   */
  private static final long EXTRA_LIMIT_NS = 8_000_000L;

  /**
   * What they count. A lump is at most the window, less what the rate would have brought while
   * nothing came: it looks smaller than the pause was, the more so the smaller the window is.
   */
  private static final long EXTRA_GAIN = 2;

  /** Shorter round trips are the clock's granularity. */
  private static final long SMALLEST_SAMPLE_NS = 20_000L;

  private final long initialWindow;
  private int segment;
  private State state = State.STARTUP;
  private double pacingGain = STARTUP_GAIN;
  private long window;
  private long pacingRate;

  private final long[] bandwidth = new long[BANDWIDTH_ROUNDS]; // best of each round
  private long maxBandwidth;
  private long round;
  private long roundEnd;

  private long minRttNs = Long.MAX_VALUE;
  private long minRttSeenNs;
  private long probeRttEndNs = -1;
  private long probeRttRound;
  private long windowBeforeProbe;

  private long fullBandwidth;
  private int fullRounds;
  private boolean pipeFull;
  private long grownBandwidth;
  private long grownRound;

  private int phase;
  private long bandwidthAtProbe;
  private long phaseStartNs;
  private boolean lossInPhase;

  private long inFlightBound = Long.MAX_VALUE; // from loss
  private double lossThreshold = LOSS_THRESHOLD;
  private long lossTolerantUntilNs;
  private final LossCause lossCause = new LossCause();
  private long lossToleranceNs = LOSS_TOLERANCE_NS;
  private long lossSampleLost;
  private long lossSampleDelivered;

  private long epochStartNs = -1; // of the measurement of aggregation
  private long epochAcked;
  private final long[] extraAcked = new long[2]; // best of this and the last ten rounds
  private long extraRound;

  Bbr(int segmentBytes, long initialWindowBytes) {
    this.segment = segmentBytes;
    this.initialWindow = Math.max(initialWindowBytes, 4L * segmentBytes);
    this.window = initialWindow;
    this.pacingRate = UNPACED;
  }

  @Override
  public long windowBytes() {
    return Math.max(window, 4L * segment);
  }

  @Override
  public long pacingRate() {
    return pacingRate;
  }

  @Override
  public void onSent(long nowNs, int bytes, long inFlightBytes) {
    if (inFlightBytes <= bytes) {
      // After a pause nothing says that the round trip has grown: no reason to stop and measure it.
      minRttSeenNs = Math.max(minRttSeenNs, nowNs - MIN_RTT_WINDOW_NS / 2);
      epochStartNs = -1;
    }
  }

  @Override
  public void onAck(AckSample sample) {
    boolean roundStart = sample.priorDeliveredBytes >= roundEnd;
    if (roundStart) {
      roundEnd = sample.deliveredBytes;
      round++;
      bandwidth[(int) (round % BANDWIDTH_ROUNDS)] = 0;
      recomputeBandwidth();
      if (maxBandwidth > grownBandwidth * 5 / 4) {
        grownBandwidth = maxBandwidth;
        grownRound = round;
      }
    }
    if (sample.deliveryRate > 0 && (!sample.appLimited || sample.deliveryRate >= maxBandwidth)) {
      int slot = (int) (round % BANDWIDTH_ROUNDS);
      bandwidth[slot] = Math.max(bandwidth[slot], sample.deliveryRate);
      maxBandwidth = Math.max(maxBandwidth, sample.deliveryRate);
    }
    measureAggregation(sample, roundStart);
    lossSampleDelivered += sample.ackedBytes;
    if (sample.rttNs >= 0) {
      lossCause.roundTrip(sample.rttNs);
    }
    if (roundStart) {
      lossCause.round(sample.priorInFlightBytes);
      judgeLoss(sample);
    }
    checkFullPipe(sample, roundStart);
    checkDrained(sample);
    advancePhase(sample);
    updateMinRtt(sample);
    setPacingRate();
    setWindow(sample);
  }

  private void recomputeBandwidth() {
    long best = 0;
    for (long b : bandwidth) {
      best = Math.max(best, b);
    }
    if (best > 0) {
      maxBandwidth = best;
    }
  }

  private void measureAggregation(AckSample sample, boolean roundStart) {
    if (roundStart && round - extraRound >= BANDWIDTH_ROUNDS) {
      extraRound = round;
      extraAcked[1] = extraAcked[0];
      extraAcked[0] = 0;
    }
    if (maxBandwidth == 0) {
      return;
    }
    double expected = epochStartNs < 0 ? 0 : maxBandwidth * ((sample.nowNs - epochStartNs) / 1e9);
    if (epochStartNs < 0 || epochAcked <= expected) {
      epochStartNs = sample.nowNs;
      epochAcked = 0;
      expected = 0;
    }
    epochAcked += sample.ackedBytes;
    long extra = Math.min((long) (epochAcked - expected), window);
    extraAcked[0] = Math.max(extraAcked[0], extra);
  }

  private void judgeLoss(AckSample sample) {
    long total = lossSampleDelivered + lossSampleLost;
    // Most of it lost: what is in flight is many times what the path takes, and of little is known
    // that it arrived.
    long notLost = lossSampleDelivered + sample.inFlightBytes;
    boolean flooded = lossSampleLost > notLost;
    if (total < (long) LOSS_SAMPLE_SEGMENTS * segment
        && !((flooded || state == State.STARTUP) && lossSampleLost >= 8L * segment)) {
      return;
    }
    if (sample.nowNs - lossTolerantUntilNs > 0) {
      lossThreshold = LOSS_THRESHOLD;
    }
    if (exceeds(lossThreshold, total) && !isGrowing(sample)) {
      lossInPhase = true;
      if (state == State.STARTUP) {
        pipeFull = true;
      }
      if (inFlightBound == Long.MAX_VALUE) {
        lossCause.restart();
      }
      long inFlight = Math.min(inFlightBound, sample.priorInFlightBytes);
      long fits = flooded ? Math.min(inFlight, notLost) : (long) (inFlight * LOSS_REDUCTION);
      inFlightBound = Math.max(fits, bandwidthDelay(0.5, minRttNs));
    } else if (inFlightBound != Long.MAX_VALUE) {
      inFlightBound += Math.max(2L * segment, inFlightBound / 8);
      if (inFlightBound > 2 * windowTarget()) {
        inFlightBound = Long.MAX_VALUE;
      }
    }
    lossCause.sample(lossSampleLost, total);
    if (inFlightBound != Long.MAX_VALUE && lossCause.isKnown()) {
      judgeLossCause(sample.nowNs);
    }
    lossSampleDelivered = 0;
    lossSampleLost = 0;
  }

  /** Whether more than this part of the sample was lost, and not only by chance. */
  private boolean exceeds(double part, long total) {
    double expected = part * total / segment;
    return (double) lossSampleLost / segment > expected + 1.5 * Math.sqrt(expected);
  }

  /**
   * Whether in STARTUP the rate was still found to be higher of late. Whatever is lost then, it is
   * not for want of room. Who has had little to send is given more time to find out.
   */
  private boolean isGrowing(AckSample sample) {
    return state == State.STARTUP && round - grownRound <= (sample.appLimited ? 3 : 1);
  }

  /**
   * If the path loses by itself, holding back serves nobody: that is then borne for a while, twice
   * as long each time it is found out.
   */
  private void judgeLossCause(long nowNs) {
    if (lossCause.isCongestion(minRttNs)) {
      lossToleranceNs = LOSS_TOLERANCE_NS;
    } else {
      lossThreshold = Math.min(0.5, Math.max(LOSS_THRESHOLD, 2 * lossCause.rate()));
      lossTolerantUntilNs = nowNs + lossToleranceNs;
      lossToleranceNs = Math.min(2 * lossToleranceNs, LONGEST_LOSS_TOLERANCE_NS);
      inFlightBound = Long.MAX_VALUE;
    }
    lossCause.restart();
  }

  private void checkFullPipe(AckSample sample, boolean roundStart) {
    if (pipeFull || !roundStart || sample.appLimited) {
      return;
    }
    if (maxBandwidth >= fullBandwidth * 5 / 4) {
      fullBandwidth = maxBandwidth;
      fullRounds = 0;
      return;
    }
    if (++fullRounds >= 3) {
      pipeFull = true;
    }
  }

  private void checkDrained(AckSample sample) {
    if (state == State.STARTUP && pipeFull) {
      state = State.DRAIN;
      pacingGain = 1 / STARTUP_GAIN;
    }
    if (state == State.DRAIN
        && sample.inFlightBytes <= bandwidthDelay(1) + aggregationAllowance()) {
      enterProbeBandwidth(sample.nowNs);
    }
  }

  private void enterProbeBandwidth(long nowNs) {
    state = State.PROBE_BW;
    // Any phase but the draining one; which one differs from flow to flow, so that two flows do not
    // probe in step. The rate measured is as good as chance and needs no source of it.
    phase = (int) (2 + Long.remainderUnsigned(maxBandwidth * 0x9E3779B97F4A7C15L >>> 20, 6));
    phaseStartNs = nowNs;
    pacingGain = PROBE_GAINS[phase];
    bandwidthAtProbe = maxBandwidth;
    lossInPhase = false;
  }

  private void advancePhase(AckSample sample) {
    if (state != State.PROBE_BW) {
      return;
    }
    boolean longEnough = sample.nowNs - phaseStartNs > Math.max(SHORTEST_RTT_NS, minRttNs);
    boolean next;
    if (pacingGain > 1) {
      next =
          longEnough
              && (lossInPhase
                  || sample.priorInFlightBytes >= bandwidthDelay(1.25)
                  || sample.appLimited);
    } else if (pacingGain < 1) {
      next = longEnough || sample.inFlightBytes <= bandwidthDelay(1);
    } else {
      next = longEnough;
    }
    if (next) {
      // What a probe has found there is perhaps more of: the other phases can wait.
      boolean found = phase == 1 && !lossInPhase && maxBandwidth >= bandwidthAtProbe * 6 / 5;
      phase = found ? 0 : (phase + 1) % PROBE_GAINS.length;
      if (phase == 0) {
        bandwidthAtProbe = maxBandwidth;
      }
      phaseStartNs = sample.nowNs;
      pacingGain = PROBE_GAINS[phase];
      lossInPhase = false;
    }
  }

  private void updateMinRtt(AckSample sample) {
    boolean expired = sample.nowNs - minRttSeenNs > MIN_RTT_WINDOW_NS;
    if (sample.rttNs >= 0) {
      if (sample.rttNs <= minRttNs || (expired && state == State.PROBE_RTT)) {
        minRttNs = Math.max(SMALLEST_SAMPLE_NS, sample.rttNs);
        minRttSeenNs = sample.nowNs;
      } else if (sample.rttNs <= minRttNs + (minRttNs >> RTT_TOLERANCE_SHIFT)) {
        minRttSeenNs = sample.nowNs;
      }
    }
    if (expired && state != State.PROBE_RTT && minRttNs != Long.MAX_VALUE) {
      state = State.PROBE_RTT;
      pacingGain = 1;
      windowBeforeProbe = window;
      probeRttEndNs = -1;
      minRttNs = sample.rttNs >= 0 ? Math.max(SMALLEST_SAMPLE_NS, sample.rttNs) : minRttNs;
    }
    if (state == State.PROBE_RTT) {
      if (probeRttEndNs < 0 && sample.inFlightBytes <= probeRttWindow() + 2L * segment) {
        probeRttEndNs = sample.nowNs + Math.max(PROBE_RTT_NS, 2 * minRttNs);
        probeRttRound = round;
      } else if (probeRttEndNs >= 0 && sample.nowNs >= probeRttEndNs && round > probeRttRound) {
        minRttSeenNs = sample.nowNs;
        window = Math.max(window, windowBeforeProbe);
        if (pipeFull) {
          enterProbeBandwidth(sample.nowNs);
        } else {
          state = State.STARTUP;
          pacingGain = STARTUP_GAIN;
        }
      }
    }
  }

  private long probeRttWindow() {
    return Math.max(4L * segment, bandwidthDelay(0.5));
  }

  private void setPacingRate() {
    if (maxBandwidth == 0) {
      return;
    }
    long rate = Math.max(segment, (long) (maxBandwidth * pacingGain));
    if (pipeFull || pacingRate == UNPACED || rate > pacingRate) {
      pacingRate = rate;
    }
  }

  private void setWindow(AckSample sample) {
    long target = windowTarget();
    if (pipeFull) {
      window = Math.min(window + sample.ackedBytes, target);
    } else if (window < target || sample.deliveredBytes < initialWindow) {
      window += sample.ackedBytes;
    }
    window = Math.max(4L * segment, Math.min(window, inFlightBound));
    if (state == State.PROBE_RTT) {
      window = Math.min(window, probeRttWindow());
    }
  }

  private long windowTarget() {
    double gain = state == State.STARTUP || state == State.DRAIN ? STARTUP_GAIN : WINDOW_GAIN;
    return bandwidthDelay(gain) + aggregationAllowance();
  }

  private long aggregationAllowance() {
    long rtt = minRttNs == Long.MAX_VALUE ? 0 : minRttNs;
    long limit = (long) (maxBandwidth * ((EXTRA_LIMIT_NS + rtt / 4) / 1e9));
    long extra = EXTRA_GAIN * Math.max(extraAcked[0], extraAcked[1]);
    return ALLOWANCE_SEGMENTS * segment + Math.min(extra, limit);
  }

  /** Bytes that fill the path {@code gain} times; the initial window while nothing is known. */
  private long bandwidthDelay(double gain) {
    if (maxBandwidth == 0 || minRttNs == Long.MAX_VALUE) {
      return (long) (initialWindow * gain);
    }
    return bandwidthDelay(gain, Math.max(SHORTEST_RTT_NS, minRttNs));
  }

  private long bandwidthDelay(double gain, long rttNs) {
    return (long) (gain * maxBandwidth * (rttNs / 1e9));
  }

  @Override
  public void onLoss(long nowNs, long lostBytes, long inFlightBytes, long newestSentNs) {
    lossSampleLost += lostBytes;
  }

  @Override
  public void onTimeout(long nowNs) {
    window = 4L * segment;
    epochStartNs = -1;
    lossSampleLost = 0;
    lossSampleDelivered = 0;
  }

  @Override
  public void onSpuriousLoss(long nowNs) {
    lossSampleLost = 0;
    window = Math.max(window, Math.min(windowTarget(), inFlightBound));
  }

  /** State, estimates and bounds, for people who look. */
  @Override
  public String toString() {
    return "bbr "
        + state
        + " rate="
        + maxBandwidth
        + " minRttUs="
        + minRttNs / 1000
        + " window="
        + window
        + " bound="
        + (inFlightBound == Long.MAX_VALUE ? "none" : inFlightBound)
        + " extra="
        + Math.max(extraAcked[0], extraAcked[1]);
  }

  @Override
  public void onPathChange(long nowNs) {
    state = State.STARTUP;
    pacingGain = STARTUP_GAIN;
    window = initialWindow;
    pacingRate = UNPACED;
    java.util.Arrays.fill(bandwidth, 0);
    maxBandwidth = 0;
    fullBandwidth = 0;
    fullRounds = 0;
    pipeFull = false;
    grownBandwidth = 0;
    grownRound = round;
    minRttNs = Long.MAX_VALUE;
    minRttSeenNs = nowNs;
    inFlightBound = Long.MAX_VALUE;
    lossSampleLost = 0;
    lossSampleDelivered = 0;
    extraAcked[0] = 0;
    extraAcked[1] = 0;
    epochStartNs = -1;
  }

  @Override
  public void onSegmentSize(int segmentBytes) {
    segment = segmentBytes;
  }
}
