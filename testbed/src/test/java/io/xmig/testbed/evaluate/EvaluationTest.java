package io.xmig.testbed.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.xmig.control.qemu.PipeCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Order, arithmetic and verdicts of an evaluation. */
class EvaluationTest {
  private static Measurement run(Cell cell, double totalMs, double outageMs) {
    return new Measurement(
        cell.setting().id(),
        cell.mode().title(),
        cell.workload().title(),
        cell.full(),
        "HOST_A",
        "HOST_B",
        totalMs,
        10,
        20,
        outageMs,
        "Xping",
        true,
        500_000_000,
        510_000_000,
        Map.of(
            "HOST_A/xmig send",
            1.5,
            "HOST_A/qemu-system-x86_64",
            4.0,
            "link/xmig link",
            3.0,
            "HOST_C/xmig node",
            2.0),
        Map.of("HOST_A/xmig send", 80.0, "ROUTER_1/xmig node", 90.0),
        false,
        null);
  }

  @Test
  void aCellsRepetitionsAreSpreadOverTheRunAndGoBothWays() {
    Plan plan = Plan.quick();
    Setting lan = plan.settings().get(0);
    List<Cell> order = plan.interleaved(lan, List.of());
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < order.size(); i++) {
      if (order.get(i).mode() == Mode.XIA && order.get(i).workload() == Workload.IDLE) {
        places.add(i);
      }
    }
    assertThat(places).hasSize(3);
    assertThat(places.stream().map(p -> p % 2).distinct()).hasSize(2);
    assertThat(places.get(1) - places.get(0)).isGreaterThan(2);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everyTargetHasItsCellsOrAsidesInThePlan(boolean quick) {
    Plan plan = quick ? Plan.quick() : Plan.full();
    Findings findings = Findings.NONE;
    for (Cell cell : plan.cells()) {
      findings = findings.and(run(cell, 1000, 25));
    }
    for (Plan.Extra extra : plan.extras()) {
      for (String id : extra.ids()) {
        findings = findings.and(Aside.of(id, 1, "", "made up"));
      }
    }
    findings = findings.and(Aside.of(Aside.AGENT_MB, 60, "MB", "made up"));
    List<Target> targets = Target.of(Row.of(plan, findings.migrations()), findings);
    assertThat(targets).hasSize(22).allMatch(Target::isMeasured);
    assertThat(targets.stream().filter(t -> !t.isMet()).map(Target::what))
        .as("1 MB/s is too little, 25 - 20 ms of outage and a ratio of 1 are not too much")
        .contains("chunk goodput, node → router → node, MTU 9000")
        .doesNotContain("100 Mbit/s, 20 ms, MTU 1500: XIA ÷ tcp:");
  }

  @Test
  void theFullPlanComparesMediansOfFiveAndFillsEveryTableInAnHour() {
    Plan plan = Plan.full();
    Findings findings = Findings.NONE;
    for (Cell cell : plan.cells()) {
      int least = Networks.isWan(cell.setting().id()) ? 1 : 2;
      assertThat(cell.repetitions()).as(cell.path()).isGreaterThanOrEqualTo(least);
      for (int i = 0; i < cell.repetitions(); i++) {
        findings = findings.and(run(cell, 1000, 25));
      }
    }
    List<Row> rows = Row.of(plan, findings.migrations());
    List<Target> targets = Target.of(rows, findings);
    assertThat(targets.stream().map(Target::note).filter(n -> n.contains("medians of")))
        .hasSize(9)
        .allMatch(n -> n.contains("medians of 5 and 5"));
    assertThat(rows.stream().filter(r -> Double.isNaN(r.ratioToTcp())).map(r -> r.cell().path()))
        .as("where no plain tcp: is compared")
        .allMatch(path -> path.matches("(lossy|wanreal)/.*|veth/.*/disk"));
    assertThat(EvaluationPage.of(plan, rows, targets, findings.migrations()))
        .as("but for the targets that are not about migrations")
        .doesNotContain("<td>not measured</td>");
    assertThat(Remaining.all(plan)).isLessThan(60 * 60);
  }

