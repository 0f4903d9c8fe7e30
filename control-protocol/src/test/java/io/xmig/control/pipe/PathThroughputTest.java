package io.xmig.control.pipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.testkit.LinkProfile;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a whole transfer, from the input of one pipe to the output of the other, makes of a path: on
 * virtual time, through nodes and a router, with the byte budget deciding how much is under way.
 * {@code -Dxmig.grid=full} prints how long each took, {@code -Dxmig.path=true} how they come about.
 */
class PathThroughputTest {
  private static final int HEADERS = 160;

  /** Share of the path's rate that the stream got after its first third. */
  private static double share(
      int megabits, double rttMs, double loss, double reorder, int mtu, int megabytes) {
    byte[] stream = NodeTransferTest.random(megabytes * 1_000_000, 1);
    long delayNs = (long) (rttMs * 1e6 / 2);
    int queue = 200 * (mtu + 14);
    LinkProfile path =
        LinkProfile.delay(Duration.ofNanos(delayNs))
            .withRate(megabits * 1_000_000L, queue)
            .withLoss(loss)
            .withReorder(reorder, Duration.ofNanos(Math.max(1_000_000, delayNs / 4)))
            .withMtu(mtu);
    NodeRun run = new NodeRun(7, path, stream, Duration.ofSeconds(60));
    run.at.right().profile(LinkProfile.delay(Duration.ofNanos(20_000)).withMtu(mtu));
    run.start();
    if (Boolean.getBoolean("xmig.path")) {
      trace(run);
    }
    long third = stream.length / 3;
    assertThat(run.net.runUntil(() -> run.output.length() >= third, Duration.ofMinutes(5)))
        .isTrue();
    long startNs = run.net.loop().nanoTime();
    long startBytes = run.output.length();
    assertThat(run.run()).as("hang: %s", run.events).isTrue();
    assertThat(run.received.message()).isEqualTo("delivered and verified");
    if ("full".equals(System.getProperty("xmig.grid"))) {
      System.out.printf(
          "path %d Mbit/s %.0f ms loss %.3f reorder %.2f mtu %d: %.2f s in all%n",
          megabits, rttMs, loss, reorder, mtu, run.net.loop().nanoTime() / 1e9);
    }
    double seconds = (run.net.loop().nanoTime() - startNs) / 1e9;
    return (stream.length - startBytes) / (seconds * megabits * 125_000.0 * (mtu - HEADERS) / mtu);
  }

  private static void trace(NodeRun run) {
    run.net
        .loop()
        .schedule(
            250_000_000L,
            () -> {
              if (run.received == null) {
                System.out.println(
                    run.net.loop().nanoTime() / 1_000_000 + " " + run.send.progress());
                System.out.println("   " + run.at.host1().chunks().flows());
                trace(run);
              }
            });
  }

  @ParameterizedTest(name = "{0} Mbit/s, {1} ms, loss {2}, reordering {3}, MTU {4}, {5} MB")
  @CsvSource({
    "1000, 1, 0, 0, 9000, 60, 0.9",
    "100, 20, 0, 0, 1500, 40, 0.9",
    "100, 50, 0.005, 0, 1500, 40, 0.9",
    "100, 50, 0.005, 0.01, 1500, 40, 0.85",
    "100, 40, 0.01, 0, 1500, 40, 0.85",
    "1000, 20, 0.001, 0, 9000, 100, 0.8",
    "1000, 40, 0.01, 0.01, 1500, 100, 0.4",
  })
  void usesThePath(
      int megabits,
      double rttMs,
      double loss,
      double reorder,
      int mtu,
      int megabytes,
      double atLeast) {
    assertThat(share(megabits, rttMs, loss, reorder, mtu, megabytes)).isGreaterThan(atLeast);
  }
}
