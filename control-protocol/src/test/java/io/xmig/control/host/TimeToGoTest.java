package io.xmig.control.host;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TimeToGoTest {
  private static final long SECOND = 1_000_000_000L;
  private final TimeToGo time = new TimeToGo();

  @Test
  void isToldByHowFastTheRestBecomesLess() {
    assertThat(time.ms(0, 5000)).isZero();
    assertThat(time.ms(SECOND / 4, 4900)).as("too soon").isZero();
    assertThat(time.ms(SECOND, 4500)).isEqualTo(9000);
    assertThat(time.ms(2 * SECOND, 4000)).isEqualTo(8000);
  }

  @Test
  void followsTheLastSeconds() {
    time.ms(0, 10_000_000);
    time.ms(2 * SECOND, 5000);
    assertThat(time.ms(5 * SECOND, 2000)).isEqualTo(2000);
  }

  @Test
  void cannotBeToldWhileNothingBecomesLess() {
    time.ms(0, 5000);
    assertThat(time.ms(SECOND, 5000)).isZero();
    assertThat(time.ms(2 * SECOND, 6000)).as("the guest is faster").isZero();
  }
}
