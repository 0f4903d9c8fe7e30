package io.xmig.control.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.cli.ByteSize;
import io.xmig.xia.cli.TimeSpan;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class CommandLinesTest {
  private static String usageError(Object command, String... args) {
    StringWriter err = new StringWriter();
    CommandLine line = new CommandLine(command).setErr(new PrintWriter(err));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    assertThat(line.execute(args)).as("%s", err).isEqualTo(2);
    assertThat(err.toString()).doesNotContain("\tat ");
    return err.toString();
  }

  @Test
  void aDestinationThatIsNeitherNameNorDagIsAUsageErrorThatPointsAtTheColumn() {
    assertThat(usageError(new SendCommand(), "--to", "RE AD:12 HID:xyz"))
        .contains("--to")
        .contains("column");
  }

  @Test
  void aServiceMustBeASidOrAName() {
    String ad = "AD:" + "1".repeat(40);
    assertThat(usageError(new ReceiveCommand(), "--service", ad))
        .contains("expected a SID or a name");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"--chunk-size=3", "--in-flight=lots", "--resume-timeout=soon", "--compress=maybe"})
  void impossibleValuesAreUsageErrors(String option) {
    assertThat(usageError(new SendCommand(), "--to", "vm7", option))
        .contains(option.substring(0, option.indexOf('=')));
  }

  @Test
  void helpShowsExamplesAndExitCodes() {
    StringWriter out = new StringWriter();
    for (Object command : new Object[] {new SendCommand(), new ReceiveCommand()}) {
      assertThat(new CommandLine(command).setOut(new PrintWriter(out)).execute("--help")).isZero();
    }
    assertThat(out.toString()).contains("exec:").contains("Exit codes").contains("143");
  }

  @Test
  void theSidOfANameIsItsSha1() {
    assertThat(Destination.service("abc"))
        .isEqualTo(Xid.parse("SID:a9993e364706816aba3e25717850c26c9cd0d89d"));
    assertThatThrownBy(() -> Destination.service("two words"))
        .isInstanceOf(DagParseException.class);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2k, 2048", "4M, 4194304", "1GiB, 1073741824", "3MB, 3145728"})
  void sizesHaveUnits(String text, long bytes) {
    assertThat(new ByteSize().convert(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({"60s, 60000", "200ms, 200", "5, 5000", "1.5s, 1500", "2m, 120000"})
  void timesHaveUnits(String text, long millis) {
    assertThat(new TimeSpan().convert(text)).isEqualTo(Duration.ofMillis(millis));
  }

  @Test
  void theChildOfADetachedCommandHasTheSameCommandLineAndDoesNotDetachAgain() {
    assertThat(
            Detach.childCommand(
                "/opt/jdk/bin/java", "java\0-cp\0x y\0Main\0send\0--detach\0--to\0vm\0"))
        .containsExactly(
            "/opt/jdk/bin/java", "-cp", "x y", "Main", "send", "--detached", "--to", "vm");
  }
}
