package io.xmig.testbed.evaluate;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/** The tables for a terminal. */
final class TextReport {
  private TextReport() {}

  static void print(PrintWriter out, Plan plan, Findings findings) {
    List<Row> rows = Row.of(plan, findings.migrations());
    for (Setting setting : plan.settings()) {
      out.printf("%n%s%n", setting.title());
      out.printf(
          "  %-28s %-15s %3s %20s %7s %11s %14s %11s%n",
          "mode", "guest", "n", "total s", "÷ tcp:", "downtime ms", "STOP→RESUME ms", "outage ms");
      for (Row row : rows) {
        if (row.cell().setting().equals(setting)) {
          out.printf(
              "  %-28s %-15s %3d %20s %7s %11s %14s %11s%n",
              row.cell().mode().title(),
              row.cell().workload().title() + (row.cell().full() ? ", disk" : ""),
              row.totalMs().count(),
              seconds(row),
              number(row.ratioToTcp(), "%.2f"),
              number(row.downtimeMs().median(), "%.0f"),
              number(row.stopToResumeMs().median(), "%.0f"),
              row.unreachable() > 0 ? "unreachable" : number(row.outageMs().median(), "%.0f"));
          row.failures().stream().distinct().forEach(f -> out.println("      " + f));
        }
      }
    }
    out.println();
    for (Target target : Target.of(rows, findings)) {
      out.printf(
          "  %-12s %-80s %10s  %-16s %s%n",
          target.verdict(),
          target.what(),
          target.measuredText(),
          target.limitText(),
          target.note());
    }
  }

  static String seconds(Row row) {
    Spread s = row.totalMs();
    if (s.isEmpty()) {
      return "–";
    }
    double median = s.median() / 1000;
    return row.bound()
        ? String.format(Locale.ROOT, "over %.0f", median)
        : String.format(Locale.ROOT, "%.2f (%.2f–%.2f)", median, s.min() / 1000, s.max() / 1000);
  }

  static String number(double value, String format) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, format, value);
  }
}
