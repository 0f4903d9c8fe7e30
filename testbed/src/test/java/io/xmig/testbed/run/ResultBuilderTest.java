package io.xmig.testbed.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.xmig.control.qemu.MigrationLimits;
import io.xmig.testbed.report.HtmlReport;
import io.xmig.testbed.report.ResultFile;
import io.xmig.testbed.report.RunResult;
import io.xmig.testbed.workload.CalClient;
import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultBuilderTest {
  private static final long START_US = 1_790_000_000_000_000L;
  private static final long SECOND_US = 1_000_000;

  @TempDir Path directory;

  /** A run of 10 s with one migration from 4 s to 7 s, the VM away for 60 ms at 6.9 s. */
  private static RunResult result(long wrong, List<String> problems) {
    return result(
        wrong,
        problems,
        List.of(
            new MigrationRecord.Moment("RESUME", START_US + 6_930_000),
            new MigrationRecord.Moment(Decomposition.VERIFIED, START_US + 6_920_000),
            new MigrationRecord.Moment(Decomposition.PERCEIVED, START_US + 6_938_000),
            new MigrationRecord.Moment(Decomposition.PERCEIVED, START_US + 6_988_000),
            new MigrationRecord.Moment(Decomposition.REGISTERED, START_US + 6_945_000),
            new MigrationRecord.Moment(Decomposition.REPOINTED, START_US + 6_950_000),
            new MigrationRecord.Moment("STOP", START_US + 6_900_000)));
  }

  private static RunResult result(
      long wrong, List<String> problems, List<MigrationRecord.Moment> moments) {
    ProbeLog ping = probes(5_000);
    List<MigrationRecord.Progress> progress = new ArrayList<>();
    for (int i = 0; i <= 30; i++) {
      progress.add(
          new MigrationRecord.Progress(START_US + 4 * SECOND_US + i * 100_000, i * 12_000_000L));
    }
    MigrationRecord migration =
        new MigrationRecord(
            "HOST_A",
            "HOST_B",
            START_US + 4 * SECOND_US,
            START_US + 7 * SECOND_US,
            START_US + 6_900_000,
            START_US + 6_930_000,
            41.0,
            new MigrationLimits.Limits(156_250_000, 55),
            360_000_000,
            360_000_000,
            371_000_000,
            "ab".repeat(32),
            moments,
            progress);
    Map<String, ProbeLog> pings = new LinkedHashMap<>();
    pings.put("VM", ping);
    return new ResultBuilder(
            START_US,
            new RunResult.Scenario(
                "intra-ad",
                "intra-ad.click",
                "node",
                "tcg",
                "unix datagrams, 1 Gbit/s",
                "ram-only",
                150,
                null,
                new RunResult.Vm("vm", 640, 0, 280, 55.3)),
            new RunResult.Machine(2, 24_000, "6.1", "17", "QEMU 7.2"),
            List.of(migration),
            List.of(
                new CalClient.Outcome("stream", probes(20_000), wrong, null),
                new CalClient.Outcome("dgram", probes(20_000), 0, null)),
            pings)
        .build(START_US + 10 * SECOND_US, problems);
  }

  private static ProbeLog probes(long intervalUs) {
    List<Sample> samples = new ArrayList<>();
    for (long t = 0; t < 10 * SECOND_US; t += intervalUs) {
      boolean away = t >= 6_900_000 && t < 6_960_000;
      samples.add(new Sample(START_US + t, away ? Sample.LOST : 250));
    }
    return new ProbeLog(intervalUs, samples);
  }

  @Test
  void readsTheOutageFromTheProbesAroundTheHandOff() {
    RunResult.Migration migration = result(0, List.of()).migrations().get(0);

    assertThat(migration.outageMs()).isCloseTo(60, within(0.1));
    assertThat(migration.outageErrorMs()).isEqualTo(5);
    assertThat(migration.lostProbes()).isEqualTo(12);
    assertThat(migration.stopToResumeMs()).isCloseTo(30, within(0.1));
    assertThat(migration.totalMs()).isEqualTo(3000);
    assertThat(migration.downtimeLimitMs()).isEqualTo(55);
    assertThat(migration.maxBandwidthMBps()).isEqualTo(156.3);
    assertThat(migration.timeline())
        .extracting(RunResult.Event::name)
        .startsWith("STOP")
        .contains("RESUME", Decomposition.REPOINTED);
  }

  @Test
  void theOutageIsTakenApartWithoutRest() {
    RunResult.Migration migration = result(0, List.of()).migrations().get(0);
    RunResult.OutageParts parts = migration.outageParts();

    assertThat(parts).isNotNull();
    assertThat(parts.sumMs()).isCloseTo(migration.outageMs(), within(0.001));
    assertThat(parts.lastBytesMs()).isCloseTo(20, within(0.3));
    assertThat(parts.loadMs()).isCloseTo(10, within(0.3));
    assertThat(parts.perceptionMs()).isCloseTo(8, within(0.3));
    assertThat(parts.registrationMs()).isCloseTo(7, within(0.3));
    assertThat(parts.routeRepointMs()).isCloseTo(5, within(0.3));
  }

  @Test
  void aHostThatSpeaksBeforeTheMachineRunsTakesNoTimeOfTheOutage() {
    RunResult.Migration migration =
        result(
                0,
                List.of(),
                List.of(
                    new MigrationRecord.Moment(Decomposition.VERIFIED, START_US + 6_920_000),
                    new MigrationRecord.Moment(Decomposition.REGISTERED, START_US + 6_925_000),
                    new MigrationRecord.Moment(Decomposition.REPOINTED, START_US + 6_932_000),
                    new MigrationRecord.Moment(Decomposition.PERCEIVED, START_US + 6_955_000)))
            .migrations()
            .get(0);
    RunResult.OutageParts parts = migration.outageParts();

    assertThat(parts.sumMs()).isCloseTo(migration.outageMs(), within(0.001));
    assertThat(parts.perceptionMs()).as("of an agent that had no need to").isZero();
    assertThat(parts.registrationMs()).isZero();
    assertThat(parts.routeRepointMs()).isCloseTo(2, within(0.3));
  }

  @Test
  void aWrongAnswerSpoilsTheRun() {
    assertThat(result(0, List.of()).verdict().ok()).isTrue();
    assertThat(result(1, List.of()).verdict().ok()).isFalse();
    assertThat(result(0, List.of("the VM is gone")).verdict().problems())
        .contains("the VM is gone");
  }

  @Test
  void throughputIsBytesPerMicrosecondOverAtLeastATenthOfASecond() {
    assertThat(result(0, List.of()).series().throughputMBps())
        .isNotEmpty()
        .allSatisfy(point -> assertThat(point[1]).isCloseTo(120, within(1.0)));
  }

  @Test
  void writesJsonThatIsValidAgainstTheSchema() throws IOException {
    Path file = directory.resolve("result.json");
    ResultFile.write(file, result(0, List.of()));

    String schema = Files.readString(Path.of("../docs/result.schema.json"));
    var errors =
        JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
            .getSchema(schema)
            .validate(new ObjectMapper().readTree(file.toFile()));

    assertThat(errors).isEmpty();
    assertThat(ResultFile.read(file).migrations()).hasSize(1);
    assertThat(directory.toFile().list()).containsExactly("result.json");
  }

  @Test
  void drawsAReportInOneFile() throws IOException {
    Path file = directory.resolve("report.html");
    HtmlReport.write(file, result(2, List.of("a <strange> problem")));

    assertThat(Files.readString(file))
        .contains("data:image/png;base64,", "HOST_A → HOST_B", "a &lt;strange&gt; problem")
        .doesNotContain("<strange>");
  }
}
