package io.xmig.control.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.control.qemu.MigrationLimits.Limits;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MigrationLimitsTest {
  private static final long MS = 1_000_000L;
  private static final long UNLIMITED = MigrationSettings.UNLIMITED;

  private long nowNs = 77_000 * MS;
  private int commands;

  private static MigrationLimits limits(int target, int downtime, long bandwidth) {
    return new MigrationLimits(new MigrationSettings(false, target, downtime, bandwidth));
  }

  /** A second of the same measurements, every 200 ms, all taken by QEMU. */
  private Limits second(MigrationLimits limits, long rate, int pipesLimitMs, long passes) {
    for (int i = 0; i < 6; i++, nowNs += 200 * MS) {
      Optional<Limits> next = limits.next(nowNs, rate, pipesLimitMs, passes);
      next.ifPresent(limits::taken);
      commands += next.isPresent() ? 1 : 0;
    }
    return limits.current();
  }

  @Test
  void nothingIsLimitedBeforeTheRateHasBeenKnownForASecond() {
    MigrationLimits limits = limits(150, 0, 0);
    assertThat(limits.current()).isEqualTo(new Limits(UNLIMITED, 55));
    assertThat(limits.current().isBandwidthLimited()).isFalse();
    for (int i = 0; i < 20; i++, nowNs += 200 * MS) {
      assertThat(limits.next(nowNs, 0, 0, 1)).isEmpty();
    }
    for (int i = 0; i < 5; i++, nowNs += 200 * MS) {
      assertThat(limits.next(nowNs, 1_000_000 << i, 80, 1)).isEmpty();
    }
    assertThat(limits.next(nowNs, 32_000_000, 80, 1)).hasValue(new Limits(40_000_000, 80));
  }

  @ParameterizedTest(name = "{0} B/s: {1}")
  @CsvSource({
    "125000000, 156250000",
    "12500000, 15625000",
    "100000, 1048576", // the least
    "9000000000, 10737418240" // no more than none
  })
  void theBandwidthIsALittleMoreThanThePathCarries(long rate, long expected) {
    assertThat(second(limits(150, 0, 0), rate, 55, 1).maxBandwidth()).isEqualTo(expected);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void aRateThatOnlyWaversCausesOneCommand(long seed) {
    MigrationLimits limits = limits(150, 0, 0);
    Random random = new Random(seed);
    second(limits, 100_000_000, 55, 1);
    for (int i = 0; i < 100; i++) {
      second(limits, (long) (100e6 * (0.85 + 0.3 * random.nextDouble())), 50 + i % 10, 2);
    }
    assertThat(commands).isEqualTo(1);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void theLimitsStayNearWhatIsMeasuredHoweverItChanges(long seed) {
    MigrationLimits limits = limits(150, 0, 0);
    Random random = new Random(seed);
    for (int i = 0; i < 200; i++) {
      long rate = (long) Math.exp(Math.log(2e6) + random.nextDouble() * Math.log(500));
      int pipes = 10 + random.nextInt(200);
      Limits now = second(limits, rate, pipes, 3);
      assertThat((double) now.maxBandwidth()).isBetween(rate * 1.25 / 1.25, rate * 1.25 / 0.79);
      assertThat((double) now.downtimeLimitMs()).isBetween(pipes / 1.21, pipes / 0.79);
    }
  }

  @Test
  void aPathThatBecomesFasterIsNotHeldBack() {
    MigrationLimits limits = limits(150, 0, 0);
    second(limits, 1_000_000, 55, 1);
    long rate = 1_000_000;
    int rounds = 0;
    for (; rate < 100_000_000; rounds++, nowNs += 200 * MS) {
      limits.next(nowNs, rate, 55, 1).ifPresent(limits::taken);
      rate = limits.current().maxBandwidth(); // as fast as it is allowed
    }
    assertThat(rounds).isLessThan(25); // five seconds for a hundredfold
  }

  @ParameterizedTest(name = "{0} B/s, pass {1}: {2} ms")
  @CsvSource({
    "12500000, 10, 60",
    "12500000, 11, 300",
    "125000000, 50, 60", // an idle guest's pages need half of that
    "100000, 11, 2000"
  })
  void aGuestThatDoesNotConvergeGetsTheTimeThatAnIdleOneNeeds(long rate, long pass, int expected) {
    MigrationLimits limits = limits(150, 0, 0);
    second(limits, rate, 60, pass);
    // 55 is near enough to 60
    assertThat(limits.current().downtimeLimitMs()).isEqualTo(expected == 60 ? 55 : expected);
    assertThat(second(limits, rate, 60, 1).downtimeLimitMs())
        .as("and keeps it")
        .isEqualTo(expected == 60 ? 55 : expected);
  }

  @Test
  void whatWasSaidExplicitlyStays() {
    assertThat(second(limits(150, 70, 5_000_000), 125_000_000, 20, 99))
        .isEqualTo(new Limits(5_000_000, 70));
    assertThat(commands).isZero();
    assertThat(second(limits(150, 70, 0), 100_000_000, 20, 99))
        .isEqualTo(new Limits(125_000_000, 70));
    assertThat(second(limits(150, 0, 5_000_000), 12_500_000, 20, 99))
        .isEqualTo(new Limits(5_000_000, 300));
  }

  @Test
  void whatQemuHasNotTakenIsWantedAgain() {
    MigrationLimits limits = limits(150, 0, 0);
    limits.next(nowNs, 100_000_000, 55, 1);
    nowNs += 1000 * MS;
    Optional<Limits> wanted = limits.next(nowNs, 100_000_000, 55, 1);
    assertThat(wanted).isPresent();
    assertThat(limits.next(nowNs + 200 * MS, 100_000_000, 55, 1)).isEqualTo(wanted);
  }

  @Test
  void aPipeThatSaysNothingOfTheDowntimeLeavesItAlone() {
    assertThat(second(limits(250, 0, 0), 12_500_000, 0, 2)).isEqualTo(new Limits(15_625_000, 105));
  }
}
