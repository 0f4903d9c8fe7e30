package io.xmig.control.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.xmig.control.resident.ResidentPipe;
import io.xmig.control.resident.ResidentProcess;
import io.xmig.xia.addr.Xid;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The two commands in the {@code exec:} of real QEMUs, by hand and with nothing around them, and
 * the resident pipes beside them. The machines have no operating system; their firmware runs.
 */
@Timeout(300)
@EnabledIf("qemuIsThere")
class PipesInQemuTest {
  private static final Xid SERVICE = Destination.service("vm7");
  private static final Duration LIMIT = Duration.ofSeconds(120);

  @TempDir Path dir;
  private Wire wire;
  private final List<Process> processes = new ArrayList<>();
  private final List<ResidentProcess> residents = new ArrayList<>();

  static boolean qemuIsThere() {
    return Stream.of(System.getenv("PATH").split(":"))
        .anyMatch(d -> Files.isExecutable(Path.of(d, "qemu-system-x86_64")));
  }

  /** A machine and its QMP. */
  private final class Machine {
    final Process process;
    final Path log;

    Machine(String name, String... more) throws IOException {
      log = dir.resolve(name + ".log");
      List<String> words =
          new ArrayList<>(
              List.of(
                  "qemu-system-x86_64",
                  "-accel",
                  "tcg",
                  "-m",
                  "64",
                  "-nodefaults",
                  "-no-user-config",
                  "-display",
                  "none",
                  "-qmp",
                  "stdio"));
      words.addAll(List.of(more));
      process =
          new ProcessBuilder(words)
              .redirectOutput(log.toFile())
              .redirectError(dir.resolve(name + ".err").toFile())
              .start();
      processes.add(process);
      qmp("{\"execute\":\"qmp_capabilities\"}");
    }

    void qmp(String command) throws IOException {
      OutputStream in = process.getOutputStream();
      in.write((command + "\n").getBytes(StandardCharsets.UTF_8));
      in.flush();
    }

    void events() throws IOException {
      qmp(
          "{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":"
              + "[{\"capability\":\"events\",\"state\":true}]}}");
    }

    void awaitLog(String text) {
      await().atMost(LIMIT).untilAsserted(() -> assertThat(Files.readString(log)).contains(text));
    }
  }

  @BeforeEach
  void start() throws Exception {
    wire = new Wire(dir);
  }

