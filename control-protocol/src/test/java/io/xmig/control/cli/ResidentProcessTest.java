package io.xmig.control.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.xmig.control.resident.ResidentClient;
import io.xmig.control.resident.ResidentPipe;
import io.xmig.control.resident.ResidentProcess;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The resident pipes as a process of their own, and who looks after it. */
@Timeout(300)
class ResidentProcessTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Duration STAYS = Duration.ofSeconds(30);

  @TempDir Path dir;
  private Wire wire;
  private final List<ResidentProcess> supervisors = new ArrayList<>();
  private final List<ProcessHandle> processes = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    wire = new Wire(dir);
  }

  @AfterEach
  void stop() {
    supervisors.forEach(ResidentProcess::close);
    processes.forEach(ProcessHandle::destroyForcibly);
    wire.close();
  }

  private Path socket() {
    return dir.resolve("pipes.sock");
  }

  static List<String> launcher() {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx64m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Dlogback.configurationFile=logback-off.xml",
        "-cp",
        System.getProperty("java.class.path"),
        PipeMain.class.getName());
  }

  private ResidentProcess supervise(int host, Duration idleExit) {
    ResidentProcess made =
        new ResidentProcess(
            launcher(), socket(), dir.resolve("pipes.log"), wire.stack(host), idleExit);
    supervisors.add(made);
    made.start();
    return made;
  }

  private ProcessHandle running(ResidentProcess of) {
    await().atMost(LIMIT).until(() -> of.process().isPresent());
    ProcessHandle process = of.process().orElseThrow();
    processes.add(process);
    return process;
  }

  private static void awaitEnd(ProcessHandle process) {
    await().atMost(LIMIT).until(() -> !process.isAlive());
  }

  private ResidentPipe sender() {
    return new ResidentPipe(
        socket(),
        dir,
        "send-x",
        List.of("send", "--raw", "--to", wire.service(1, Destination.service("x"))));
  }

  @Test
  void aKilledProcessIsStartedAgainAndItsTransferCountsAsKilled() throws Exception {
    ResidentProcess supervisor = supervise(0, STAYS);
    ProcessHandle first = running(supervisor);
    ResidentPipe pipe = sender();
    pipe.prepare();
    try (SocketChannel qemu =
        SocketChannel.open(UnixDomainSocketAddress.of(pipe.uri().substring("unix:".length())))) {
      assertThat(pipe.exitStatus()).isEmpty();
      first.destroyForcibly();
      awaitEnd(first);
      assertThat(pipe.exitStatus()).hasValue(137);
      assertThat(ended(qemu)).isTrue();
    }
    await()
        .atMost(LIMIT)
        .until(() -> supervisor.process().filter(p -> p.pid() != first.pid()).isPresent());
    ProcessHandle second = running(supervisor);
    supervisor.close();
    assertThat(second.isAlive()).isFalse();
    assertThat(socket()).doesNotExist();
  }

  private static boolean ended(SocketChannel qemu) {
    try {
      return qemu.read(ByteBuffer.allocate(1)) < 0;
    } catch (IOException reset) {
      return true;
    }
  }

  @Test
  void aSuccessorTakesItOverWithItsTransfersAndOneOfAnotherStackReplacesIt() throws Exception {
    ResidentProcess before = supervise(0, STAYS);
    ProcessHandle process = running(before);
    ResidentPipe pipe = sender();
    pipe.prepare();
    before.leave();

    ResidentProcess after = supervise(0, STAYS);
    assertThat(running(after)).isEqualTo(process);
    try (ResidentClient client = new ResidentClient(socket())) {
      assertThat(client.hello().transfers()).isEqualTo(1);
    }
    sender().kill(); // as the successor knows it
    await().atMost(LIMIT).until(() -> sender().exitStatus().isPresent());
    assertThat(sender().exitStatus()).hasValue(137);
    after.leave();

    ResidentProcess other = supervise(1, STAYS);
    awaitEnd(process);
    await().atMost(LIMIT).until(() -> other.process().isPresent());
    try (ResidentClient client = new ResidentClient(socket())) {
      assertThat(client.hello().stack()).isEqualTo(wire.stack(1));
    }
  }

  @Test
  void withoutAnybodyItEndsByItselfButNotWhileATransferNeedsIt() throws Exception {
    ResidentProcess supervisor = supervise(0, Duration.ofMillis(700));
    ProcessHandle process = running(supervisor);
    ResidentPipe pipe = sender();
    pipe.prepare();
    supervisor.leave();
    Thread.sleep(2000);
    assertThat(process.isAlive()).isTrue();
    pipe.terminate();
    awaitEnd(process);
    assertThat(pipe.exitStatus()).hasValue(143);
    assertThat(Files.readString(dir.resolve("pipes.log"))).contains("pipes ready");
    assertThat(socket()).doesNotExist();
  }

  @Test
  void whatCannotStartIsTriedAgain() throws Exception {
    Files.createDirectory(socket());
    ResidentProcess supervisor = supervise(0, STAYS);
    await()
        .atMost(LIMIT)
        .until(
            () ->
                Files.exists(dir.resolve("pipes.log"))
                    && Files.readString(dir.resolve("pipes.log")).contains("cannot listen"));
    Files.delete(socket());
    running(supervisor);
  }
}
