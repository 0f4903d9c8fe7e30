package io.xmig.xia.node.congestion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class BbrTest {
  private static final int SEGMENT = 1000;
  private static final long MS = 1_000_000L;
  private static final long RATE = 10_000_000; // bytes per second of the path
  private static final long RTT = 20 * MS;
  private static final long BDP = RATE * RTT / 1_000_000_000L;

  private final Bbr bbr = new Bbr(SEGMENT, 10 * SEGMENT);
  private final AckSample sample = new AckSample();
  private long now;
  private long delivered;
  private long inFlight;
  private double lossRate;
  private long lossWhenAbove = Long.MAX_VALUE;
  private final boolean[] lossy = new boolean[(int) (RTT / MS)]; // what left in the last round trip
  private long lossCount;
  private long largestWindow;

  /**
   * A path with a queue for everything: in each step of a millisecond what the path carries is
   * acknowledged, and what window and pacing allow is sent.
   */
  private void run(long ms) {
    for (long i = 0; i < ms; i++) {
      now += MS;
      long out = Math.min(inFlight, RATE / 1000);
      long queue = Math.max(0, inFlight - BDP);
      long rtt = RTT + queue * 1_000_000_000L / RATE;
      // A flow that does not fill the path gets back what it sent one round trip ago.
      long acked = inFlight >= BDP ? out : Math.min(out, Math.max(SEGMENT, inFlight * MS / RTT));
      int slot = (int) (now / MS % lossy.length);
      boolean flooded = lossy[slot];
      lossy[slot] = inFlight > lossWhenAbove; // heard of a round trip later
      if (acked > 0) {
        long prior = inFlight;
        long lost = (long) (acked * (flooded ? 0.1 : lossRate));
        inFlight -= acked;
        delivered += acked - lost;
        if (lost > 0) {
          lossCount += lost;
          bbr.onLoss(now, lost, inFlight, now - rtt);
        }
        sample.clear();
        sample.nowNs = now;
        sample.ackedBytes = acked - lost;
        sample.lostBytes = lost;
        sample.rttNs = rtt;
        sample.deliveryRate = acked * 1000;
        sample.deliveredBytes = delivered;
        sample.priorDeliveredBytes = Math.max(0, delivered - prior);
        sample.priorInFlightBytes = prior;
        sample.inFlightBytes = inFlight;
        bbr.onAck(sample);
      }
      long paced =
          bbr.pacingRate() == CongestionControl.UNPACED
              ? Long.MAX_VALUE
              : Math.max(SEGMENT, bbr.pacingRate() / 1000);
      long sent = Math.max(0, Math.min(bbr.windowBytes() - inFlight, paced));
      inFlight += sent;
      largestWindow = Math.max(largestWindow, bbr.windowBytes());
      if (sent > 0) {
        bbr.onSent(now, (int) sent, inFlight);
      }
    }
  }

  @Test
  void findsTheRateAndKeepsAboutOneBandwidthDelayProductInFlight() {
    run(2000);
    assertThat((double) bbr.pacingRate()).isCloseTo(RATE, within(RATE * 0.3));
    assertThat(bbr.windowBytes()).isBetween(BDP, 2 * BDP);
    assertThat(largestWindow).as("in startup").isGreaterThan(BDP).isLessThan(6 * BDP);
  }

  /** Of what was sent last the round trip is a millisecond. */
  private void acknowledge(long acked, long rate, long priorDelivered, long priorInFlight) {
    sample.clear();
    sample.nowNs = now;
    sample.ackedBytes = acked;
    sample.rttNs = MS;
    sample.deliveryRate = rate;
    sample.deliveredBytes = delivered;
    sample.priorDeliveredBytes = priorDelivered;
    sample.priorInFlightBytes = priorInFlight;
    sample.inFlightBytes = inFlight;
    bbr.onAck(sample);
  }

  /** A path of a millisecond whose ends get a processor every {@code waitMs} only. */
  private long deliveredInLumps(int waitMs, int ms) {
    long before = delivered;
    for (int i = 1; i <= ms; i++) {
      now += MS;
      if (i % waitMs == 0 && inFlight > 0) {
        long prior = inFlight;
        long acked = Math.min(inFlight, RATE * waitMs / 1000);
        inFlight -= acked;
        delivered += acked;
        acknowledge(acked, acked * 1000 / waitMs, delivered - acked, prior);
      }
      long paced =
          bbr.pacingRate() == CongestionControl.UNPACED
              ? Long.MAX_VALUE
              : Math.max(SEGMENT, bbr.pacingRate() / 1000);
      long sent = Math.max(0, Math.min(bbr.windowBytes() - inFlight, paced));
      inFlight += sent;
      if (sent > 0) {
        bbr.onSent(now, (int) sent, inFlight);
      }
    }
    return delivered - before;
  }

  @Test
  void whoWaitsForAProcessorStillFillsThePath() {
    deliveredInLumps(6, 6000);
    assertThat(deliveredInLumps(6, 6000)).isGreaterThan(RATE * 6 * 8 / 10);
  }

  /** The same path, whose near end is kept from running for {@code pauseMs} out of 40 ms. */
  private long deliveredBetweenPauses(int pauseMs, int ms) {
    long before = delivered;
    long onTheWay = inFlight;
    long here = 0; // in the kernel, until the process runs
    for (int i = 1; i <= ms; i++) {
      now += MS;
      long arrived = Math.min(onTheWay, RATE / 1000);
      onTheWay -= arrived;
      here += arrived;
      if (i % 40 < pauseMs) {
        continue;
      }
      long prior = inFlight;
      if (here > 0) {
        inFlight -= here;
        delivered += here;
        acknowledge(here, Math.min(RATE, here * 1000), Math.max(0, delivered - prior), prior);
        here = 0;
      }
      long sent = Math.max(0, bbr.windowBytes() - inFlight);
      inFlight += sent;
      onTheWay += sent;
      if (sent > 0) {
        bbr.onSent(now, (int) sent, inFlight);
      }
    }
    return delivered - before;
  }

  @Test
  void aPauseIsAllowedForTwice() {
    deliveredBetweenPauses(4, 6000);
    assertThat(deliveredBetweenPauses(4, 6000)).isGreaterThan(RATE * 6 * 99 / 100);
    assertThat(bbr.windowBytes()).isBetween(9 * RATE / 1000, 11 * RATE / 1000);
  }

  @Test
  void probesForMoreAndDrainsWhatThatLeft() {
    run(2000);
    double low = Double.MAX_VALUE;
    double high = 0;
    for (int i = 0; i < 400; i++) {
      run(1);
      low = Math.min(low, bbr.pacingRate());
      high = Math.max(high, bbr.pacingRate());
    }
    assertThat(high / low).isCloseTo(1.25 / 0.75, within(0.1));
  }

  @Test
  void randomLossOfOnePercentDoesNotSlowItDown() {
    lossRate = 0.01;
    run(5000);
    assertThat((double) bbr.pacingRate()).isGreaterThan(RATE * 0.7);
    assertThat(bbr.windowBytes()).isGreaterThan(BDP);
    assertThat(lossCount).isPositive();
  }

  @Test
  void lossThatItCausesBoundsTheWindow() {
    run(2000);
    lossWhenAbove = BDP * 9 / 10; // a buffer that is as good as none
    run(1000);
    long lostBefore = lossCount;
    long deliveredBefore = delivered;
    long windows = 0;
    for (int i = 0; i < 2000; i++) {
      run(1);
      windows += bbr.windowBytes();
    }
    assertThat(windows / 2000).isLessThan(BDP * 11 / 10);
    assertThat((double) (lossCount - lostBefore) / (delivered - deliveredBefore)).isLessThan(0.06);
    assertThat((double) bbr.pacingRate()).isGreaterThan(RATE * 0.5);
    lossWhenAbove = Long.MAX_VALUE;
    run(4000);
    assertThat(bbr.windowBytes()).isGreaterThan(BDP);
  }

  @Test
  void lossThatItDoesNotCauseIsEndured() {
    run(2000);
    lossRate = 0.1;
    run(8000);
    assertThat((double) bbr.pacingRate()).isGreaterThan(RATE * 0.6);
    assertThat(bbr.windowBytes()).isGreaterThan(BDP);
  }

  @Test
  void startsAgainFromTheInitialWindowOnAnotherPath() {
    run(2000);
    bbr.onPathChange(now);
    assertThat(bbr.windowBytes()).isEqualTo(10 * SEGMENT);
    assertThat(bbr.pacingRate()).isEqualTo(CongestionControl.UNPACED);
    inFlight = 0;
    run(2000);
    assertThat((double) bbr.pacingRate()).isCloseTo(RATE, within(RATE * 0.3));
  }

  @Test
  void afterATimeoutItRegainsItsWindowWithinRoundTrips() {
    run(2000);
    bbr.onTimeout(now);
    inFlight = 0;
    assertThat(bbr.windowBytes()).isEqualTo(4 * SEGMENT);
    run(300);
    assertThat(bbr.windowBytes()).isGreaterThan(BDP);
  }

  @Test
  void namesChoosePoliciesAndTheirArguments() {
    assertThat(CongestionControl.provider("bbr").create(1000, 10_000)).isInstanceOf(Bbr.class);
    assertThat(CongestionControl.provider("cubic").create(1000, 10_000)).isInstanceOf(Cubic.class);
    assertThat(CongestionControl.provider("fixed:5000").create(1000, 1).windowBytes())
        .isEqualTo(5000);
    org.assertj.core.api.Assertions.assertThatThrownBy(
            () -> CongestionControl.provider("fixed:many"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("many");
  }
}
