package io.xmig.control.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.xmig.control.pipe.FailureMark;
import io.xmig.control.session.QemuStreams;
import io.xmig.xia.addr.Xid;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The two commands as processes of their own, over two nodes in this one. */
@Timeout(300)
class PipeProcessTest {
  private static final Xid SERVICE = Destination.service("vm7");
  private static final Duration LIMIT = Duration.ofSeconds(120);

  @TempDir Path dir;
  private Wire wire;
  private final List<Process> processes = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    wire = new Wire(dir);
  }

  @AfterEach
  void stop() throws Exception {
    for (Process process : processes) {
      process.destroyForcibly().waitFor(120, TimeUnit.SECONDS);
    }
    wire.close();
  }

  private ProcessBuilder command(String name, int host, String... options) {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(
        List.of(
            "-Xmx24m",
            "-XX:MaxDirectMemorySize=64m",
            "-XX:ReservedCodeCacheSize=20m",
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",
            "-Xss512k",
            "-Xshare:auto",
            "-Dxmig.launcher=test",
            "-Dlogback.configurationFile=logback-off.xml",
            "-cp",
            System.getProperty("java.class.path"),
            PipeMain.class.getName(),
            name,
            "--xia",
            wire.stack(host)));
    words.addAll(List.of(options));
    return new ProcessBuilder(words).redirectError(dir.resolve(name + ".err").toFile());
  }

  private Process run(ProcessBuilder builder) throws IOException {
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  private String err(String name) throws IOException {
    return Files.readString(dir.resolve(name + ".err"));
  }

  private void awaitListening() {
    await().atMost(LIMIT).until(() -> err("receive").contains("listening at"));
  }

  private static int exit(Process process) throws InterruptedException {
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("still runs").isTrue();
    return process.exitValue();
  }

  private Process receiver(Path output, String... more) throws IOException {
    List<String> options = new ArrayList<>(List.of("--service", SERVICE.toString()));
    options.addAll(List.of(more));
    ProcessBuilder builder = command("receive", 1, options.toArray(new String[0]));
    return run(builder.redirectOutput(output.toFile()));
  }

  private ProcessBuilder sender(String... more) {
    List<String> options = new ArrayList<>(List.of("--to", wire.service(1, SERVICE)));
    options.addAll(List.of(more));
    return command("send", 0, options.toArray(new String[0]));
  }

  private Path randomFile(int bytes) throws IOException {
    byte[] content = new byte[bytes];
    new Random(bytes).nextBytes(content);
    content[0] = 1;
    return Files.write(dir.resolve("input"), content);
  }

  private static long peakMegabytes(Process process) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
      }
    }
    throw new AssertionError("no VmHWM");
  }

  @Test
  void sixtyFourMegabytesArriveUnchangedAndEveryoneExits0() throws Exception {
    Path input = randomFile(64 << 20);
    Path output = dir.resolve("output");
    Path status = dir.resolve("status");
    Process receive = receiver(output);
    awaitListening();
    long began = System.nanoTime();
    Process send =
        run(sender("--status", status.toString()).redirectInput(Redirect.from(input.toFile())));
    long peak = 0;
    while (receive.isAlive()) {
      try {
        peak = Math.max(peak, peakMegabytes(receive));
      } catch (IOException | AssertionError gone) {
        break;
      }
      receive.waitFor(50, TimeUnit.MILLISECONDS);
    }
    assertThat(exit(receive)).as(err("receive")).isZero();
    assertThat(exit(send)).as(err("send")).isZero();
    System.out.printf(
        "64 MiB: %d ms with start, receiver peak %d MB%n",
        (System.nanoTime() - began) / 1_000_000, peak);
    assertThat(sha256(output)).isEqualTo(sha256(input));
    assertThat(err("send")).isEmpty();
    assertThat(Files.readString(status))
        .contains("\"event\":\"verified\"")
        .contains("\"event\":\"progress\"");
  }

  private static String sha256(Path file) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    try (InputStream in = Files.newInputStream(file)) {
      byte[] part = new byte[1 << 16];
      for (int count = in.read(part); count >= 0; count = in.read(part)) {
        digest.update(part, 0, count);
      }
    }
    return java.util.HexFormat.of().formatHex(digest.digest());
  }

  @Test
  void aCancelledQemuStreamEndsBothAtOnceAndTheEndIsNotWritten() throws Exception {
    byte[] stream = QemuStreams.make(new SplittableRandom(1), 500, true, false).bytes();
    Path output = dir.resolve("output");
    Process receive = receiver(output);
    awaitListening();
    Process send = run(sender());
    try (OutputStream in = send.getOutputStream()) {
      in.write(stream, 0, 1_000_000);
    }
    assertThat(exit(send)).isEqualTo(1);
    assertThat(exit(receive)).isEqualTo(1);
    assertThat(err("send")).contains("has no end").hasLineCount(1);
    assertThat(err("receive")).contains("the source gave up (stream incomplete)");
    assertThat(Files.size(output)).isLessThanOrEqualTo(1_000_000 - 16);
  }

  @Test
  void aKilledSenderIsNoticedByTheReceiver() throws Exception {
    Process receive = receiver(dir.resolve("output"));
    awaitListening();
    Process send = run(sender());
    send.getOutputStream().write(new byte[300_000]);
    send.getOutputStream().flush();
    await().atMost(LIMIT).until(() -> Files.size(dir.resolve("output")) > 200_000);
    send.destroyForcibly();
    assertThat(exit(receive)).isEqualTo(1);
    assertThat(err("receive")).contains("the source was lost");
  }

  @Test
  void aKilledReceiverIsNoticedByTheSender() throws Exception {
    Process receive = receiver(dir.resolve("output"));
    awaitListening();
    Process send = run(sender());
    send.getOutputStream().write(new byte[300_000]);
    send.getOutputStream().flush();
    await().atMost(LIMIT).until(() -> Files.size(dir.resolve("output")) > 200_000);
    receive.destroyForcibly();
    assertThat(exit(send)).isEqualTo(1);
    assertThat(err("send")).contains("the destination was lost");
  }

  @Test
  void sigtermIsToldToThePeer() throws Exception {
    Process receive = receiver(dir.resolve("output"));
    awaitListening();
    Process send = run(sender());
    send.getOutputStream().write(new byte[300_000]);
    send.getOutputStream().flush();
    await().atMost(LIMIT).until(() -> Files.size(dir.resolve("output")) > 200_000);
    // not destroy() of Process, which closes standard input too: an end of input is a success
    send.toHandle().destroy();
    assertThat(exit(send)).isEqualTo(143);
    assertThat(exit(receive)).isEqualTo(1);
    assertThat(err("receive")).contains("stopped by a signal");
    assertThat(err("send")).contains("stopped by a signal");
  }

  @Test
  void aReceiverWhoseReaderIsGoneStopsTheSender() throws Exception {
    Process receive = run(command("receive", 1, "--service", SERVICE.toString()));
    awaitListening();
    receive.getInputStream().close();
    Process send = run(sender().redirectInput(randomFile(4 << 20).toFile()));
    assertThat(exit(send)).isEqualTo(1);
    assertThat(exit(receive)).isEqualTo(1);
    assertThat(err("send")).contains("output closed").contains("Broken pipe");
  }

  @Test
  void aFullDiskStopsBothAndIsNamed() throws Exception {
    Process receive = receiver(Path.of("/dev/full"));
    awaitListening();
    Process send = run(sender().redirectInput(randomFile(4 << 20).toFile()));
    assertThat(exit(send)).isEqualTo(1);
    assertThat(exit(receive)).isEqualTo(1);
    assertThat(err("send")).contains("No space left on device").hasLineCount(1);
    assertThat(err("receive")).contains("No space left on device").doesNotContain("reader");
  }

  @Test
  void anEmptyInputIsNoMigration() throws Exception {
    Process receive = receiver(dir.resolve("output"));
    awaitListening();
    Process send = run(sender().redirectInput(Path.of("/dev/null").toFile()));
    assertThat(exit(send)).isEqualTo(1);
    assertThat(exit(receive)).isEqualTo(1);
    assertThat(err("send")).contains("after 0 bytes has no end").hasLineCount(1);
    assertThat(Files.size(dir.resolve("output"))).isZero();
  }

  @Test
  void aSecondReceiverOfTheSameServiceIsRefusedAndTheFirstGoesOn() throws Exception {
    Process first = receiver(dir.resolve("output"));
    awaitListening();
    ProcessBuilder again = command("receive", 1, "--service", SERVICE.toString());
    Process second = run(again.redirectError(dir.resolve("second.err").toFile()));
    assertThat(exit(second)).isEqualTo(1);
    assertThat(err("second")).contains("bound already").hasLineCount(1);
    Path input = randomFile(100_000);
    assertThat(exit(run(sender().redirectInput(input.toFile())))).isZero();
    assertThat(exit(first)).isZero();
    assertThat(sha256(dir.resolve("output"))).isEqualTo(sha256(input));
  }

  @Test
  void aReceiverThatCannotReachItsNodeMakesAQemuGiveUp() throws Exception {
    ProcessBuilder builder = command("receive", 1, "--service", SERVICE.toString());
    builder.command().set(builder.command().indexOf("--xia") + 1, "node:" + dir.resolve("none"));
    Process receive = run(builder);
    byte[] written = receive.getInputStream().readAllBytes();
    assertThat(exit(receive)).isEqualTo(1);
    assertThat(written).isEqualTo(FailureMark.bytes());
    assertThat(err("receive")).startsWith("xmig receive: ").hasLineCount(1);
  }

  @Test
  void nobodyListeningIsSaid() throws Exception {
    Process send = run(sender("--connect-timeout", "2s").redirectInput(randomFile(1000).toFile()));
    assertThat(exit(send)).isEqualTo(1);
    assertThat(err("send")).contains("cannot reach the destination").hasLineCount(1);
  }

  @Test
  void closedStandardInputIsSaid() throws Exception {
    ProcessBuilder send = sender();
    String line = String.join(" ", send.command().stream().map(w -> "'" + w + "'").toList());
    Process shell =
        run(
            new ProcessBuilder("sh", "-c", line + " <&-")
                .redirectError(dir.resolve("send.err").toFile()));
    assertThat(exit(shell)).isEqualTo(1);
    assertThat(err("send")).contains("standard input is closed");
  }

  @Test
  void aDetachedSenderOutlivesTheCommandThatQemuWaitsFor() throws Exception {
    Path output = dir.resolve("output");
    Process receive = receiver(output);
    awaitListening();
    Path fifo = dir.resolve("fifo");
    assertThat(exit(run(new ProcessBuilder("mkfifo", fifo.toString())))).isZero();
    try (RandomAccessFile in = new RandomAccessFile(fifo.toFile(), "rw")) {
      Process send = run(sender("--detach").redirectInput(fifo.toFile()));
      in.write("one".getBytes(StandardCharsets.UTF_8));
      assertThat(exit(send)).as(err("send")).isZero();
      in.write("two".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(exit(receive)).as(err("receive")).isZero();
    assertThat(Files.readString(output)).isEqualTo("onetwo");
  }
}
