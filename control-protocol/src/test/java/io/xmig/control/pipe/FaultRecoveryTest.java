package io.xmig.control.pipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.node.XiaNode;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimLink;
import io.xmig.xia.testkit.Topologies;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A transfer between two nodes and a router through which something goes wrong for a while: after
 * it the rate is that of the path again, every byte is what was sent, and at no time is more kept
 * than the bound allows.
 */
class FaultRecoveryTest {
  private static final long MEGABITS = 40;
  private static final double BYTES_PER_SECOND = MEGABITS * 125_000.0;
  private static final LinkProfile PATH =
      LinkProfile.delayMs(5).withRate(MEGABITS * 1_000_000, 200 * 1514).withMtu(1500);
  private static final int STREAM_BYTES = 60_000_000;
  private static final Duration SECOND = Duration.ofSeconds(1);

  /** What the source keeps: in flight, and the chunk that is being cut. */
  private static final long KEPT_BYTES = SendOptions.DEFAULT_MAX_IN_FLIGHT + (2 << 20);

  private final byte[] stream = NodeTransferTest.random(STREAM_BYTES, 11);
  private NodeRun run;
  private long mostKept;
  private long mostFetched;

  private void start(LinkProfile profile) {
    run = new NodeRun(5, profile, stream, Duration.ofSeconds(60)).start();
    watch();
    run.net.run(SECOND);
  }

  private void watch() {
    run.net
        .loop()
        .schedule(
            10_000_000L,
            () -> {
              mostKept = Math.max(mostKept, kept(run.at.host0()));
              mostFetched = Math.max(mostFetched, kept(run.at.host1()));
              if (run.received == null) {
                watch();
              }
            });
  }

  private static long kept(XiaNode node) {
    return node.chunks().snapshot().get("cacheBytes")
        + node.chunks().snapshot().get("reassemblyBytes");
  }

  /** Share of the path's rate over so many seconds. */
  private double share(int seconds) {
    long before = run.output.length();
    run.net.run(SECOND.multipliedBy(seconds));
    return (run.output.length() - before) / (seconds * BYTES_PER_SECOND);
  }

  private void assertDelivered() {
    assertThat(run.run()).as("hang: %s", run.events).isTrue();
    assertThat(run.received.message()).isEqualTo("delivered and verified");
    assertThat(run.sent.message()).isEqualTo("delivered and verified");
    assertThat(run.output.bytes()).isEqualTo(stream);
    assertThat(mostKept).as("at the source").isPositive().isLessThanOrEqualTo(KEPT_BYTES);
    assertThat(mostFetched).as("at the destination").isPositive().isLessThanOrEqualTo(KEPT_BYTES);
  }

  @ParameterizedTest(name = "{0} ms down, {1} ms up")
  @CsvSource({"20, 80", "300, 300", "1500, 500"})
  void aLinkThatFlaps(int downMs, int upMs) {
    start(PATH);
    for (int i = 0; i < 6; i++) {
      run.at.left().cut();
      run.net.run(Duration.ofMillis(downMs));
      run.at.left().heal();
      run.net.run(Duration.ofMillis(upMs));
    }
    run.net.run(SECOND);
    assertThat(share(2)).isGreaterThan(0.8);
    assertDelivered();
  }

  @ParameterizedTest(name = "reordered {0}, duplicated {1}, corrupted {2}, lost {3}")
  @CsvSource({"0.2, 0, 0, 0", "0, 0.3, 0, 0", "0, 0, 0.05, 0", "0.1, 0.1, 0.05, 0.1"})
  void framesThatAreSpoilt(double reorder, double duplicate, double corrupt, double loss) {
    start(PATH);
    LinkProfile bad =
        PATH.withReorder(reorder, Duration.ofMillis(20))
            .withDuplicate(duplicate)
            .withCorrupt(corrupt)
            .withLoss(loss);
    run.at.left().profile(bad);
    run.at.right().profile(bad);
    run.net.run(SECOND.multipliedBy(2));
    run.at.left().profile(PATH);
    run.at.right().profile(PATH);
    run.net.run(SECOND.multipliedBy(6));
    assertThat(share(2)).isGreaterThan(0.8);
    assertDelivered();
  }

  @Test
  void aLinkThatCarriesLessThanItsMtu() {
    LinkProfile promised = PATH.withMtu(9000).withRate(MEGABITS * 1_000_000, 200 * 9014);
    start(promised);
    run.at.right().profile(promised.withMtu(1500));
    run.net.run(SECOND.multipliedBy(3));
    assertThat(share(2)).isGreaterThan(0.6);
    assertDelivered();
  }

  @Test
  void aReceiverSlowerThanThePathForAWhile() {
    start(PATH);
    run.output.rate(2e6);
    run.net.run(SECOND);
    assertThat(share(4) * BYTES_PER_SECOND).isBetween(1.8e6, 2.2e6);
    run.output.rate(1e9);
    run.net.run(SECOND);
    assertThat(share(2)).isGreaterThan(0.8);
    assertDelivered();
  }

  @ParameterizedTest(name = "down for {0} ms, Ethernet addresses of number {1}")
  @CsvSource({"100, 0", "3000, 0", "3000, 7"})
  void aRouterThatIsRestarted(int downMs, int mac) {
    start(PATH);
    run.at.left().unplug();
    run.at.right().unplug();
    run.net.run(Duration.ofMillis(downMs));
    XiaNode again =
        run.net.add(
            Topologies.routerConfig(
                "router0",
                Topologies.ad(0),
                Topologies.rhid(0),
                Topologies.mac(mac, 0x20),
                Topologies.mac(mac, 0x21)));
    Topologies.host(again, run.at.host0(), 0);
    Topologies.host(again, run.at.host1(), 1);
    SimLink left = run.net.link(run.at.host0(), 0, again, 0, PATH);
    run.net.link(run.at.host1(), 0, again, 1, PATH);
    run.net.run(SECOND.multipliedBy(2));
    assertThat(share(2)).isGreaterThan(0.8);
    assertDelivered();
    assertThat(left.count(SimLink.Fate.DELIVERED)).isPositive();
  }
}
