package io.xmig.testbed.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class BenchCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... words) {
    return new CommandLine(new BenchCommand())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .execute(words);
  }

  @ParameterizedTest
  @CsvSource({
    "tcp, no bench 'tcp'",
    "chunk --mtu 1000, 1024 to 65535",
    "chunk --repetitions 0, --repetitions is 1 to",
    "chunk --size 12x, is not a size",
    "chunk --chunk-size 8M, 1K to 4M",
    "chunk --shape 3parsecs, --shape:",
    "chunk --shape 1ms --links udp, leave one of the two out",
    "stream --parallel 65, 1 to 64",
    "forward --warm-up -1, 0 to 3600",
    "chunk --links tcp, --links",
    "chunk --cache 64:newest, --cache:",
    "chunk --cache 2000, at most 1024",
  })
  void wrongUsageIsNamedAndIsExitCodeTwo(String words, String said) {
    assertThat(run(words.split(" "))).isEqualTo(2);
    assertThat(err.toString()).contains(said).doesNotContain("\tat ");
  }

  @Test
  void jsonHasEverySampleAndTheirMedian() throws Exception {
    assertThat(run("hash", "forward", "-n", "1", "--warm-up", "0", "--json", "--quiet")).isZero();
    assertThat(err.toString()).isEmpty();
    JsonNode report = new ObjectMapper().readTree(out.toString());
    assertThat(report.at("/machine/cores").asInt()).isPositive();
    assertThat(report.get("figures")).hasSize(6);
    for (JsonNode figure : report.get("figures")) {
      assertThat(figure.get("samples")).hasSize(1);
      assertThat(figure.get("median").asDouble())
          .isPositive()
          .isEqualTo(figure.at("/samples/0").asDouble());
    }
  }

  @Test
  void medianAndSpreadAreThoseOfTheSamples() {
    Figure odd = figure(5, 1, 9);
    assertThat(odd.median()).isEqualTo(5);
    assertThat(odd.min()).isEqualTo(1);
    assertThat(odd.max()).isEqualTo(9);
    assertThat(odd.spread()).isEqualTo(8 / 5.0);
    assertThat(odd.samples()).containsExactly(5.0, 1.0, 9.0);
    assertThat(figure(4, 1, 2, 3).median()).isEqualTo(2.5);
  }

  private static Figure figure(double... samples) {
    return Figure.of("chunk", "", "", "MB/s", samples, Map.of());
  }
}
