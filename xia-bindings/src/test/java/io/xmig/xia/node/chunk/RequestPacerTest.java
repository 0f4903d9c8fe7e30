package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.node.congestion.AckSample;
import io.xmig.xia.node.congestion.CongestionControl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestPacerTest {
  private static final int SEGMENT = 1400;
  private static final long WIDE = 1 << 30;
  private static final long MILLISECOND = 1_000_000;

  private record Fixed(long pacingRate) implements CongestionControl {
    @Override
    public long windowBytes() {
      return WIDE;
    }

    @Override
    public void onAck(AckSample sample) {}

    @Override
    public void onLoss(long nowNs, long lostBytes, long inFlightBytes, long newestSentNs) {}

    @Override
    public void onTimeout(long nowNs) {}
  }

  @ParameterizedTest(name = "{0} bytes/s, {1} us: {2} us of it")
  @CsvSource({
    "12500000, 1000, 500", // half a millisecond at least
    "12500000, 8000, 1000", // an eighth of the round trip
    "12500000, 20000, 2000", // two milliseconds at most
    "12500000, 300000, 2000",
    "125000000, 1000, 500",
  })
  void aRequestAsksForAnEighthOfTheRoundTripWithinBounds(long rate, long rttUs, long microseconds) {
    int bytes =
        new RequestPacer(new Fixed(rate)).quantum(WIDE, SEGMENT, rttUs * MILLISECOND / 1000);
    assertThat(bytes % SEGMENT).isZero();
    assertThat(bytes)
        .isBetween(
            (int) (rate * microseconds / 1_000_000) - SEGMENT, RequestPacer.MAX_QUANTUM_BYTES);
    assertThat(bytes).isLessThanOrEqualTo((int) (rate * microseconds / 1_000_000));
  }

  @Test
  void aRequestIsNeverLargerThanItsBoundNorSmallerThanASegment() {
    RequestPacer fast = new RequestPacer(new Fixed(10_000_000_000L));
    assertThat(fast.quantum(WIDE, SEGMENT, 100 * MILLISECOND))
        .isBetween(RequestPacer.MAX_QUANTUM_BYTES - SEGMENT, RequestPacer.MAX_QUANTUM_BYTES);
    RequestPacer slow = new RequestPacer(new Fixed(1000));
    assertThat(slow.quantum(WIDE, SEGMENT, MILLISECOND)).isEqualTo(2 * SEGMENT);
    assertThat(slow.quantum(SEGMENT, SEGMENT, MILLISECOND)).isEqualTo(SEGMENT);
  }

  @Test
  void aPauseIsNoScheduleToCatchUpWith() {
    RequestPacer pacer = new RequestPacer(new Fixed(1_000_000));
    pacer.sent(0, 10_000); // ten milliseconds' worth
    assertThat(pacer.isReady(9 * MILLISECOND)).isFalse();
    assertThat(pacer.isReady(10 * MILLISECOND)).isTrue();
    pacer.afterPause(50 * MILLISECOND);
    pacer.sent(50 * MILLISECOND, 10_000);
    assertThat(pacer.waitNs(50 * MILLISECOND)).isEqualTo(10 * MILLISECOND);
  }

  @Test
  void whoIsBehindCatchesUpTwoMillisecondsAtMost() {
    RequestPacer pacer = new RequestPacer(new Fixed(1_000_000));
    pacer.sent(100 * MILLISECOND, 10_000);
    assertThat(pacer.waitNs(100 * MILLISECOND)).isEqualTo(8 * MILLISECOND);
  }
}
