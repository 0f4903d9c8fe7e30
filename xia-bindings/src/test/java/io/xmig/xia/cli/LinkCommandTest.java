package io.xmig.xia.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.xmig.xia.link.posix.Threads;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

@Timeout(300)
class LinkCommandTest {
  private final String id = Long.toString(ProcessHandle.current().pid() % 100_000, 36);

  @Test
  void wrongUsageIsToldInOneLineWithStatusTwo() {
    String[][] wrong = {
      {"tap:a"}, {"tap:a", "smoke:b"}, {"unix:/tmp/a", "tap:b"}, {"tap:a", "tap:b", "--mtu", "9"}
    };
    for (String[] arguments : wrong) {
      StringWriter errors = new StringWriter();
      int status =
          new CommandLine(new LinkCommand()).setErr(new PrintWriter(errors)).execute(arguments);
      assertThat(status).as(String.join(" ", arguments)).isEqualTo(2);
      assertThat(errors.toString()).doesNotContain("\tat ");
    }
  }

  @Test
  void ipPacketsOfTwoNamespacesCrossItWithItsDelay() throws Exception {
    assumeTrue(Threads.userId() == 0, "needs root");
    assumeTrue(Files.exists(Path.of("/dev/net/tun")), "needs tun");
    String left = "xml-" + id + "-a";
    String right = "xml-" + id + "-b";
    assumeTrue(run("ip", "netns", "add", left).isEmpty(), "needs namespaces");
    Process link = null;
    try {
      assertThat(run("ip", "netns", "add", right)).isEmpty();
      link =
          new ProcessBuilder(
                  System.getProperty("java.home")
                      + File.separator
                      + "bin"
                      + File.separator
                      + "java",
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Runner.class.getName(),
                  "tap:xla" + id,
                  "tap:xlb" + id,
                  "--shape",
                  "100mbit,8ms")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      BufferedReader out =
          new BufferedReader(new InputStreamReader(link.getInputStream(), StandardCharsets.UTF_8));
      assertThat(out.readLine()).isEqualTo("ready");
      move("xla" + id, left, "10.9.7.1/24");
      move("xlb" + id, right, "10.9.7.2/24");
      // a refused connection takes one round trip
      String script =
          "for i in {1..300}; do s=$EPOCHREALTIME; (exec 3<>/dev/tcp/10.9.7.2/9) 2>/dev/null;"
              + " e=$EPOCHREALTIME; t=$(( ${e/[.,]/} - ${s/[.,]/} )); echo $t;"
              + " [ $i -lt 6 ] || [ $t -gt 30000 ] || break; done"; // a busy machine needs more
      String times = run("ip", "netns", "exec", left, "bash", "-c", script);
      long best = times.lines().mapToLong(Long::parseLong).min().orElseThrow();
      assertThat(best).as("microseconds: %s", times).isBetween(16_000L, 30_000L);
      link.destroy();
      assertThat(link.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(link.exitValue()).isZero();
    } finally {
      if (link != null) {
        link.destroyForcibly().waitFor();
      }
      run("ip", "netns", "del", left);
      run("ip", "netns", "del", right);
    }
  }

  private static void move(String name, String namespace, String address) throws Exception {
    assertThat(run("ip", "link", "set", name, "netns", namespace)).isEmpty();
    assertThat(run("ip", "-n", namespace, "addr", "add", address, "dev", name)).isEmpty();
    assertThat(run("ip", "-n", namespace, "link", "set", name, "up")).isEmpty();
  }

  private static String run(String... command) throws Exception {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException missing) {
      return missing.getMessage();
    }
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output;
  }

  /** What the launcher does. */
  static final class Runner {
    public static void main(String[] arguments) {
      System.exit(new CommandLine(new LinkCommand()).execute(arguments));
    }
  }
}
