package io.xmig.xia.node.congestion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class RenoTest {
  private static final int SEGMENT = 1000;
  private final CongestionControl reno =
      CongestionControl.provider("reno").create(SEGMENT, 10 * SEGMENT);
  private final AckSample sample = new AckSample();

  private void ack(long nowNs, long bytes) {
    sample.clear();
    sample.nowNs = nowNs;
    sample.ackedBytes = bytes;
    sample.rttNs = 10_000_000;
    sample.priorInFlightBytes = reno.windowBytes();
    reno.onAck(sample);
  }

  @Test
  void doublesPerRoundTripUntilTheFirstLossThenGrowsByOneSegment() {
    ack(1, 10 * SEGMENT);
    assertThat(reno.windowBytes()).isEqualTo(20 * SEGMENT);
    reno.onLoss(10, SEGMENT, 19 * SEGMENT, 5);
    assertThat(reno.windowBytes()).isEqualTo(10 * SEGMENT);
    ack(20, 10 * SEGMENT);
    assertThat(reno.windowBytes()).isEqualTo(11 * SEGMENT);
  }

  @Test
  void halvesOnlyOnceForLossesWithinOneRoundTrip() {
    reno.onLoss(10, SEGMENT, 0, 5);
    reno.onLoss(12, SEGMENT, 0, 9);
    assertThat(reno.windowBytes()).isEqualTo(5 * SEGMENT);
    reno.onLoss(30, SEGMENT, 0, 11);
    assertThat(reno.windowBytes()).isEqualTo(2500);
  }

  @Test
  void fallsToTwoSegmentsOnATimeout() {
    reno.onTimeout(10);
    assertThat(reno.windowBytes()).isEqualTo(2 * SEGMENT);
  }

  @Test
  void doesNotGrowWhenTheWindowWasNotUsed() {
    sample.clear();
    sample.ackedBytes = 1000;
    sample.priorInFlightBytes = 1000;
    reno.onAck(sample);
    assertThat(reno.windowBytes()).isEqualTo(10 * SEGMENT);
  }

  @Test
  void anUnknownNameListsTheKnownOnes() {
    assertThatThrownBy(() -> CongestionControl.provider("vegas"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("vegas")
        .hasMessageContaining("reno");
  }
}