  @Test
  void theFullPlanHasEveryModeAndWorkloadOfThePaperAndMore() {
    for (boolean wan : new boolean[] {false, true}) {
      List<Cell> cells =
          Plan.full().cells().stream().filter(c -> c.setting().isWan() == wan).toList();
      assertThat(cells.stream().filter(c -> c.workload() == Workload.IDLE).map(Cell::mode))
          .contains(Mode.TCP, Mode.MULTIFD, Mode.SOCAT, Mode.SOCAT_ZSTD, Mode.XIA, Mode.XIA_AUTO);
      for (Mode mode : List.of(Mode.TCP, Mode.XIA)) {
        assertThat(cells.stream().filter(c -> c.mode() == mode).map(Cell::workload))
            .contains(Workload.values());
      }
    }
  }

  @Test
  void aNodeWithItsPipesInsideHasALineOnceThereIsOne() {
    Cell cell = Plan.tiny().cells().get(1);
    Measurement without = run(cell, 1000, 25);
    assertThat(peaks(without)).containsExactly(90.0, 80.0);
    Measurement with =
        new Measurement(
            without.setting(),
            without.mode(),
            without.workload(),
            false,
            "HOST_A",
            "HOST_B",
            1000,
            10,
            20,
            25.0,
            "Xping",
            true,
            1_000_000_000,
            1_000_000_000,
            Map.of("HOST_A/xmig node+pipes", 3.0),
            Map.of("HOST_A/xmig node+pipes", 200.0, "HOST_C/xmig node", 70.0),
            false,
            null);
    assertThat(with.xmigCpuSeconds()).isEqualTo(3);
    assertThat(peaks(with)).containsExactly(70.0, Double.NaN, 200.0);
  }

  /** Of nodes, pipes, and nodes with pipes. */
  private static List<Double> peaks(Measurement measured) {
    return Target.of(List.of(), new Findings(List.of(measured), List.of())).stream()
        .filter(t -> t.what().startsWith("resident memory") && !t.what().contains("agent"))
        .map(Target::measured)
        .toList();
  }

  @Test
  void theQuickPlanHasEverySortOfCellAtLeastOnce() {
    Plan plan = Plan.quick();
    for (boolean wan : new boolean[] {false, true}) {
      for (Workload workload : Workload.values()) {
        assertThat(plan.cells())
            .as("XIA, %s, wan %s", workload, wan)
            .anyMatch(
                c ->
                    c.mode() == Mode.XIA && c.workload() == workload && c.setting().isWan() == wan);
      }
    }
    assertThat(plan.cells().stream().map(Cell::mode).distinct().toList())
        .containsExactlyInAnyOrder(Mode.values());
  }

  @Test
  void aResumedEvaluationMeasuresWhatIsMissing() {
    Plan plan = Plan.quick();
    Setting lan = plan.settings().get(0);
    List<Cell> order = plan.interleaved(lan, List.of());
    Cell first = order.get(0);
    List<Measurement> before =
        List.of(run(first, 1000, 25), Measurement.failed(order.get(1), "", "", "it was stopped"));
    List<Cell> rest = plan.interleaved(lan, before);
    assertThat(rest).hasSize(order.size() - 1);
    assertThat(rest.stream().filter(first::isLike).count()).isEqualTo(first.repetitions() - 1);
    assertThat(rest.stream().filter(order.get(1)::isLike).count())
        .isEqualTo(order.get(1).repetitions());
  }

