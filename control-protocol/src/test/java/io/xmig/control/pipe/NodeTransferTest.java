package io.xmig.control.pipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.control.session.Outcome;
import io.xmig.control.session.QemuStreams;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimLink;
import java.time.Duration;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole transfers between two real nodes through a real router, packets and all, in virtual time.
 */
class NodeTransferTest {
  static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new SplittableRandom(seed).nextBytes(bytes);
    bytes[0] = 1;
    return bytes;
  }

  private static void assertDelivered(NodeRun run, byte[] stream) {
    assertThat(run.run()).as("hang: %s", run.events).isTrue();
    assertThat(run.sent).as("%s", run.events).isNotNull();
    assertThat(run.received.message()).isEqualTo("delivered and verified");
    assertThat(run.sent.message()).isEqualTo("delivered and verified");
    assertThat(run.output.bytes()).isEqualTo(stream);
  }

  @Test
  void deliversAcrossACleanRouterAtThePathsRate() {
    byte[] stream = random(8_000_000, 1);
    LinkProfile profile = LinkProfile.delayMs(1).withRate(1_000_000_000L, 1 << 20).withMtu(9000);
    NodeRun run = new NodeRun(1, profile, stream, Duration.ofSeconds(60)).start();
    assertDelivered(run, stream);
    assertThat(run.net.loop().nanoTime()).isLessThan(Migration.SECOND / 4);
  }

  @Test
  void goesOnWhereItWasAfterALongCut() {
    byte[] stream = random(5_000_000, 2);
    LinkProfile profile = LinkProfile.delayMs(5).withRate(20_000_000L, 1 << 18);
    NodeRun run = new NodeRun(2, profile, stream, Duration.ofSeconds(60)).start();
    run.net.run(Duration.ofSeconds(1));
    run.at.left().cut();
    run.net.run(Duration.ofSeconds(40));
    run.at.left().heal();
    assertDelivered(run, stream);
  }

  @Test
  void aSourceWhoseProcessDiesIsNoticed() {
    NodeRun run =
        new NodeRun(
                3,
                LinkProfile.delayMs(5).withRate(20_000_000L, 1 << 18),
                random(5_000_000, 3),
                Duration.ofSeconds(60))
            .start();
    run.net.run(Duration.ofSeconds(1));
    run.kill(true);
    assertThat(run.run()).as("hang: %s", run.events).isTrue();
    assertThat(run.received.success()).isFalse();
    assertThat(run.output.length()).isLessThan(5_000_000);
    assertThat(run.net.loop().nanoTime()).isLessThan(30 * Migration.SECOND);
  }

  private static long runSeed(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    LinkProfile profile =
        LinkProfile.delay(Duration.ofNanos(random.nextLong(20_000_000)))
            .withJitter(Duration.ofNanos(random.nextLong(2_000_000)))
            .withRate(5_000_000L + random.nextLong(100_000_000), 64_000 + random.nextInt(500_000))
            .withLoss(random.nextInt(3) * 0.01)
            .withReorder(random.nextInt(3) * 0.01, Duration.ofMillis(5))
            .withDuplicate(random.nextInt(3) * 0.01)
            .withCorrupt(random.nextInt(3) * 0.005)
            .withMtu(random.nextBoolean() ? 1500 : 9000);
    QemuStreams.Made made =
        QemuStreams.make(random, random.nextInt(80), random.nextBoolean(), random.nextBoolean());
    byte[] stream = made.bytes();
    NodeRun run =
        new NodeRun(seed, profile, stream, Duration.ofSeconds(1 + random.nextInt(60))).start();
    boolean harmless = true;
    long when = random.nextLong(800_000_000L);
    switch (random.nextInt(6)) {
      case 0, 1 -> {
        boolean source = random.nextBoolean();
        run.net.loop().schedule(when, () -> run.kill(source));
        harmless = false;
      }
      case 2 -> {
        run.net.loop().schedule(when, run.input::cutOff);
        harmless = false;
      }
      case 3 -> {
        SimLink link = random.nextBoolean() ? run.at.left() : run.at.right();
        run.net.loop().schedule(when, link::cut);
        run.net.loop().schedule(when + random.nextLong(40_000_000_000L), link::heal);
        harmless = false;
      }
      default -> {}
    }
    String story = "seed " + seed;
    assertThat(run.run()).as("hang with %s: %s", story, run.events).isTrue();
    story = story + ": " + run.events;
    byte[] got = run.output.bytes();
    if (harmless) {
      assertThat(run.sent).as(story).extracting(Outcome::success).isEqualTo(true);
    }
    if (run.sent != null && run.sent.success() && run.received != null) {
      assertThat(run.received.success()).as(story).isTrue();
    }
    if (run.received != null && run.received.success()) {
      assertThat(got).as(story).isEqualTo(stream);
    } else if (!Arrays.equals(got, FailureMark.BYTES)) {
      assertThat(got).as(story).isEqualTo(Arrays.copyOf(stream, got.length));
      assertThat(run.destinationDead || got.length <= made.startByte()).as(story).isTrue();
    }
    return run.net.digest();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void overABadNetworkAllBytesAreIdenticalOrBothSidesFailCleanly(long seed) {
    long digest = runSeed(seed);
    if (seed % 10 == 0) {
      assertThat(runSeed(seed)).as("a seed replays to the same trace").isEqualTo(digest);
    }
  }
}
