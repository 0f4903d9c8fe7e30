package io.xmig.testbed.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.xmig.testbed.report.ResultFile;
import io.xmig.testbed.report.RunResult;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The experiment as people start it: real nodes, real QEMUs, a real guest. */
class IntraAdIT {
  private static final Path LAUNCHER = Path.of("xmig").toAbsolutePath();

  @TempDir Path directory;

  private Process start(String... arguments) throws IOException {
    List<String> command =
        Stream.concat(
                Stream.of(LAUNCHER.toString(), "testbed", "run", "intra-ad", "--ram-only"),
                Stream.of(arguments))
            .toList();
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("said").toFile());
    builder.environment().put("XMIG_NO_BUILD", "1");
    return builder.start();
  }

  private String said() throws IOException {
    return Files.readString(directory.resolve("said"));
  }

  /** Processes and run directories that belong to the runner with this process id. */
  private static List<String> leftOf(long runner) throws IOException {
    String mark = "xmig-run-" + runner + "-";
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return Stream.concat(
              ProcessHandle.allProcesses()
                  .map(p -> p.info().commandLine().orElse(""))
                  .filter(line -> line.contains(mark)),
              files.map(Path::toString).filter(name -> name.contains(mark)))
          .toList();
    }
  }

  /** A process that was killed stays in the table for a moment. */
  private static void awaitNothingLeftOf(Process runner) {
    await().untilAsserted(() -> assertThat(leftOf(runner.pid())).isEmpty());
  }

  @Test
  @Timeout(600)
  void movesTheVmWritesAValidResultAndLeavesNothingBehind() throws Exception {
    Path report = directory.resolve("out");
    Process run = start("--memory", "384", "--settle", "3000", "--report", report.toString());
    assertThat(run.waitFor(540, TimeUnit.SECONDS)).as(said()).isTrue();
    assertThat(run.exitValue()).as(said()).isZero();

    Path json = report.resolve("result.json");
    assertThat(
            JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                .getSchema(Files.readString(Path.of("../docs/result.schema.json")))
                .validate(new ObjectMapper().readTree(json.toFile())))
        .isEmpty();
    RunResult result = ResultFile.read(json);
    assertThat(result.verdict().ok()).isTrue();
    assertThat(result.migrations()).hasSize(1);
    RunResult.Migration moved = result.migrations().get(0);
    assertThat(moved.streamSha256()).hasSize(64);
    assertThat(moved.maxBandwidthMBps()).as("follows the measured rate").isBetween(1.0, 2000.0);
    assertThat(moved.downtimeLimitMs()).isBetween(10, 110);
    assertThat(moved.outageParts()).isNotNull();
    assertThat(moved.outageParts().sumMs()).isCloseTo(moved.outageMs(), within(0.01));
    // told by the guest's agent; which of its first steps cost time differs from run to run
    assertThat(moved.timeline()).extracting(RunResult.Event::name).contains("agent: sign");
    assertThat(result.cal())
        .extracting(RunResult.Cal::socket)
        .containsExactlyInAnyOrder("stream", "dgram");
    assertThat(result.cal()).allMatch(c -> c.answeredBefore() > 0 && c.answeredAfter() > 0);
    assertThat(report.resolve("report.html")).content().contains("HOST_A → HOST_B");
    assertThat(said()).contains("kept every connection");
    awaitNothingLeftOf(run);
  }

  @Test
  @Timeout(600)
  void aRunThatIsInterruptedLeavesNothingBehind() throws Exception {
    Process run = start("--memory", "384");
    await()
        .atMost(Duration.ofMinutes(5))
        .until(() -> !run.isAlive() || said().contains("VM started"));
    assertThat(leftOf(run.pid()))
        .as("while it runs; it said %s", said())
        .isNotEmpty()
        .noneMatch(line -> line.contains("XMIG_KEY"));
    run.destroy(); // SIGTERM
    assertThat(run.waitFor(120, TimeUnit.SECONDS)).isTrue();
    assertThat(run.exitValue()).isNotZero();
    awaitNothingLeftOf(run);
  }

  private void expectGreen(Process run) throws Exception {
    assertThat(run.waitFor(540, TimeUnit.SECONDS)).as(said()).isTrue();
    assertThat(run.exitValue()).as(said()).isZero();
    assertThat(said()).contains("kept every connection");
    awaitNothingLeftOf(run);
  }

  /** Java, JNA, the C library, the local API and the ControlSocket: all that runs on a host. */
  @Test
  @Timeout(600)
  void theHostsCanUseALibXsocketThatIsElsewhere() throws Exception {
    Path library = Files.createDirectories(directory.resolve("elsewhere")).resolve("libXsocket.so");
    try (InputStream ours = IntraAdIT.class.getResourceAsStream("/linux-x86-64/libXsocket.so")) {
      assumeThat(ours).as("libXsocket.so is built where gcc is").isNotNull();
      Files.copy(ours, library);
    }

    expectGreen(start("--memory", "320", "--settle", "2000", "--xia", "libxsocket:" + library));
  }

  /** Signed hosts and a gateway of ours, and between them a program that is called like click. */
  @Test
  @Timeout(600)
  void theRouterCanBeAClickThatIsCalledAsThePrototypes() throws Exception {
    Path home = Files.createDirectories(directory.resolve("click"));
    Path click = FakeClick.install(home);

    expectGreen(start("--memory", "320", "--settle", "2000", "--router", "click:" + click));
    assertThat(home.resolve("configuration"))
        .content()
        .contains("ROUTER_1 :: XIARouter4Port(RE AD:")
        .contains("Socket(\"UDP\", 127.0.0.1, ")
        .contains("ControlSocket(tcp, ")
        .doesNotContain("EtherSwitch");
  }
}
