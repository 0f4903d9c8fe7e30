package io.xmig.control.pipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.chunk.compress.Compression;
import io.xmig.chunk.testkit.FakeNetwork;
import io.xmig.control.session.Outcome;
import io.xmig.control.session.QemuStreams;
import io.xmig.control.session.v1.Reason;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole transfers on a made-up network. */
class TransferTest {
  private static final String SEEDS = "io.xmig.xia.testkit.Seeds#seeds";

  private static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new SplittableRandom(seed).nextBytes(bytes);
    return bytes;
  }

  private static void assertDelivered(Migration m, byte[] stream) {
    assertThat(m.run()).as("hang: %s", m.events).isTrue();
    assertThat(m.received).as("%s", m.events).isNotNull();
    assertThat(m.received.message()).isEqualTo("delivered and verified");
    assertThat(m.sent.message()).isEqualTo("delivered and verified");
    assertThat(m.output.bytes()).isEqualTo(stream);
    assertThat(m.output.isClosed()).isTrue();
    assertThat(m.source.cachedChunks()).isZero();
  }

  @Test
  void deliversWhatWasSent() {
    byte[] stream = random(5_000_000, 1);
    assertDelivered(
        new Migration(new FakeNetwork(1), stream, new Migration.Setting()).start(), stream);
  }

  @Test
  void deliversAStreamOfOneByte() {
    byte[] stream = {42};
    assertDelivered(
        new Migration(new FakeNetwork(1), stream, new Migration.Setting()).start(), stream);
  }

  @Test
  void sharesChunksOfEqualContent() {
    byte[] stream = new byte[3_000_000];
    Migration.Setting setting = new Migration.Setting();
    setting.chunkBytes = 8192;
    Migration m = new Migration(new FakeNetwork(1), stream, setting).start();
    assertDelivered(m, stream);
    assertThat(m.source.maxCachedBytes()).isLessThan(200_000);
  }

  @Test
  void compressesWhatCompresses() {
    byte[] stream = new byte[3_000_000];
    for (int i = 0; i < stream.length; i++) {
      stream[i] = (byte) (i / 97);
    }
    Migration.Setting setting = new Migration.Setting();
    setting.compression = Compression.ON;
    Migration m = new Migration(new FakeNetwork(1), stream, setting).start();
    assertDelivered(m, stream);
    assertThat(m.send.progress().payloadBytes()).isLessThan(stream.length / 4);
  }

  @Test
  void takesNoMoreThanTheBudgetFromTheInput() {
    byte[] stream = random(8_000_000, 2);
    Migration.Setting setting = new Migration.Setting();
    setting.inFlight = 300_000;
    FakeNetwork net = new FakeNetwork(2).rate(10e6).delay(Duration.ofMillis(10), Duration.ZERO);
    Migration m = new Migration(net, stream, setting).start();
    long[] most = {0};
    assertThat(
            net.loop()
                .runUntil(
                    () -> {
                      most[0] = Math.max(most[0], m.input.position() - m.output.length());
                      return m.isOver();
                    },
                    Duration.ofMinutes(1)))
        .isTrue();
    assertThat(most[0]).isBetween(250_000L, 300_016L);
    assertThat(m.source.maxCachedBytes()).isLessThanOrEqualTo(300_000);
    assertThat(m.output.bytes()).isEqualTo(stream);
  }

  @Test
  void derivesTheBudgetFromTheMeasuredRate() {
    byte[] stream = random(30_000_000, 3);
    FakeNetwork net = new FakeNetwork(3).rate(12.5e6).delay(Duration.ofMillis(10), Duration.ZERO);
    Migration m = new Migration(net, stream, new Migration.Setting()).start();
    net.loop().runUntil(() -> m.output.length() > 20_000_000, Duration.ofMinutes(1));
    // (200 - 50 - 40 ms) * 12.5 MB/s - 128 KiB
    assertThat(m.send.progress().budgetBytes()).isBetween(1_100_000L, 1_350_000L);
    assertThat(m.send.progress().bytesPerSecond()).isBetween(11.5e6, 13.5e6);
    assertDelivered(m, stream);
  }

  @Test
  void holdsNothingBackWhenTheInputPauses() {
    byte[] stream = random(20_000, 4);
    FakeNetwork net = new FakeNetwork(4);
    Migration.Setting setting = new Migration.Setting();
    setting.burst = 400;
    setting.pauseNs = 100_000_000L;
    Migration m = new Migration(net, stream, setting).start();
    long[] lagNs = {0};
    long[] sinceNs = {-1};
    int[] waiting = {0};
    net.loop()
        .runUntil(
            () -> {
              int arrived = m.output.length() + 16;
              if (m.input.position() > arrived) {
                if (sinceNs[0] < 0 || waiting[0] <= arrived) {
                  sinceNs[0] = net.loop().nanoTime();
                  waiting[0] = m.input.position();
                }
                lagNs[0] = Math.max(lagNs[0], net.loop().nanoTime() - sinceNs[0]);
              } else {
                sinceNs[0] = -1;
              }
              return m.isOver();
            },
            Duration.ofMinutes(5));
    assertThat(m.output.bytes()).isEqualTo(stream);
    // one way for the announcement, two for the chunk
    assertThat(lagNs[0]).isBetween(2_000_000L, 6_000_000L);
  }

  /** The last bytes of a stopped guest do not wait for others, nor does the word that they came. */
  @Test
  void whatIsWrittenIsAcknowledgedAtOnceAndSoIsTheEnd() {
    byte[] stream = random(400_000, 5);
    Migration.Setting setting = new Migration.Setting();
    setting.burst = 20_000;
    setting.pauseNs = 30_000_000L;
    FakeNetwork net = new FakeNetwork(5).delay(Duration.ofMillis(4), Duration.ZERO);
    Migration m = new Migration(net, stream, setting).start();
    long[] lagNs = {0};
    long[] sinceNs = {-1};
    long[] written = {0};
    long[] deliveredNs = {-1};
    net.loop()
        .runUntil(
            () -> {
              long now = net.loop().nanoTime();
              if (sinceNs[0] >= 0 && m.send.progress().acknowledgedBytes() >= written[0]) {
                lagNs[0] = Math.max(lagNs[0], now - sinceNs[0]);
                sinceNs[0] = -1;
              }
              if (sinceNs[0] < 0 && m.output.length() > written[0]) {
                written[0] = m.output.length();
                sinceNs[0] = now;
              }
              if (deliveredNs[0] < 0 && m.output.length() == stream.length) {
                deliveredNs[0] = now;
              }
              return m.isOver();
            },
            Duration.ofMinutes(5));
    assertThat(m.output.bytes()).isEqualTo(stream);
    assertThat(lagNs[0]).as("one way").isBetween(3_900_000L, 5_000_000L);
    assertThat(net.loop().nanoTime() - deliveredNs[0]).as("both ways").isLessThan(9_000_000L);
  }

  @Test
  void worksWithTheSmallChunksOfThePrototype() {
    byte[] stream = random(2_000_000, 5);
    Migration.Setting setting = new Migration.Setting();
    setting.maxChunkBytes = 15_600;
    assertDelivered(new Migration(new FakeNetwork(5), stream, setting).start(), stream);
  }

  @Test
  void goesOnAfterAPartitionThatEndsTheConnection() {
    byte[] stream = random(20_000_000, 6);
    FakeNetwork net = new FakeNetwork(6).rate(10e6).streamPatience(Duration.ofSeconds(5));
    Migration m = new Migration(net, stream, new Migration.Setting()).start();
    net.loop().run(Duration.ofMillis(700));
    net.partition(true);
    net.loop().run(Duration.ofSeconds(40));
    assertThat(m.isOver()).isFalse();
    net.partition(false);
    assertDelivered(m, stream);
    assertThat(m.send.progress().losses()).isEqualTo(1);
    assertThat(m.events).anyMatch(e -> e.startsWith("source resumed"));
  }

  @Test
  void givesUpOnBothSidesWhenThePartitionLastsTooLong() {
    byte[] stream = QemuStreams.make(new SplittableRandom(7), 5000, false, false).bytes();
    FakeNetwork net = new FakeNetwork(7).rate(10e6).streamPatience(Duration.ofSeconds(5));
    Migration m = new Migration(net, stream, new Migration.Setting()).start();
    net.loop().run(Duration.ofMillis(700));
    net.partition(true);
    assertThat(m.run()).isTrue();
    assertThat(m.sent.reason()).isEqualTo(Reason.REASON_LOST);
    assertThat(m.received.reason()).isEqualTo(Reason.REASON_LOST);
    assertThat(m.output.length()).isLessThan(stream.length);
    assertThat(Duration.ofNanos(net.loop().nanoTime()))
        .isBetween(Duration.ofSeconds(60), Duration.ofSeconds(80));
  }

  @Test
  void followsTheSourceToAnotherDomain() {
    byte[] stream = random(10_000_000, 8);
    FakeNetwork net = new FakeNetwork(8).rate(10e6);
    Migration m = new Migration(net, stream, new Migration.Setting()).start();
    net.loop().run(Duration.ofMillis(300));
    m.source.updateAd(io.xmig.xia.addr.Xid.of(io.xmig.xia.addr.XidType.AD, new byte[20]), null);
    assertDelivered(m, stream);
  }

  @Test
  void sendsAChunkItselfThatTheNetworkAlwaysSpoils() {
    byte[] stream = random(300_000, 9);
    FakeNetwork net = new FakeNetwork(9).chunkFaults(0, 1);
    Migration m = new Migration(net, stream, new Migration.Setting()).start();
    assertDelivered(m, stream);
    assertThat(m.events).anyMatch(e -> e.startsWith("source republished"));
  }

  @Test
  void asksAgainWhenTheStackNeverAnswers() {
    byte[] stream = random(2_000_000, 18);
    FakeNetwork net = new FakeNetwork(18).chunkSilence(0.1);
    assertDelivered(new Migration(net, stream, new Migration.Setting()).start(), stream);
  }

  @Test
  void waitsForRoomInTheCache() {
    byte[] stream = random(3_000_000, 10);
    FakeNetwork net = new FakeNetwork(10).rate(20e6);
    Migration m = new Migration(net, stream, new Migration.Setting());
    m.source.sliceLimit(600_000);
    assertDelivered(m.start(), stream);
  }

  @Test
  void saysThatNobodyListens() {
    Migration m = new Migration(new FakeNetwork(11), random(10, 11), new Migration.Setting());
    m.startSender();
    m.net.loop().runUntil(() -> m.sent != null, Duration.ofMinutes(1));
    assertThat(m.sent.success()).isFalse();
    assertThat(m.sent.message())
        .contains("cannot reach the destination")
        .contains("nobody listens");
    assertThat(m.net.loop().nanoTime()).isLessThan(5 * Migration.SECOND);
  }

  @Test
  void saysThatTheServiceIsTaken() {
    Migration m = new Migration(new FakeNetwork(12), random(10, 12), new Migration.Setting());
    m.destination.listen(Migration.SERVICE, 1, c -> new io.xmig.xia.socket.StreamHandler() {});
    m.startReceiver();
    m.net.loop().runUntil(() -> m.received != null, Duration.ofMinutes(1));
    assertThat(m.received.message()).contains("cannot listen").contains("bound already");
    assertThat(m.output.bytes()).isEqualTo(FailureMark.BYTES);
    assertThat(m.output.isClosed()).isTrue();
  }

  @Test
  void aCancelledMigrationEndsAtOnceAndNeverDeliversTheEnd() {
    QemuStreams.Made made = QemuStreams.make(new SplittableRandom(13), 2000, true, false);
    FakeNetwork net = new FakeNetwork(13).rate(10e6);
    Migration m = new Migration(net, made.bytes(), new Migration.Setting()).start();
    net.loop().run(Duration.ofMillis(300));
    m.input.cutOff();
    long cancelled = net.loop().nanoTime();
    assertThat(m.run()).isTrue();
    assertThat(m.sent.reason()).isEqualTo(Reason.REASON_INCOMPLETE);
    assertThat(m.received.reason()).isEqualTo(Reason.REASON_INCOMPLETE);
    assertThat(m.output.length()).isLessThan(made.startByte());
    assertThat(m.output.isClosed()).isTrue();
    assertThat(net.loop().nanoTime() - cancelled).isLessThan(Migration.SECOND / 2);
  }

  @Test
  void aDestinationWhoseQemuIsGoneStopsTheSource() {
    FakeNetwork net = new FakeNetwork(14).rate(10e6);
    Migration m = new Migration(net, random(10_000_000, 14), new Migration.Setting()).start();
    m.output.breakAt(1_000_000);
    assertThat(m.run()).isTrue();
    assertThat(m.received.reason()).isEqualTo(Reason.REASON_OUTPUT);
    assertThat(m.sent.reason()).isEqualTo(Reason.REASON_OUTPUT);
    assertThat(m.sent.message()).contains("Broken pipe");
  }

  @Test
  void aSourceThatDiesIsNoticedSoon() {
    FakeNetwork net = new FakeNetwork(15).rate(10e6);
    Migration m = new Migration(net, random(10_000_000, 15), new Migration.Setting()).start();
    net.loop().run(Duration.ofMillis(300));
    m.source.kill();
    assertThat(m.run()).isTrue();
    assertThat(m.received.reason()).isEqualTo(Reason.REASON_LOST);
    assertThat(net.loop().nanoTime()).isLessThan(6 * Migration.SECOND);
  }

  @Test
  void aDestinationThatDiesIsNoticedSoon() {
    FakeNetwork net = new FakeNetwork(16).rate(10e6);
    Migration m = new Migration(net, random(10_000_000, 16), new Migration.Setting()).start();
    net.loop().run(Duration.ofMillis(300));
    m.destination.kill();
    assertThat(m.run()).isTrue();
    assertThat(m.sent.reason()).isEqualTo(Reason.REASON_LOST);
    assertThat(net.loop().nanoTime()).isLessThan(6 * Migration.SECOND);
  }

  @Test
  void stoppingEitherSideTellsTheOther() {
    for (boolean stopSource : new boolean[] {true, false}) {
      FakeNetwork net = new FakeNetwork(17).rate(10e6);
      Migration m = new Migration(net, random(10_000_000, 17), new Migration.Setting()).start();
      net.loop().run(Duration.ofMillis(300));
      if (stopSource) {
        m.send.abort("terminated by signal");
      } else {
        m.receive.abort("terminated by signal");
      }
      assertThat(m.run()).isTrue();
      assertThat(m.sent.reason()).isEqualTo(Reason.REASON_STOPPED);
      assertThat(m.received.reason()).isEqualTo(Reason.REASON_STOPPED);
      assertThat(stopSource ? m.received.message() : m.sent.message())
          .contains("terminated by signal");
    }
  }

  /** Everything that can go wrong, at a moment and in an order that the seed decides. */
  private static long runSeed(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    FakeNetwork net = new FakeNetwork(seed);
    net.delay(
        Duration.ofNanos(random.nextInt(20_000_000)), Duration.ofNanos(random.nextInt(5_000_000)));
    net.rate(2e6 + random.nextInt(50_000_000));
    net.streamPatience(Duration.ofMillis(2000 + random.nextInt(20_000)));
    if (random.nextBoolean()) {
      net.chunkFaults(random.nextDouble() * 0.2, random.nextDouble() * 0.2);
      net.chunkSilence(random.nextInt(3) * 0.02);
    }
    boolean qemu = random.nextInt(3) > 0;
    byte[] stream;
    int startByte;
    if (qemu) {
      QemuStreams.Made made =
          QemuStreams.make(random, random.nextInt(150), random.nextBoolean(), random.nextBoolean());
      stream = made.bytes();
      startByte = made.startByte();
    } else {
      stream = new byte[1 + random.nextInt(600_000)];
      random.nextBytes(stream);
      stream[0] = 1;
      startByte = stream.length - 1;
    }
    Migration.Setting setting = new Migration.Setting();
    setting.burst = 1 + random.nextInt(100_000);
    setting.pauseNs = random.nextInt(4) == 0 ? random.nextInt(20_000_000) : 0;
    setting.outputRate = 1e6 + random.nextInt(100_000_000);
    setting.inFlight = random.nextBoolean() ? 0 : 1 + random.nextInt(2_000_000);
    setting.chunkBytes = random.nextBoolean() ? 0 : 1000 + random.nextInt(300_000);
    setting.compression = Compression.values()[random.nextInt(3)];
    setting.maxChunkBytes = random.nextInt(4) == 0 ? 15_600 : 1 << 20;
    setting.resume = Duration.ofSeconds(1 + random.nextInt(60));
    Migration m = new Migration(net, stream, setting);
    m.startReceiver();
    net.loop().schedule(random.nextInt(300_000_000), m::startSender);
    boolean harmless = trouble(random, net, m);
    assertThat(m.run())
        .as("hang with seed %d: %s %s %s", seed, m.send.progress(), m.receive.progress(), m.events)
        .isTrue();
    check(seed, m, stream, startByte, harmless);
    return net.trace();
  }

  /** Schedules what goes wrong; says whether the transfer must succeed nevertheless. */
  private static boolean trouble(SplittableRandom random, FakeNetwork net, Migration m) {
    long when = random.nextLong(1_500_000_000L);
    switch (random.nextInt(8)) {
      case 0 -> net.loop().schedule(when, m.source::kill);
      case 1 -> net.loop().schedule(when, m.destination::kill);
      case 2 -> net.loop().schedule(when, () -> m.send.abort("stopped by the test"));
      case 3 -> net.loop().schedule(when, () -> m.receive.abort("stopped by the test"));
      case 4 -> net.loop().schedule(when, m.input::cutOff);
      case 5 -> m.output.breakAt(random.nextInt(600_000));
      case 6 -> {
        for (int i = random.nextInt(4); i >= 0; i--) {
          long at = random.nextLong(30_000_000_000L);
          net.loop().schedule(at, () -> net.partition(true));
          net.loop().schedule(at + random.nextLong(20_000_000_000L), () -> net.partition(false));
        }
        net.loop().schedule(60_000_000_000L, () -> net.partition(false));
      }
      default -> {
        return true;
      }
    }
    return false;
  }

  private static void check(
      long seed, Migration m, byte[] stream, int startByte, boolean mustSucceed) {
    byte[] got = m.output.bytes();
    Outcome received = m.received;
    Outcome sent = m.sent;
    String story = "seed " + seed + ": " + m.events;
    if (mustSucceed) {
      assertThat(received).as(story).extracting(Outcome::success).isEqualTo(true);
      assertThat(sent).as(story).extracting(Outcome::success).isEqualTo(true);
    }
    if (sent != null && sent.success() && received != null) {
      assertThat(received.success()).as(story).isTrue();
    }
    if (received != null && received.success()) {
      // Where arbitrary bytes end is their end.
      int length = m.input.isCutOff() ? m.input.position() : stream.length;
      assertThat(got).as(story).isEqualTo(Arrays.copyOf(stream, length));
    } else if (!Arrays.equals(got, FailureMark.BYTES) && got.length <= startByte) {
      assertThat(got).as(story).isEqualTo(Arrays.copyOf(stream, got.length));
    } else if (!Arrays.equals(got, FailureMark.BYTES)) {
      // More than the start is there although this side did not live to say so, or the reader went
      // away meanwhile: then it had been verified.
      assertThat(got).as(story).isEqualTo(Arrays.copyOf(stream, got.length));
      assertThat(m.destination.isDead() || brokeAtTheEnd(m)).as(story).isTrue();
    }
    if (received != null) {
      assertThat(m.output.isClosed()).as(story).isTrue();
    }
    assertThat(m.source.isDead() || m.source.cachedChunks() == 0).as(story).isTrue();
  }

  private static boolean brokeAtTheEnd(Migration m) {
    return Objects.requireNonNull(m.received).reason() == Reason.REASON_OUTPUT;
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource(SEEDS)
  void whateverHappensAllBytesAreIdenticalOrBothSidesFailCleanly(long seed) {
    long trace = runSeed(seed);
    if (seed % 50 == 0) {
      assertThat(runSeed(seed)).as("a seed replays to the same trace").isEqualTo(trace);
    }
  }
}
