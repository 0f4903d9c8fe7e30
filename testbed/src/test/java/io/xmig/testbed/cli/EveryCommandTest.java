package io.xmig.testbed.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

class EveryCommandTest {
  static Stream<String> commands() {
    List<String> names = new ArrayList<>();
    collect(Main.commandLine(""), names);
    return names.stream();
  }

  private static void collect(CommandLine command, List<String> names) {
    names.add(command.getCommandSpec().qualifiedName());
    command.getSubcommands().values().forEach(each -> collect(each, names));
  }

  private static CommandLine find(String qualifiedName) {
    CommandLine found = Main.commandLine("");
    for (String word : qualifiedName.split(" ")) {
      found = word.equals("xmig") ? found : found.getSubcommands().get(word);
    }
    return found;
  }

  @ParameterizedTest
  @MethodSource("commands")
  void hasExitCodesAndExamplesThatFitOnALine(String name) {
    CommandLine command = find(name);
    String help = command.getUsageMessage();
    assertThat(help).contains("Exit codes:").contains("  2");
    assertThat(help.lines().filter(line -> line.length() > 100)).isEmpty();
    if (!name.equals("xmig")) {
      String[] examples = command.getCommandSpec().usageMessage().footer();
      assertThat(String.join("\n", examples)).containsAnyOf("  xmig ", "  testbed/");
      for (String example : examples) {
        assertThat(help).contains(example.replace("%%", "%")); // not broken in two
      }
    }
  }

  @ParameterizedTest
  @MethodSource("commands")
  void saysInTheImperativeWhatItDoesAndWhatEachOptionMeans(String name) {
    CommandSpec spec = find(name).getCommandSpec();
    String first = spec.usageMessage().description()[0];
    assertThat(first).isNotBlank();
    if (!name.equals("xmig")) {
      assertThat(first.split(" ")[0]).as(first).matches("The|[A-Z][a-z]*[^s]|Express");
    }
    for (Collection<? extends ArgSpec> args :
        List.of(spec.options(), spec.positionalParameters())) {
      for (ArgSpec arg : args) {
        if (arg.hidden()) {
          continue;
        }
        String said = String.join(" ", arg.description());
        assertThat(said).as(name + " " + arg.paramLabel()).isNotBlank().doesNotStartWith("Default");
        assertThat(arg.arity().max() == 0 ? "" : arg.paramLabel())
            .as(name + ": " + said)
            .doesNotContain("<");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "node /nonexistent/x.click, /nonexistent/x.click",
    "ping --xia node:/nonexistent/x.api vm, /nonexistent/x.api",
    "perf client --xia node:/nonexistent/x.api vm, /nonexistent/x.api",
    "cal client --xia node:/nonexistent/x.api vm, /nonexistent/x.api",
    "send --raw --xia node:/nonexistent/x.api --to vm, /nonexistent/x.api",
    "name lookup --xia node:/nonexistent/x.api vm, /nonexistent/x.api",
    "route show --xia node:/nonexistent/x.api, /nonexistent/x.api",
    "gateway --accept-unsigned --xia node:/nonexistent/x.api, /nonexistent/x.api",
    "agent status --status-file /nonexistent/x, /nonexistent/x",
    "vm list --service-at /nonexistent/x.sock, /nonexistent/x.sock",
    "migrate vm7 --to B --service-at /nonexistent/x.sock, /nonexistent/x.sock",
    "key show /nonexistent/x.pub, /nonexistent/x.pub",
  })
  void whatIsNotThereIsOneMessageThatNamesItWithExitCodeOne(String words, String named) {
    StringWriter err = new StringWriter();
    CommandLine xmig = Main.commandLine("");
    xmig.setErr(new PrintWriter(err)).setOut(new PrintWriter(new StringWriter()));
    int status = xmig.execute(words.split(" "));
    assertThat(err.toString())
        .contains(named)
        .doesNotContain("\tat ")
        .doesNotContain("Exception")
        .hasLineCount(1);
    assertThat(status).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "nonsense",
        "--nonsense",
        "node",
        "node a.click b.click",
        "node --mtu 10 x.click",
        "link tap:a",
        "link tap:a dev",
        "link unix:/a,/b unix:/c,/d --mtu 3",
        "ping",
        "ping -c x host",
        "ping --size 1 host",
        "ping --xia quantum host",
        "cal",
        "cal client",
        "cal client host --socket tcp",
        "perf",
        "perf client",
        "perf client host --test tcp",
        "perf client host --seconds -1",
        "perf client host --rate fast",
        "perf client host --message 1",
        "bench tcp",
        "send",
        "send --to 'DAG",
        "send --to vm --in-flight lots",
        "send --to vm --resume-timeout soon",
        "send --to vm --compress maybe",
        "receive --service 'a b'",
        "receive --in-flight 1x",
        "host --tls-port 70000000",
        "vm",
        "vm start",
        "vm stop",
        "migrate vm7",
        "gateway --period never",
        "gateway --trust-gateway AD:1",
        "agent --guest HID:0",
        "agent --mac 1:2",
        "nameserver --capacity many",
        "name",
        "name register x y",
        "name lookup x --timeout soon",
        "route",
        "route add HID:1",
        "route set XXX:- --port 0",
        "route show --control nowhere",
        "key",
        "key delegate",
        "key delegate --key a --to b --scope everything --for 1h --out c",
        "doctor --port 0",
        "image --disk much",
        "testbed",
        "testbed run",
        "testbed run --migrations x intra-ad",
        "testbed run mars",
        "completion fish"
      })
  void wrongUsageIsOneMessageWithExitCodeTwoAndNoStackTrace(String words) {
    StringWriter err = new StringWriter();
    CommandLine xmig = Main.commandLine("");
    xmig.setErr(new PrintWriter(err)).setOut(new PrintWriter(new StringWriter()));
    int status =
        xmig.execute(
            Arrays.stream(words.split(" ")).filter(w -> !w.isEmpty()).toArray(String[]::new));
    assertThat(err.toString()).doesNotContain("\tat ").contains("xmig").contains(": ");
    assertThat(status).as(err.toString()).isEqualTo(2);
  }
}
