package io.xmig.xia.node.congestion;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RttEstimatorTest {
  private static final long MS = 1_000_000L;

  private final RttEstimator rtt = new RttEstimator();
  private long now;

  private long sample(long rttNs) {
    now += MS;
    return rtt.sample(now, rttNs);
  }

  private void samples(int count, long rttNs) {
    for (int i = 0; i < count; i++) {
      assertThat(sample(rttNs)).isEqualTo(rttNs);
    }
  }

  @Test
  void oneFarBelowAllOthersIsNotTaken() {
    samples(100, 20 * MS);
    assertThat(sample(63_000)).isNegative();
    assertThat(rtt.minNs()).isEqualTo(20 * MS);
    assertThat(rtt.smoothedNs()).isEqualTo(20 * MS);
    samples(100, 20 * MS);
    assertThat(sample(63_000)).as("long after the other one").isNegative();
    assertThat(rtt.minNs()).isEqualTo(20 * MS);
  }

  @Test
  void aPathThatHasBecomeShorterIsBelievedWhenItSaysSoAgain() {
    samples(100, 20 * MS);
    assertThat(sample(2 * MS)).isNegative();
    assertThat(sample(2 * MS)).isEqualTo(2 * MS);
    assertThat(rtt.minNs()).isEqualTo(2 * MS);
  }

  @Test
  void whatIsALittleShorterIsTakenAtOnce() {
    samples(10, 20 * MS);
    assertThat(sample(11 * MS)).isEqualTo(11 * MS);
    assertThat(rtt.minNs()).isEqualTo(11 * MS);
  }
}
