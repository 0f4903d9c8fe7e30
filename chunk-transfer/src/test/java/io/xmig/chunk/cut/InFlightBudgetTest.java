package io.xmig.chunk.cut;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InFlightBudgetTest {
  private static final long MS = 1_000_000L;
  private static final int CHUNK = 64 * 1024;
  private static final long MEMORY = 64 << 20;

  private static InFlightBudget budget(long targetMs, long limitMs) {
    return new InFlightBudget(0, targetMs * MS, limitMs * MS, MEMORY);
  }

  /** Acknowledges at a steady rate for a second, with the budget always used up. */
  private static void feed(InFlightBudget budget, double bytesPerSecond) {
    for (int ms = 0; ms <= 1000; ms += 5) {
      budget.rate().onBudgetLimited();
      budget.rate().onAcknowledged(ms * MS, (long) (bytesPerSecond * ms / 1000), 0);
    }
  }

  @ParameterizedTest(name = "T {0} ms, D {1} ms, {2} B/s: {3}")
  @CsvSource({
    "200, 50, 125000000, 13618928", // 13.7 MB at 1 Gbit/s less the pipes
    "200, 50, 12500000, 1243928",
    "100, 30, 125000000, 3618928",
    "100, 30, 12500000, 243928"
  })
  void isWhatDrainsWithinTheOutageTarget(long t, long d, double rate, long expected) {
    InFlightBudget budget = budget(t, d);
    budget.onRtt(MS);
    feed(budget, rate);
    assertThat(budget.limitBytes(CHUNK)).isEqualTo(expected);
  }

  @Test
  void isNeverLessThanFillsThePathTwiceAndAChunk() {
    InFlightBudget budget = budget(100, 80);
    budget.onRtt(100 * MS);
    feed(budget, 10e6);
    assertThat(budget.limitBytes(CHUNK)).isEqualTo(2_000_000 + CHUNK);
  }

  @Test
  void staysWithinMemoryAndWhatThePeerTakes() {
    InFlightBudget budget = budget(1000, 0);
    feed(budget, 10e9);
    assertThat(budget.limitBytes(CHUNK)).isEqualTo(MEMORY);
    budget.capAt(5_000_000);
    assertThat(budget.limitBytes(CHUNK)).isEqualTo(5_000_000);
    assertThat(new InFlightBudget(777, 0, 0, MEMORY).limitBytes(CHUNK)).isEqualTo(777);
  }

  @Test
  void aSlowInputSaysNothingAboutThePathButASlowPathDoes() {
    DeliveryRate rate = new DeliveryRate();
    long bytes = 0;
    long now = 0;
    for (; now < 500 * MS; now += 10 * MS) {
      rate.onAcknowledged(now, bytes += 1_000_000, 0);
    }
    assertThat(rate.bytesPerSecond()).isBetween(99e6, 101e6);
    for (; now < 1500 * MS; now += 10 * MS) {
      rate.onAcknowledged(now, bytes += 10_000, 0); // the input gave no more
    }
    assertThat(rate.bytesPerSecond()).isGreaterThan(99e6);
    for (; now < 4500 * MS; now += 10 * MS) {
      rate.onBudgetLimited();
      rate.onAcknowledged(now, bytes += 10_000, 0);
    }
    assertThat(rate.bytesPerSecond()).isBetween(0.99e6, 1.5e6);
  }

  @Test
  void chunksAreFiveMillisecondsOfThePathAnEighthOfTheBudgetAndOfFewSizes() {
    ChunkSizing sizing = ChunkSizing.forStack(4 << 20);
    assertThat(sizing.targetBytes(0, 1 << 20)).isEqualTo(64 * 1024);
    assertThat(sizing.targetBytes(12.5e6, 1 << 20)).isEqualTo(64 * 1024);
    assertThat(sizing.targetBytes(60e6, 16 << 20)).isEqualTo(256 * 1024);
    assertThat(sizing.targetBytes(1e9, 16 << 20)).isEqualTo(512 * 1024);
    assertThat(sizing.targetBytes(1e9, 1 << 20)).isEqualTo(128 * 1024);
    assertThat(ChunkSizing.forStack(15_600).targetBytes(1e9, 16 << 20)).isEqualTo(15_600);
  }
}
