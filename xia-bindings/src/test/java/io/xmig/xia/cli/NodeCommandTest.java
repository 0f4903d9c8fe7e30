package io.xmig.xia.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.ipc.IpcStack;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Timeout(300)
class NodeCommandTest {
  private static final String FILE =
      "require(library xia_router_lib.click);\n"
          + "host0 :: XIAEndHost(RE AD0 HID0, HID0, 1500, 1, 02:00:00:00:0a:00);\n"
          + "lan :: EtherSwitch;\nhost0 -> Unqueue -> lan -> host0;\n";

  @TempDir Path dir;

  private final StringWriter errors = new StringWriter();

  private int run(Object command, String... arguments) {
    return new CommandLine(command).setErr(new PrintWriter(errors)).execute(arguments);
  }

  @Test
  void helpShowsExamplesAndExitCodes() {
    StringWriter help = new StringWriter();
    new CommandLine(new NodeCommand()).usage(new PrintWriter(help));
    assertThat(help.toString()).contains("Examples:", "Exit codes:", "--only", "plug-SEGMENT_A");
  }

  @Test
  void wrongUsageIsToldInOneLineWithStatusTwo() throws Exception {
    Path file = Files.writeString(dir.resolve("net.click"), FILE);
    Path broken = Files.writeString(dir.resolve("broken.click"), "host0 :: XIAEndHost(;\n");
    String[][] wrong = {
      {},
      {file.toString(), "--mtu", "70000"},
      {file.toString(), "--shape", "quick"},
      {file.toString(), "--cache", "64,newest"},
      {file.toString(), "--cache", "much"},
      {file.toString(), "--control", "seventy"},
      {file.toString(), "--only", "host7", "--run", dir.resolve("run").toString()},
      {broken.toString(), "--run", dir.resolve("run").toString()}
    };
    for (String[] arguments : wrong) {
      assertThat(run(new NodeCommand(), arguments)).as(String.join(" ", arguments)).isEqualTo(2);
    }
    assertThat(errors.toString())
        .contains("host7", "broken.click:1", "quick", "newest", "much", "seventy");
    assertThat(errors.toString()).doesNotContain("\tat ");
  }

  @Test
  void runsUntilItIsTerminatedAndRemovesItsSockets() throws Exception {
    Path file = Files.writeString(dir.resolve("net.click"), FILE);
    Path sockets = dir.resolve("run");
    Process node =
        new ProcessBuilder(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Runner.class.getName(),
                file.toString(),
                "--run",
                sockets.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      BufferedReader out =
          new BufferedReader(new InputStreamReader(node.getInputStream(), StandardCharsets.UTF_8));
      List<String> lines = out.lines().takeWhile(line -> !line.equals("ready")).toList();
      assertThat(lines).hasSize(3);
      assertThat(lines.get(0)).isEqualTo("node host0 " + sockets.resolve("host0.api"));
      // as Click does, unless somebody on this machine has the port of the file
      assertThat(lines.get(1)).matches("api host0 (127.0.0.1:1500|none: UDP port 1500 is taken.*)");
      assertThat(lines.get(2)).isEqualTo("plug lan " + sockets.resolve("plug-lan.sock"));
      try (IpcStack stack = IpcStack.connect(sockets.resolve("host0.api"))) {
        assertThat(stack.capabilities().name()).isEqualTo("node");
      }
      node.destroy();
      assertThat(node.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(node.exitValue()).isZero();
      try (Stream<Path> left = Files.list(sockets)) {
        assertThat(left).isEmpty();
      }
    } finally {
      node.destroyForcibly();
    }
  }

  /** What the launcher does. */
  static final class Runner {
    public static void main(String[] arguments) {
      System.exit(new CommandLine(new NodeCommand()).execute(arguments));
    }
  }

  @Command(name = "probe")
  static final class Probe implements Runnable {
    @Mixin StackOption xia = new StackOption();

    @Override
    public void run() {
      try (XiaStack stack = xia.open()) {
        assertThat(stack.capabilities()).isNotNull();
      }
    }
  }

  @Test
  void aStackThatDoesNotExistIsWrongUsage() {
    assertThat(run(new Probe(), "--xia", "smoke-signals")).isEqualTo(2);
    assertThat(errors.toString()).contains("--xia", "smoke-signals", "node");
  }
}
