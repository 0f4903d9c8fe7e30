package io.xmig.testbed.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xmig.testbed.links.Namespaces;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The programs as users start them, in network namespaces; skipped, with the reason, where those
 * are not allowed.
 */
@Timeout(600)
class VethRunsIT {
  @TempDir Path directory;

  @BeforeAll
  static void allowed() {
    String missing = Namespaces.missing();
    assumeTrue(missing.isEmpty(), missing);
    for (String program : List.of("fping", "socat", "qemu-system-x86_64")) {
      assumeTrue(
          Files.isExecutable(Path.of("/usr/bin", program))
              || Files.isExecutable(Path.of("/bin", program)),
          program + " is not installed");
    }
  }

  private Process xmig(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of("./xmig"));
    command.addAll(List.of(words));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(new File("."))
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("output").toFile());
    builder.environment().put("XMIG_NO_BUILD", "1");
    return builder.start();
  }

  private String output() throws IOException {
    return Files.readString(directory.resolve("output"));
  }

  private static List<String> namespacesOf(long pid) throws IOException {
    if (!Files.isDirectory(Path.of("/run/netns"))) {
      return List.of();
    }
    try (var names = Files.list(Path.of("/run/netns"))) {
      return names
          .map(n -> n.getFileName().toString())
          .filter(n -> n.startsWith("xmig-run-" + pid + "-"))
          .toList();
    }
  }

  @Test
  void theSmallestEvaluationMovesTheGuestOverTcpAndOverXiaAndLeavesNothing() throws Exception {
    Process run = xmig("evaluate", "--tiny", "--report", directory.toString());
    assertThat(run.waitFor(500, TimeUnit.SECONDS)).as("ends").isTrue();
    assertThat(run.exitValue()).as(output()).isZero();
    JsonNode result = new ObjectMapper().readTree(directory.resolve("evaluation.json").toFile());
    assertThat(result.path("measurements")).hasSize(2);
    for (JsonNode measured : result.path("measurements")) {
      assertThat(measured.path("failure").isNull()).as(measured.toString()).isTrue();
      assertThat(measured.path("totalMs").asDouble()).isPositive();
      assertThat(measured.path("outageMs").asDouble()).isPositive();
      assertThat(measured.path("wireBytes").asLong())
          .isGreaterThan(measured.path("streamBytes").asLong() / 2);
      assertThat(measured.path("cpuSeconds").isEmpty()).isFalse();
    }
    assertThat(directory.resolve("evaluation.html")).isNotEmptyFile();
    assertThat(Files.readAllLines(directory.resolve("evaluation.csv"))).hasSize(3);
    assertThat(namespacesOf(run.pid())).isEmpty();
  }

  @Test
  void afterSigkillOfTheRunnerCleanRemovesItsProcessesAndNamespaces() throws Exception {
    Process run =
        xmig("testbed", "run", "intra-ad", "--ram-only", "--links", "veth", "--shape", "1gbit,1ms");
    await()
        .atMost(Duration.ofSeconds(300))
        .until(() -> output().contains("VM started") || !run.isAlive());
    assertThat(run.isAlive()).as(output()).isTrue();
    long pid = run.pid();
    List<String> spaces = namespacesOf(pid);
    assertThat(spaces).hasSizeGreaterThanOrEqualTo(5);
    run.destroyForcibly().waitFor(60, TimeUnit.SECONDS);
    assertThat(namespacesOf(pid)).isNotEmpty();

    Process clean = xmig("testbed", "clean");
    assertThat(clean.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(clean.exitValue()).as(output()).isZero();
    assertThat(namespacesOf(pid)).isEmpty();
    await() // a process that was killed stays in the table for a moment
        .untilAsserted(
            () ->
                assertThat(
                        ProcessHandle.allProcesses()
                            .filter(
                                p ->
                                    p.info()
                                        .commandLine()
                                        .orElse("")
                                        .contains("xmig-run-" + pid + "-"))
                            .toList())
                    .isEmpty());
  }
}