  @Test
  void cellsAreChosenByTheBeginningsOfTheirPaths() {
    Plan plan = Plan.quick();
    assertThat(plan.only(p -> Plan.matches("lan/xia/idle", p)).cells())
        .extracting(Cell::path)
        .containsExactly("lan/XIA/IDLE");
    assertThat(Plan.full().only(p -> Plan.matches("lan/xia/idle", p)).cells())
        .extracting(Cell::path)
        .containsExactly("lan/XIA/IDLE");
    assertThat(Plan.full().only(p -> Plan.matches("*/xia/idle/disk", p)).cells())
        .extracting(Cell::path)
        .containsExactly("lan/XIA/IDLE/disk", "veth/XIA/IDLE/disk");
    assertThat(plan.only(p -> Plan.matches("*/XIA_AUTO", p)).settings())
        .extracting(Setting::id)
        .containsExactly("lanreal", "wanreal");
    Plan sharing = plan.only(p -> Plan.matches("sharing", p));
    assertThat(sharing.cells()).isEmpty();
    assertThat(sharing.extras()).containsExactly(Plan.Extra.SHARING);
  }

  @Test
  void whatIsLeftIsScaledByWhatWasMeasured() {
    Plan plan = Plan.quick();
    List<Cell> cells = plan.cells();
    Remaining asPlanned = new Remaining();
    Remaining slow = new Remaining();
    for (Cell cell : cells) {
      slow.took(cell, 3 * Remaining.all(cell) / cell.repetitions());
    }
    double ratio = slow.left(cells, 0, 0) / asPlanned.left(cells, 0, 0);
    assertThat(ratio).isBetween(2.4, 3.0);
  }

  @Test
  void writtenFindingsAreReadBackByTheSamePlanOnly(@TempDir Path directory) throws IOException {
    Plan plan = Plan.tiny();
    Findings findings =
        Findings.NONE
            .and(run(plan.cells().get(0), 1000, 25))
            .and(Measurement.failed(plan.cells().get(1), "HOST_A", "HOST_B", "reason"))
            .and(Aside.of(Aside.JAIN, 0.99, "", "note"))
            .and(Aside.failed(Aside.SHARED, "reason"));
    EvaluationFiles.write(directory, plan, findings);
    assertThat(EvaluationFiles.read(directory, plan)).isEqualTo(findings);
    assertThat(EvaluationFiles.read(directory, plan).successes())
        .satisfies(f -> assertThat(f.migrations()).hasSize(1))
        .satisfies(f -> assertThat(f.asides()).hasSize(1));
    assertThatThrownBy(() -> EvaluationFiles.read(directory, Plan.quick()))
        .hasMessageContaining("another plan");
  }

  @Test
  void twoStreamsAreJudgedByTheTimeTheyHaveInCommon() {
    TreeMap<Long, Long> a = new TreeMap<>();
    TreeMap<Long, Long> b = new TreeMap<>();
    for (long ms = 0; ms <= 10_000; ms += 200) {
      a.put(ms, 60_000 * ms);
      b.put(3000 + ms, 30_000 * ms);
    }
    List<Aside> asides = Sharing.judge(a, b, 100_000_000);
    assertThat(asides.get(0).value()).isCloseTo(0.9, within(1e-6));
    assertThat(asides.get(1).value()).isCloseTo(0.9, within(1e-6));
    assertThatThrownBy(() -> Sharing.judge(a, new TreeMap<>(Map.of(9900L, 1L)), 1))
        .hasMessageContaining("hardly under way together");
  }

  @Test
  void aFailedPipeIsQuotedWithItsReasonAndItsStatus(@TempDir Path directory) throws IOException {
    PipeCommand send = PipeCommand.in(directory, "send-m1", List.of("true"));
    Path lines = directory.resolve("send-m1.jsonl");
    assertThat(FailedMove.describe(send, lines)).isEqualTo("send-m1 has not ended");
    Files.writeString(
        lines,
        "{\"event\":\"progress\",\"phase\":\"streaming\",\"written\":1500000,\"inFlight\":200000}\n");
    assertThat(FailedMove.describe(send, lines))
        .isEqualTo("send-m1 has not ended: streaming, 1.5 MB written, 0.2 MB in flight");
    Files.writeString(send.statusFile(), "1\n");
    Files.writeString(
        lines, "{\"event\":\"failed\",\"reason\":\"no memory\"}\n{\"event\":\"progress\"}\n");
    assertThat(FailedMove.describe(send, lines))
        .isEqualTo("send-m1 ended with status 1: no memory");
  }

