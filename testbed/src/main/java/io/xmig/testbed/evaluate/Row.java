package io.xmig.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A cell's measurements together.
 *
 * @param bound whether the median of the total times is a lower bound, since migrations were ended
 * @param ratioToTcp median of the total time, by that of {@code tcp:} with the same guest on the
 *     same links in the same run; NaN where there is none
 * @param unreachable migrations after which the guest did not answer at its address
 * @param failures why migrations did not work
 */
record Row(
    Cell cell,
    Spread totalMs,
    boolean bound,
    Spread downtimeMs,
    Spread stopToResumeMs,
    Spread outageMs,
    Spread wireMb,
    Spread xmigCpuSeconds,
    double ratioToTcp,
    int unreachable,
    List<String> failures) {

  static List<Row> of(Plan plan, List<Measurement> measurements) {
    List<Row> rows = new ArrayList<>();
    for (Cell cell : plan.cells()) {
      Spread total = totals(measurements, cell);
      Cell tcp = new Cell(cell.setting(), Mode.TCP, cell.workload(), cell.full(), 0);
      Spread base = totals(measurements, tcp);
      List<Measurement> mine = of(measurements, cell);
      rows.add(
          new Row(
              cell,
              total,
              mine.stream().anyMatch(Measurement::unfinished),
              spread(measurements, cell, Measurement::downtimeMs),
              spread(measurements, cell, Measurement::stopToResumeMs),
              spread(measurements, cell, Measurement::outageMs),
              spread(measurements, cell, m -> m.wireBytes() / 1e6),
              spread(measurements, cell, Measurement::xmigCpuSeconds),
              total.median() / base.median(),
              (int) mine.stream().filter(m -> m.moved() && !m.reachable()).count(),
              mine.stream().filter(m -> !m.ok()).map(m -> String.valueOf(m.failure())).toList()));
    }
    return rows;
  }

  static List<Measurement> of(List<Measurement> measurements, Cell cell) {
    return measurements.stream()
        .filter(
            m ->
                m.setting().equals(cell.setting().id())
                    && m.mode().equals(cell.mode().title())
                    && m.workload().equals(cell.workload().title())
                    && m.full() == cell.full())
        .toList();
  }

  /** Of migrations that were ended as well: no median is longer than the true one. */
  static Spread totals(List<Measurement> measurements, Cell cell) {
    return Spread.of(
        of(measurements, cell).stream().filter(Measurement::ok).map(Measurement::totalMs).toList());
  }

  private static Spread spread(
      List<Measurement> measurements, Cell cell, Function<Measurement, @Nullable Double> value) {
    List<Double> values = new ArrayList<>();
    for (Measurement m : of(measurements, cell)) {
      Double v = m.moved() ? value.apply(m) : null;
      if (v != null) {
        values.add(v);
      }
    }
    return Spread.of(values);
  }
}