  @AfterEach
  void stop() throws Exception {
    for (Process process : processes) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor(60, TimeUnit.SECONDS);
    }
    residents.forEach(ResidentProcess::close);
    wire.close();
  }

  private String command(String name, int host, String... options) {
    Stream<String> java =
        Stream.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx24m",
            "-XX:+UseSerialGC",
            "-Dxmig.launcher=test",
            "-cp",
            System.getProperty("java.class.path"),
            PipeMain.class.getName(),
            name,
            "--xia",
            wire.stack(host));
    return Stream.concat(java, Stream.of(options))
            .map(w -> "'" + w + "'")
            .collect(Collectors.joining(" "))
        + " 2>"
        + dir.resolve(name + ".err");
  }

  private Machine destination(String exec) throws Exception {
    Machine machine = new Machine("destination", "-incoming", "defer");
    machine.events();
    machine.qmp("{\"execute\":\"migrate-incoming\",\"arguments\":{\"uri\":\"exec:" + exec + "\"}}");
    return machine;
  }

  private String err(String name) throws IOException {
    Path file = dir.resolve(name + ".err");
    return Files.exists(file) ? Files.readString(file) : "";
  }

  private void awaitListening() {
    await().atMost(LIMIT).until(() -> err("receive").contains("listening at"));
  }

  private static int exit(Process process) throws InterruptedException {
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("still runs").isTrue();
    return process.exitValue();
  }

  private String receive() {
    return command("receive", 1, "--service", SERVICE.toString());
  }

  private String send() {
    return command("send", 0, "--to", wire.service(1, SERVICE));
  }

  private Machine source(String machineType, String exec) throws Exception {
    Machine machine = new Machine("source", "-machine", machineType);
    machine.events();
    machine.qmp("{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"exec:" + exec + "\"}}");
    return machine;
  }

  private ResidentProcess resident(int host) {
    ResidentProcess made =
        new ResidentProcess(
            ResidentProcessTest.launcher(),
            dir.resolve("pipes" + host),
            dir.resolve("pipes.log"),
            wire.stack(host),
            Duration.ofSeconds(30));
    residents.add(made);
    made.start();
    await().atMost(LIMIT).until(() -> made.process().isPresent());
    return made;
  }

  private ResidentPipe receiving() {
    return new ResidentPipe(
        dir.resolve("pipes1"),
        dir,
        "receive-x",
        List.of("receive", "--service", "vm7", "--status", dir.resolve("status").toString()));
  }

  private ResidentPipe sending() {
    return new ResidentPipe(
        dir.resolve("pipes0"), dir, "send-x", List.of("send", "--to", wire.service(1, SERVICE)));
  }

  /** Both machines and both transfers, under way; slow so that there is time for something. */
  private Machine[] movingSlowly(ResidentPipe receive, ResidentPipe send) throws Exception {
    Machine destination = incoming(receive);
    Machine source = new Machine("source", "-machine", "pc");
    source.events();
    source.qmp("{\"execute\":\"migrate-set-parameters\",\"arguments\":{\"max-bandwidth\":100000}}");
    outgoing(source, send);
    // one that has got no byte waits for ever
    Pattern some = Pattern.compile("\"written\":[1-9]");
    await().atMost(LIMIT).until(() -> some.matcher(Files.readString(dir.resolve("status"))).find());
    return new Machine[] {source, destination};
  }

  private Machine incoming(ResidentPipe receive) throws Exception {
    Machine machine = new Machine("destination", "-incoming", "defer");
    machine.events();
    receive.prepare();
    machine.qmp(
        "{\"execute\":\"migrate-incoming\",\"arguments\":{\"uri\":\"" + receive.uri() + "\"}}");
    return machine;
  }

  private static void outgoing(Machine machine, ResidentPipe send) throws IOException {
    send.prepare();
    machine.qmp("{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"" + send.uri() + "\"}}");
  }

  private static void awaitRunning(Machine source) throws IOException {
    source.qmp("{\"execute\":\"query-status\"}");
    source.awaitLog("\"running\": true");
  }

  @Test
  void aMachineMovesThroughResidentPipesAndAnotherAfterIt() throws Exception {
    resident(0);
    resident(1);
    for (String type : List.of("pc", "pc,suppress-vmdesc=on")) {
      ResidentPipe receive = receiving();
      Machine destination = incoming(receive);
      Machine source = new Machine("source", "-machine", type);
      source.events();
      ResidentPipe send = sending();
      outgoing(source, send);
      source.awaitLog("\"status\": \"completed\"");
      destination.awaitLog("\"RESUME\"");
      awaitRunning(destination);
      await().atMost(LIMIT).until(() -> receive.exitStatus().isPresent());
      await().atMost(LIMIT).until(() -> send.exitStatus().isPresent());
      assertThat(receive.exitStatus()).hasValue(0);
      assertThat(send.exitStatus()).hasValue(0);
      source.process.destroyForcibly().waitFor();
      destination.process.destroyForcibly().waitFor();
    }
  }

  @Test
  void aCancelOfAMigrationThroughResidentPipesLeavesTheSourceRunning() throws Exception {
    resident(0);
    resident(1);
    ResidentPipe receive = receiving();
    ResidentPipe send = sending();
    Machine[] machines = movingSlowly(receive, send);
    machines[0].qmp("{\"execute\":\"migrate_cancel\"}");
    machines[0].awaitLog("\"status\": \"cancelled\"");
    awaitRunning(machines[0]);
    assertThat(exit(machines[1].process)).isEqualTo(1);
    await().atMost(LIMIT).until(() -> send.exitStatus().isPresent());
    assertThat(send.exitStatus()).hasValue(1);
    assertThat(send.lastWords()).contains("has no end");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void aCrashOfResidentPipesLeavesTheSourceRunning(int host) throws Exception {
    ResidentProcess[] both = {resident(0), resident(1)};
    ResidentPipe receive = receiving();
    ResidentPipe send = sending();
    Machine[] machines = movingSlowly(receive, send);
    both[host].process().orElseThrow().destroyForcibly();
    machines[0].awaitLog("\"status\": \"failed\"");
    awaitRunning(machines[0]);
    assertThat(exit(machines[1].process)).isEqualTo(1);
    await().atMost(LIMIT).until(() -> send.exitStatus().isPresent());
    await().atMost(LIMIT).until(() -> receive.exitStatus().isPresent());
    assertThat((host == 0 ? send : receive).exitStatus()).hasValue(137);
    assertThat((host == 0 ? receive : send).exitStatus()).hasValue(1);
    assertThat(Files.readString(machines[1].log)).doesNotContain("\"RESUME\"");
  }

  @Test
  void aMachineMovesThroughThePlainCommands() throws Exception {
    Machine destination = destination(receive());
    awaitListening();
    Machine source = source("pc", send());
    source.awaitLog("\"status\": \"completed\"");
    destination.awaitLog("\"RESUME\"");
    destination.qmp("{\"execute\":\"query-status\"}");
    destination.awaitLog("\"running\": true");
    assertThat(err("send")).isEmpty();
  }

  @Test
  void aMachineMovesInTheBackgroundWithTheShortestEnd() throws Exception {
    Machine destination = destination("exec 3<&0; " + receive() + " <&3 3<&- & exit 0");
    awaitListening();
    Machine source = source("pc,suppress-vmdesc=on", "exec 3<&0; " + send() + " <&3 3<&- & exit 0");
    source.awaitLog("\"status\": \"completed\"");
    destination.awaitLog("\"RESUME\"");
    destination.qmp("{\"execute\":\"query-status\"}");
    destination.awaitLog("\"running\": true");
  }

  @Test
  void aCancelLeavesTheSourceRunningAndEndsTheDestination() throws Exception {
    Machine destination = destination(receive());
    awaitListening();
    Machine source = new Machine("source", "-machine", "pc");
    source.events();
    source.qmp("{\"execute\":\"migrate-set-parameters\",\"arguments\":{\"max-bandwidth\":100000}}");
    source.qmp("{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"exec:" + send() + "\"}}");
    source.awaitLog("\"status\": \"active\"");
    destination.awaitLog("\"status\": \"active\"");
    source.qmp("{\"execute\":\"migrate_cancel\"}");
    source.awaitLog("\"status\": \"cancelled\"");
    source.qmp("{\"execute\":\"query-status\"}");
    source.awaitLog("\"running\": true");
    assertThat(exit(destination.process)).isEqualTo(1);
    assertThat(Files.readString(destination.log)).doesNotContain("\"RESUME\"");
    await().atMost(LIMIT).until(() -> err("send").contains("has no end"));
  }

  @Test
  void aReceiverThatCannotStartDoesNotLeaveTheDestinationWaiting() throws Exception {
    String exec = receive().replace(wire.stack(1), "node:" + dir.resolve("none"));
    Machine destination = destination(exec);
    assertThat(exit(destination.process)).isEqualTo(1);
    assertThat(err("destination")).contains("Not a migration stream");
  }

  @Test
  void aSenderThatFindsNobodyLeavesTheSourceRunning() throws Exception {
    Machine source = source("pc", send().replace(" 2>", " --connect-timeout 1s 2>"));
    source.awaitLog("\"status\": \"failed\"");
    source.qmp("{\"execute\":\"query-status\"}");
    source.awaitLog("\"running\": true");
    assertThat(err("send")).contains("cannot reach the destination");
  }
}
