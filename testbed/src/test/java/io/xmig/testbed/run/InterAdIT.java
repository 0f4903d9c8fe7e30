package io.xmig.testbed.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The experiment between two domains as users run it, with a real VM. */
@Tag("qemu")
@Timeout(600)
class InterAdIT {
  private static final Path LAUNCHER = Path.of("xmig").toAbsolutePath();

  @TempDir private Path report;

  private JsonNode run(String... options) throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of(LAUNCHER.toString(), "testbed", "run", "inter-ad", "--ram-only", "--memory"));
    words.addAll(List.of("320", "--settle", "2500", "--report", report.toString()));
    words.addAll(List.of(options));
    Path said = report.resolve("said.txt");
    ProcessBuilder builder =
        new ProcessBuilder(words).redirectErrorStream(true).redirectOutput(said.toFile());
    builder.environment().put("XMIG_NO_BUILD", "1");
    Process process = builder.start();
    try {
      assertThat(process.waitFor(540, TimeUnit.SECONDS)).as("ends").isTrue();
    } finally {
      process.destroy();
      process.waitFor(60, TimeUnit.SECONDS);
    }
    assertThat(process.exitValue()).as(Files.readString(said)).isZero();
    return new ObjectMapper().readTree(report.resolve("result.json").toFile());
  }

  @Test
  void theVmIsReachedByOldAndNewAddressWhileAnAttackerReplaysAndForges() throws Exception {
    JsonNode result = run("--attacker");
    assertThat(result.path("xping")).hasSize(2);
    assertThat(result.path("cal"))
        .allSatisfy(cal -> assertThat(cal.path("wrong").asInt()).isZero());
    JsonNode attack = result.path("attack");
    assertThat(attack.path("stolen").asInt(-1)).isZero();
    assertThat(attack.path("lostAnswers").asInt(-1)).isZero();
    assertThat(attack.path("attempts")).hasSize(9);
    assertThat(attack.path("refused").path("ROUTER_1/gateway").path("not_owner").asInt())
        .isPositive();
    JsonNode streams = attack.path("refused").path("VM/stream");
    assertThat(streams.path("migrationsRejected").asInt() + streams.path("unknownToken").asInt())
        .isPositive();
    assertThat(attack.path("refused").path("HOST_C/agent").path("untrusted").asInt()).isPositive();
    assertThat(attack.path("refused").path("HOST_A/nameserver").path("not_owner").asInt())
        .isPositive();
  }

  @Test
  void aClientInAThirdDomainAndANameServiceElsewhereFindAVmWhoseHostSpeaksForIt() throws Exception {
    JsonNode result = run("--client-ad", "3", "--name-server", "HOST_B", "--agent", "host");
    assertThat(result.path("scenario").path("topology").asText()).isEqualTo("third-ad.click");
    assertThat(result.path("xping"))
        .hasSize(2)
        .allSatisfy(ping -> assertThat(ping.path("answered").asInt()).isPositive());
    assertThat(result.path("cal"))
        .allSatisfy(
            cal -> {
              assertThat(cal.path("wrong").asInt()).isZero();
              assertThat(cal.path("answeredAfter").asInt()).isPositive();
            });
    assertThat(result.path("migrations").path(0).path("timeline").findValuesAsText("name"))
        .contains("the name leads to the new address", "gateway: registered", "gateway: repointed")
        .doesNotContain("agent: sign"); // the guest has none
  }
}
