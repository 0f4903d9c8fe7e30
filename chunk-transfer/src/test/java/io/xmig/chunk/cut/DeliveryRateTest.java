package io.xmig.chunk.cut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeliveryRateTest {
  private static final long MS = 1_000_000L;
  private static final int PIECE = 100_000;
  private static final int WAY_MS = 5;

  private final DeliveryRate rate = new DeliveryRate();
  private long end;

  /** A piece a millisecond in the first {@code busy} of every 100, each acknowledged 5 ms later. */
  private void bursts(int busy, int seconds, boolean budgetUsedUp) {
    long acknowledged = 0;
    for (long ms = 1; ms < seconds * 1000L; ms++) {
      if (ms % 100 >= WAY_MS && ms % 100 < WAY_MS + busy) {
        acknowledged += PIECE;
        rate.onAcknowledged(ms * MS, acknowledged);
        if (budgetUsedUp) {
          rate.onBudgetLimited();
        }
      }
      if (ms % 100 < busy) {
        end += PIECE;
        rate.onCut(ms * MS, end);
      }
    }
  }

  @ParameterizedTest(name = "{0} ms of 100")
  @ValueSource(ints = {10, 20, 40})
  void whatIsDeliveredInBurstsCountsForAtMostTwiceItsMean(int busy) {
    bursts(busy, 5, true);
    double mean = busy * 10.0 * PIECE;
    assertThat(rate.bytesPerSecond()).isBetween(mean, 2.1 * mean);
  }

  @Test
  void anEvenRateIsWhatItIs() {
    bursts(100, 5, true);
    assertThat(rate.bytesPerSecond()).isCloseTo(1000.0 * PIECE, within(50.0 * PIECE));
  }

  @Test
  void anInputThatGivesLittleSaysNothingAboutThePath() {
    bursts(20, 5, false);
    assertThat(rate.bytesPerSecond()).isGreaterThan(3 * 200.0 * PIECE);
  }
}
