package io.xmig.testbed.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

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
        Map.of("HOST_A/xmig send", 1.5, "HOST_A/qemu-system-x86_64", 4.0, "link/xmig link", 3.0),
        Map.of("HOST_A/xmig send", 80.0),
        null);
  }

  @Test
  void aCellsRepetitionsAreSpreadOverTheRunAndGoBothWays() {
    Plan plan = Plan.quick();
    Setting lan = plan.settings().get(0);
    List<Cell> order = plan.interleaved(lan);
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < order.size(); i++) {
      if (order.get(i).mode() == Mode.TCP && order.get(i).workload() == Workload.IDLE) {
        places.add(i);
      }
    }
    assertThat(places).hasSize(3);
    assertThat(places.stream().map(p -> p % 2).distinct()).hasSize(2);
    assertThat(places.get(1) - places.get(0)).isGreaterThan(2);
  }

  @Test
  void everyTargetThatIsAboutMigrationHasItsCellsInTheFullPlan() {
    Plan plan = Plan.full();
    List<Measurement> all = plan.cells().stream().map(c -> run(c, 1000, 25)).toList();
    List<Target> targets = Target.of(Row.of(plan, all), all);
    assertThat(targets.stream().filter(t -> !t.isMeasured()).map(Target::what))
        .containsExactly(
            "resident memory, node",
            "chunk goodput, forwarding (JMH)",
            "two migrations sharing a link");
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
    Target first = Target.of(rows, all).get(0);
    assertThat(first.verdict()).isEqualTo("FAIL");
    assertThat(first.measured()).isCloseTo(1.1, within(1e-9));
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
