package io.xmig.testbed.links;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.xmig.xia.click.Topology;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Namespaces made and removed for real; skipped, with the reason, where that is not allowed. */
@Timeout(300)
class VethNetTest {
  private static final List<String> NODES = List.of("ROUTER_1", "HOST_A", "HOST_B", "HOST_C");
  private static final Starter NO_EMULATOR =
      new Starter() {
        @Override
        public void launch(String name, List<String> prefix, List<String> arguments) {
          throw new AssertionError("no link of this test is shaped");
        }

        @Override
        public void awaitReady(String name, String readyWord, Duration limit) {
          throw new AssertionError("no link of this test is shaped");
        }
      };

  @BeforeAll
  static void allowed() {
    String missing = Namespaces.missing();
    assumeTrue(missing.isEmpty(), missing);
  }

  private static VethNet net(String directory) {
    return VethNet.make(
        Topology.load(Path.of("topologies", "intra-ad.click")),
        Path.of("/tmp", directory),
        NODES,
        List.of("HOST_A", "HOST_B"),
        "52:54:00:78:6d:69",
        9000,
        null,
        NO_EMULATOR);
  }

  @Test
  void hostsReachEachOtherByIpAndNothingIsLeftAfterwards() {
    String run = "xmig-run-" + ProcessHandle.current().pid() + "-1";
    try (VethNet net = net(run)) {
      await().until(() -> answersPing(net)); // the kernel brings a link up some time later
    }
    assertThat(Namespaces.named(run)).isEmpty();
  }

  private static boolean answersPing(VethNet net) {
    try {
      return Namespaces.in(
              net.namespace("HOST_A"),
              List.of("busybox", "ping", "-c", "1", "-W", "2", "-s", "8000", net.address("HOST_B")))
          .contains("1 packets received");
    } catch (NetException unanswered) {
      return false;
    }
  }

  @Test
  void whatAKilledRunnerLeftIsRemovedAndWhatALivingOneHasIsNot() throws Exception {
    Process gone = new ProcessBuilder("true").start();
    assertThat(gone.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String dead = "xmig-run-" + gone.pid() + "-2";
    String alive = "xmig-run-" + ProcessHandle.current().pid() + "-3";
    net(dead);
    try (VethNet mine = net(alive)) {
      Process inside =
          new ProcessBuilder("ip", "netns", "exec", dead + "-HOST_A", "sleep", "600").start();
      await().until(() -> isIn(dead + "-HOST_A", inside));
      assertThat(VethNet.removeAbandoned()).contains(dead).doesNotContain(alive);
      assertThat(inside.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(Namespaces.named(dead)).isEmpty();
      assertThat(Namespaces.named(alive)).hasSize(4);
      assertThat(mine.guestAddress()).isEqualTo("10.78.0.100");
    }
  }

  /** {@code ip} takes a moment to enter it; until then the process is nobody's. */
  private static boolean isIn(String namespace, Process process) {
    return Namespaces.ip(List.of("netns", "pids", namespace), "")
        .lines()
        .anyMatch(Long.toString(process.pid())::equals);
  }
}