  @Test
  void aRatioIsOfMediansInTheSameRun() {
    Plan plan = Plan.full();
    Cell tcp = plan.cells().stream().filter(c -> c.mode() == Mode.TCP).findFirst().orElseThrow();
    Cell xia = new Cell(tcp.setting(), Mode.XIA, tcp.workload(), tcp.full(), tcp.repetitions());
    List<Measurement> all =
        List.of(run(tcp, 1000, 25), run(tcp, 3000, 25), run(tcp, 1100, 25), run(xia, 1210, 25));
    List<Row> rows = Row.of(plan, all);
    assertThat(
            rows.stream().filter(r -> r.cell().isLike(xia)).findFirst().orElseThrow().ratioToTcp())
        .isCloseTo(1.1, within(1e-9));
    Target first = Target.of(rows, new Findings(all, List.of())).get(0);
    assertThat(first.verdict()).isEqualTo("FAIL");
    assertThat(first.measured()).isCloseTo(1.1, within(1e-9));
  }

  @Test
  void aMigrationThatWasEndedIsALowerBoundAndMayShowATarget() {
    Plan plan = Plan.quick().only(p -> p.startsWith("lossy/"));
    Cell xia = plan.cells().get(0);
    Cell cubic = plan.cells().get(2);
    assertThat(xia.mode()).as("tells how long CUBIC need be waited for").isEqualTo(Mode.XIA);
    Measurement ended = Measurement.unfinished(cubic, "HOST_A", "HOST_B", 60_000, 1, 1);
    for (int xiaMs : new int[] {30_000, 40_000}) {
      List<Measurement> all = List.of(run(xia, xiaMs, 25), ended);
      List<Row> rows = Row.of(plan, all);
      assertThat(rows.get(2)).matches(Row::bound).matches(r -> r.outageMs().isEmpty());
      assertThat(TextReport.seconds(rows.get(2))).isEqualTo("over 60");
      Target target =
          Target.of(rows, new Findings(all, List.of())).stream()
              .filter(t -> t.what().contains("CUBIC"))
              .findFirst()
              .orElseThrow();
      assertThat(target.measuredText()).startsWith("≤ 0.");
      assertThat(target.verdict()).isEqualTo(xiaMs == 30_000 ? "pass" : "not shown");
    }
  }

  @Test
  void settingsThatDifferInWhatMemoryHoldsShareAGuest() {
    assertThat(Plan.quick().stages().stream().map(s -> s.stream().map(Setting::id).toList()))
        .contains(List.of("lan", "lanreal"), List.of("wan", "wanreal", "wanless"))
        .contains(List.of("lossy"));
    assertThat(Plan.full().stages()).hasSameSizeAs(Plan.quick().stages());
  }

  @Test
  void theQuickPlanFitsIntoItsLimit() {
    assertThat(Remaining.all(Plan.quick())).isLessThan(Plan.quick().limit().toSeconds());
    assertThat(Plan.full().limit()).isNull();
  }

  @Test
  void processesOfTheHypervisorAndTheLinkAreNotXmigs() {
    Cell cell = Plan.tiny().cells().get(1);
    assertThat(run(cell, 1, 1).xmigCpuSeconds()).isEqualTo(1.5);
  }

  @Test
  void linesOfTheCsvKeepTheirColumnsWhateverAFailureSays() {
    Cell cell = Plan.tiny().cells().get(0);
    String csv =
        EvaluationFiles.csv(
            List.of(Measurement.failed(cell, "HOST_A", "HOST_B", "a \"quoted\", long\nreason")));
    assertThat(csv.lines().toList()).hasSize(2);
    assertThat(csv).endsWith("\"a \"\"quoted\"\", long reason\"\n");
  }
}
