package io.xmig.control.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.xmig.control.resident.ResidentClient;
import io.xmig.xia.host.NodeService;
import io.xmig.xia.node.NodeStack;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Everything that resident pipes do, inside the nodes of their hosts. */
class PipesInNodeTest extends ResidentPipesTest {
  @Override
  StackSource stacks(Wire on, int host) {
    return chosen ->
        on.stack(host).equals(chosen.spec()) ? new NodeStack(on.node(host)) : chosen.open();
  }

  @Test
  void aNodeKeepsItsPipesUntilItEnds(@TempDir Path dir) throws Exception {
    try (Wire wire = new Wire(dir)) {
      Path socket = dir.resolve("a.pipes");
      NodeService.Running running =
          NodeService.named("pipes")
              .start(
                  () -> new NodeStack(wire.node(0)),
                  List.of("--socket", socket.toString(), "--warm-up", "0"))
              .get(10, TimeUnit.SECONDS);
      try (ResidentClient client = new ResidentClient(socket)) {
        assertThat(client.hello().process()).isEqualTo(ProcessHandle.current().pid());
        assertThatThrownBy(client::quit)
            .isInstanceOf(IOException.class)
            .hasMessageContaining("part of a node");
        assertThat(running.handlers().get("transfers").get()).isEqualTo("0");
      }
      running.close();
      assertThat(Files.exists(socket)).isFalse();
    }
  }

  @Test
  void nothingOfATransferStaysInMemory() throws Exception {
    carry("first");
    carry("second");
    long before = directBytes();
    for (int i = 0; i < 8; i++) {
      carry("more" + i);
    }
    // each has slabs of half a MiB, several at a time
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(directBytes() - before).isLessThan(3L << 20));
  }

  private static long directBytes() {
    System.gc();
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  @Test
  void optionsThatMakeNoSenseInANodeAreRefused() {
    assertThatThrownBy(
            () ->
                NodeService.named("pipes")
                    .start(
                        () -> {
                          throw new AssertionError("nothing is opened");
                        },
                        List.of("--socket", "x", "--idle-exit", "1s")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("--idle-exit");
  }
}
