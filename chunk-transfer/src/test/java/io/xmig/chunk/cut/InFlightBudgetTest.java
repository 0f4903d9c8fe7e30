package io.xmig.chunk.cut;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
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

  private static final int PIECE = 50_000;

  /** A path of this rate whose way takes {@code loopMs}, always as full as the budget allows. */
  private static long settle(InFlightBudget budget, double bytesPerSecond, long loopMs) {
    ArrayDeque<long[]> out = new ArrayDeque<>(); // end, when acknowledged
    long now = 0;
    long cut = 0;
    long acknowledged = 0;
    double free = 0;
    for (; now < 10_000 * MS; now += MS / 4) {
      while (!out.isEmpty() && out.getFirst()[1] <= now) {
        acknowledged = out.removeFirst()[0];
        budget.rate().onAcknowledged(now, acknowledged);
      }
      while (cut - acknowledged + PIECE <= budget.limitBytes(now, CHUNK)) {
        cut += PIECE;
        budget.rate().onCut(now, cut);
        free = Math.max(free, now) + PIECE * 1e9 / bytesPerSecond;
        out.add(new long[] {cut, (long) free + loopMs * MS});
      }
      budget.rate().onBudgetLimited();
    }
    assertThat(budget.rate().bytesPerSecond())
        .isBetween(bytesPerSecond * 0.97, bytesPerSecond * 1.03);
    return budget.limitBytes(now, CHUNK);
  }

  @ParameterizedTest(name = "T {0} ms, D {1} ms, {2} B/s: {3}")
  @CsvSource({
    "200, 50, 125000000, 13618928", // 13.7 MB at 1 Gbit/s less the pipes
    "200, 50, 12500000, 1243928",
    "100, 30, 125000000, 3618928",
    "100, 30, 12500000, 243928"
  })
  void isWhatDrainsWithinTheOutageTarget(long t, long d, double rate, long expected) {
    assertThat(settle(budget(t, d), rate, 1)).isBetween(expected * 95 / 100, expected * 105 / 100);
  }

  @ParameterizedTest(name = "T {0} ms, {1} B/s, {2} ms: D {3} ms")
  @CsvSource({
    "150, 125000000, 1, 55", // half of what the restart leaves
    "250, 125000000, 1, 105",
    "150, 50000000, 1, 75", // 3.75 MB
    "150, 12500000, 1, 84", // as much of the 300 ms as the bytes in flight leave
    "150, 12500000, 20, 45",
    "500, 12500000, 20, 300",
    "100, 12500000, 100, 10" // impossible
  })
  void theDowntimeLimitThatIsDerivedAndWhatIsInFlightFitTheTarget(
      long t, double rate, long loopMs, long expected) {
    InFlightBudget budget = budget(t, 0);
    long bytes = settle(budget, rate, loopMs);
    double limitMs = budget.downtimeLimitNs(10_000 * MS, CHUNK) / 1e6;
    assertThat(limitMs).isBetween(expected * 0.9, expected * 1.1);
    if (expected > 10) {
      double drainMs = (bytes + InFlightBudget.PIPES_BYTES) * 1e3 / budget.rate().bytesPerSecond();
      assertThat(40 + limitMs + drainMs).isLessThanOrEqualTo(t * 1.01);
    }
  }

  @Test
  void beforeAnythingIsMeasuredTheDowntimeLimitIsHalfOfWhatTheRestartLeaves() {
    assertThat(budget(150, 0).downtimeLimitNs(0, CHUNK)).isEqualTo(55 * MS);
    assertThat(budget(30, 0).downtimeLimitNs(0, CHUNK)).isEqualTo(10 * MS);
    assertThat(budget(20_000, 0).downtimeLimitNs(0, CHUNK)).isEqualTo(2000 * MS);
    assertThat(budget(150, 70).downtimeLimitNs(0, CHUNK)).isEqualTo(70 * MS);
  }

  @ParameterizedTest(name = "{0} B/s: {1} ms")
  @CsvSource({"125000000, 30", "12500000, 300", "1000000, 2000", "10000000000, 10"})
  void anIdleGuestNeedsTimeForItsPagesOnASlowPath(double rate, long expected) {
    assertThat(DowntimeLimit.forIdleGuest(rate)).isEqualTo(expected * MS);
  }

  @ParameterizedTest(name = "{0} B/s, {1} ms")
  @CsvSource({"10000000, 100", "125000000, 40", "1000000, 300", "400000000, 5"})
  void fillsALongPathAndIsNoMoreThanThatTwiceAndAChunk(double rate, long loopMs) {
    long path = (long) (rate * loopMs / 1000) + PIECE;
    assertThat(settle(budget(100, 80), rate, loopMs))
        .isBetween(2 * path, 2 * path * 11 / 10 + CHUNK);
  }

  @Test
  void staysWithinMemoryAndWhatThePeerTakes() {
    InFlightBudget budget = budget(1000, 0);
    budget.rate().onCut(0, 100_000_000);
    budget.rate().onAcknowledged(MS, 100_000_000);
    assertThat(budget.limitBytes(MS, CHUNK)).isEqualTo(MEMORY);
    budget.capAt(5_000_000);
    assertThat(budget.limitBytes(MS, CHUNK)).isEqualTo(5_000_000);
    assertThat(new InFlightBudget(777, 0, 0, MEMORY).limitBytes(0, CHUNK)).isEqualTo(777);
  }

  @Test
  void aSlowInputSaysNothingAboutThePathButASlowPathDoes() {
    DeliveryRate rate = new DeliveryRate();
    long now = steadily(rate, 0, 500, 1_000_000, true);
    assertThat(rate.bytesPerSecond()).isBetween(99e6, 101e6);
    now = steadily(rate, now, 10_000, 10_000, false); // the input gave no more
    assertThat(rate.bytesPerSecond()).isGreaterThan(99e6);
    steadily(rate, now, 10_000, 10_000, true);
    assertThat(rate.bytesPerSecond()).isBetween(0.99e6, 1.01e6);
  }

  private long position;

  @Test
  void acknowledgementsInLumpsAreNoFasterPath() {
    DeliveryRate rate = new DeliveryRate();
    long end = 0;
    long arrived = 0;
    for (long ms = 0; ms < 6000; ms += 4) {
      rate.onCut(ms * MS, end += PIECE); // 12.5 MB/s
      if (ms % 300 == 0) {
        rate.onAcknowledged(ms * MS + MS, arrived); // one chunk was late, all others are here
      }
      arrived = end;
    }
    assertThat(rate.bytesPerSecond()).isBetween(12.0e6, 13.0e6);
  }

  /** A piece every 10 ms, acknowledged 10 ms later. */
  private long steadily(DeliveryRate rate, long fromNs, long ms, int piece, boolean limited) {
    long now = fromNs;
    for (; now < fromNs + ms * MS; now += 10 * MS) {
      rate.onAcknowledged(now, position);
      if (limited) {
        rate.onBudgetLimited();
      }
      rate.onCut(now, position += piece);
    }
    return now;
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
