package io.xmig.xia.node.congestion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class CubicTest {
  private static final int SEGMENT = 1000;
  private static final long RTT = 100_000_000L;

  private final Cubic cubic = new Cubic(SEGMENT, 10 * SEGMENT);
  private final AckSample sample = new AckSample();
  private long now;
  private long delivered;

  /** One round trip in which a whole window is acknowledged. */
  private void round(long rttNs) {
    long window = cubic.windowBytes();
    long before = delivered;
    now += rttNs;
    for (long acked = 0; acked + SEGMENT <= window; acked += SEGMENT) {
      delivered += SEGMENT;
      sample.clear();
      sample.nowNs = now;
      sample.ackedBytes = SEGMENT;
      sample.rttNs = rttNs;
      sample.priorInFlightBytes = cubic.windowBytes();
      sample.inFlightBytes = cubic.windowBytes();
      sample.deliveredBytes = delivered;
      sample.priorDeliveredBytes = before;
      cubic.onAck(sample);
    }
  }

  @Test
  void doublesPerRoundTripInSlowStart() {
    round(RTT);
    assertThat(cubic.windowBytes()).isEqualTo(20 * SEGMENT);
    round(RTT);
    assertThat(cubic.windowBytes()).isEqualTo(40 * SEGMENT);
    assertThat(cubic.pacingRate()).isEqualTo(2 * 40 * SEGMENT * 10L);
  }

  @Test
  void leavesSlowStartWhenDelayGrows() {
    for (int i = 0; i < 5; i++) {
      round(RTT);
    }
    for (int i = 0; i < 8; i++) {
      round(RTT + RTT / 4);
    }
    long window = cubic.windowBytes();
    round(RTT + RTT / 4);
    assertThat(cubic.windowBytes()).isLessThan(window * 11 / 10);
  }

  @Test
  void reducesOncePerRoundTripAndReturnsAlongACubic() {
    for (int i = 0; i < 4; i++) {
      round(RTT);
    }
    long before = cubic.windowBytes(); // 160 segments
    cubic.onLoss(now, SEGMENT, before, now - RTT / 2);
    cubic.onLoss(now + 1, SEGMENT, before, now - RTT / 3);
    assertThat(cubic.windowBytes()).isEqualTo((long) (before * 0.7));
    // K = cbrt(W·(1 − beta)/C) = cbrt(160 · 0.3/0.4) = 4.93 s
    long start = now;
    while (now - start < 4_930_000_000L) {
      round(RTT);
    }
    assertThat(cubic.windowBytes()).isCloseTo(before, within(8L * SEGMENT));
    while (now - start < 8_000_000_000L) {
      round(RTT);
    }
    assertThat(cubic.windowBytes()).isGreaterThan(before + 5 * SEGMENT);
  }

  @Test
  void takesBackAMistakenReduction() {
    round(RTT);
    long before = cubic.windowBytes();
    cubic.onTimeout(now);
    assertThat(cubic.windowBytes()).isEqualTo(2 * SEGMENT);
    cubic.onSpuriousLoss(now);
    assertThat(cubic.windowBytes()).isEqualTo(before);
  }

  @Test
  void aSmallerSecondMaximumGivesWayToNewFlows() {
    for (int i = 0; i < 4; i++) {
      round(RTT);
    }
    cubic.onLoss(now, SEGMENT, 0, now);
    round(RTT);
    long second = cubic.windowBytes();
    now += RTT;
    cubic.onLoss(now, SEGMENT, 0, now);
    long start = now;
    while (now - start < 3_000_000_000L) {
      round(RTT);
    }
    assertThat(cubic.windowBytes()).isLessThan(second);
  }
}
