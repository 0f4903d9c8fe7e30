package io.xmig.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * {@code evaluation.html}: the targets with verdicts, the paper's Fig. 5, Table 1, Table 2 and Fig.
 * 6 beside ours, and every row; one file without anything to load.
 */
final class EvaluationPage {
  private static final String STYLE =
      """
      body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222}
      h1{font-size:1.6em;margin-bottom:.2em} h2{font-size:1.15em;margin-top:2em}
      table{border-collapse:collapse;margin:.6em 0} td,th{padding:.25em .8em;border-bottom:1px solid #ddd;text-align:right}
      td:first-child,th:first-child{text-align:left} th{font-weight:600;background:#f6f8fa}
      .pass{color:#1a7f37} .fail{color:#c0392b;font-weight:600} .quiet{color:#666}
      .bars div{display:flex;align-items:center;gap:.6em;margin:.15em 0} .bars span{width:21em} .bars i{display:block;height:1em;background:#1f5fa8}
      .bars .x i{background:#d9822b}
      """;
  private static final double BAR_EM = 26;

  private EvaluationPage() {}

  static String of(Plan plan, List<Row> rows, List<Target> targets, List<Measurement> measured) {
    StringBuilder h = new StringBuilder(1 << 15);
    h.append(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>xmig evaluation</title><style>");
    h.append(STYLE).append("</style></head><body><h1>Evaluation</h1><p class=\"quiet\">");
    h.append(text(plan.name())).append(" plan, ").append(measured.size());
    h.append(" migrations of one guest per network, interleaved, all over the same links; ");
    h.append(Runtime.getRuntime().availableProcessors()).append(" CPUs, Linux ");
    h.append(text(System.getProperty("os.version"))).append(", ");
    h.append(text(java.time.Instant.now().toString())).append("</p>");
    targets(h, targets);
    figure5(h, rows);
    table1(h, rows);
    table2(h, rows);
    figure6(h, rows);
    for (Setting setting : plan.settings()) {
      everything(h, setting, rows);
    }
    resources(h, plan, rows, measured);
    return h.append("</body></html>\n").toString();
  }

  private static void targets(StringBuilder h, List<Target> targets) {
    h.append(
        "<h2>Targets</h2><table><tr><th>case</th><th>limit</th><th>measured</th><th></th><th>from</th></tr>");
    for (Target t : targets) {
      h.append("<tr><td>").append(text(t.what())).append("</td><td>");
      h.append(text(t.limitText())).append("</td><td>").append(text(t.measuredText()));
      h.append("</td><td class=\"").append(t.isMet() ? "pass" : t.isMeasured() ? "fail" : "quiet");
      h.append("\">").append(t.verdict()).append("</td><td class=\"quiet\">");
      h.append(text(t.note())).append("</td></tr>");
    }
    h.append("</table>");
  }

  private static void figure5(StringBuilder h, List<Row> rows) {
    h.append(
        "<h2>Fig. 5: modes of migration, by workload</h2><p>The paper plots tcp and exec without giving numbers:");
    h.append(
        " “total migration time and downtime will increase obviously if we use exec mode”. Ours, on the LAN:</p>");
    List<Row> lan = rows.stream().filter(r -> isNetwork(r, false) && !r.cell().full()).toList();
    for (Workload workload : Workload.values()) {
      List<Row> some = lan.stream().filter(r -> r.cell().workload() == workload).toList();
      if (!some.isEmpty()) {
        h.append("<p><b>").append(workload.title()).append("</b></p>");
        bars(h, some, "total time, s", r -> r.totalMs().median() / 1000, "%.2f");
        bars(h, some, "STOP→RESUME, ms", r -> r.stopToResumeMs().median(), "%.0f");
      }
    }
  }

  /** The paper's numbers. */
  private static void table1(StringBuilder h, List<Row> rows) {
    h.append(
        "<h2>Table 1: networks</h2><p class=\"quiet\">The paper: 640 MB of memory and a 4 GB disk over real links, with a calculation running.");
    h.append(" Ours: as in the rows below; “–” means that the VM was unreachable afterwards.</p>");
    h.append(
        "<table><tr><th></th><th>intra-AD total</th><th>downtime</th><th>inter-AD total</th><th>downtime</th></tr>");
    line(h, "TCP/IP, paper", "6.5 min", "1 s", "–", "–");
    line(h, "XIA, paper", "14 min", "1.2 s", "15 min", "1.2 s");
    for (Mode mode : List.of(Mode.TCP, Mode.SOCAT, Mode.XIA)) {
      Row lan = row(rows, mode, Workload.IDLE, false);
      Row wan = row(rows, mode, Workload.IDLE, true);
      boolean lost = wan != null && wan.unreachable() > 0;
      line(
          h,
          mode.title() + ", ours",
          total(lan),
          outage(lan),
          lost ? total(wan) + ", VM unreachable" : total(wan),
          lost ? "–" : outage(wan));
    }
    h.append("</table>");
  }

  private static void table2(StringBuilder h, List<Row> rows) {
    h.append("<h2>Table 2: XIA by workload</h2>");
    h.append(
        "<table><tr><th></th><th>intra-AD total</th><th>downtime</th><th>inter-AD total</th><th>downtime</th></tr>");
    line(h, "Calculation, paper", "14 min", "1.2 s", "15 min", "1.2 s");
    line(h, "Dbench, paper", "12 min", "1.0 s", "13 min", "1.5 s");
    line(h, "Netperf, paper", "12 min", "1.7 s", "14 min", "1.7 s");
    for (Workload workload : Workload.values()) {
      Row lan = row(rows, Mode.XIA, workload, false);
      Row wan = row(rows, Mode.XIA, workload, true);
      line(h, workload.title() + ", ours", total(lan), outage(lan), total(wan), outage(wan));
    }
    h.append("</table>");
  }

  private static void figure6(StringBuilder h, List<Row> rows) {
    h.append("<h2>Fig. 6: total time and outage in XIA by workload</h2>");
    h.append(
        "<p>The paper: total time varies little between intra-AD and inter-AD; dbench has the largest variation of downtime.</p>");
    for (boolean wan : new boolean[] {false, true}) {
      List<Row> some = new ArrayList<>();
      for (Workload workload : Workload.values()) {
        Row row = row(rows, Mode.XIA, workload, wan);
        if (row != null && !row.totalMs().isEmpty()) {
          some.add(row);
        }
      }
      if (!some.isEmpty()) {
        h.append("<p><b>").append(wan ? "inter-AD" : "intra-AD").append("</b></p>");
        bars(h, some, "total time, s", r -> r.totalMs().median() / 1000, "%.2f");
        bars(h, some, "outage by Xping, ms", r -> r.outageMs().median(), "%.0f");
      }
    }
  }

  private static void everything(StringBuilder h, Setting setting, List<Row> rows) {
    h.append("<h2>")
        .append(text(setting.title()))
        .append("</h2><table><tr><th>mode</th><th>guest</th><th>n</th>");
    h.append(
        "<th>total s (min–max)</th><th>÷ tcp:</th><th>QEMU downtime ms</th><th>STOP→RESUME ms</th><th>outage ms (min–max)</th><th>wire MB</th><th>xmig CPU s</th></tr>");
    for (Row r : rows) {
      if (!r.cell().setting().equals(setting)) {
        continue;
      }
      h.append("<tr><td>").append(text(r.cell().mode().title())).append("</td><td>");
      h.append(text(r.cell().workload().title())).append(r.cell().full() ? ", with disk" : "");
      h.append("</td><td>").append(r.totalMs().count()).append("</td><td>");
      h.append(TextReport.seconds(r.totalMs())).append("</td><td>");
      h.append(TextReport.number(r.ratioToTcp(), "%.2f")).append("</td><td>");
      h.append(TextReport.number(r.downtimeMs().median(), "%.0f")).append("</td><td>");
      h.append(TextReport.number(r.stopToResumeMs().median(), "%.0f")).append("</td><td>");
      h.append(
          r.unreachable() > 0
              ? "unreachable (" + r.unreachable() + ")"
              : r.outageMs().isEmpty()
                  ? "–"
                  : String.format(
                      Locale.ROOT,
                      "%.0f (%.0f–%.0f)",
                      r.outageMs().median(),
                      r.outageMs().min(),
                      r.outageMs().max()));
      h.append("</td><td>").append(TextReport.number(r.wireMb().median(), "%.1f"));
      h.append("</td><td>").append(TextReport.number(r.xmigCpuSeconds().median(), "%.1f"));
      h.append("</td></tr>");
      for (String failure : r.failures().stream().distinct().toList()) {
        h.append("<tr><td colspan=\"10\" class=\"quiet\">")
            .append(text(failure))
            .append("</td></tr>");
      }
    }
    h.append("</table>");
  }

  private static void resources(
      StringBuilder h, Plan plan, List<Row> rows, List<Measurement> measured) {
    h.append(
        "<h2>Processes</h2><p class=\"quiet\">CPU seconds and most resident memory of each process, last run of each cell.</p><table><tr><th>cell</th><th>process: CPU s, MB</th></tr>");
    for (Row row : rows) {
      List<Measurement> mine = Row.of(measured, row.cell());
      if (mine.isEmpty() || !mine.get(mine.size() - 1).ok()) {
        continue;
      }
      Measurement last = mine.get(mine.size() - 1);
      h.append("<tr><td>").append(text(row.cell().setting().id())).append(": ");
      h.append(text(row.cell().title())).append("</td><td>");
      h.append(
          last.cpuSeconds().entrySet().stream()
              .map(
                  e ->
                      text(e.getKey())
                          + String.format(
                              Locale.ROOT,
                              ": %.1f s, %.0f MB",
                              e.getValue(),
                              last.peakMb().getOrDefault(e.getKey(), 0.0)))
              .collect(Collectors.joining("<br>")));
      h.append("</td></tr>");
    }
    h.append("</table>");
    if (plan.settings().isEmpty()) {
      h.append("<p>Nothing was planned.</p>");
    }
  }

  private static boolean isNetwork(Row row, boolean wan) {
    return row.cell().setting().isWan() == wan
        && (row.cell().setting().id().equals(wan ? "wan" : "lan")
            || row.cell().setting().id().equals("tiny"));
  }

  private static @Nullable Row row(List<Row> rows, Mode mode, Workload workload, boolean wan) {
    return rows.stream()
        .filter(
            r ->
                isNetwork(r, wan)
                    && r.cell().mode() == mode
                    && r.cell().workload() == workload
                    && !r.cell().full())
        .findFirst()
        .orElse(null);
  }

  private static String total(@Nullable Row row) {
    return row == null || row.totalMs().isEmpty()
        ? "not measured"
        : TextReport.number(row.totalMs().median() / 1000, "%.1f s");
  }

  private static String outage(@Nullable Row row) {
    return row == null || row.outageMs().isEmpty()
        ? "not measured"
        : TextReport.number(row.outageMs().median() / 1000, "%.2f s");
  }

  private static void line(StringBuilder h, String... cells) {
    h.append("<tr>");
    for (String cell : cells) {
      h.append("<td>").append(text(cell)).append("</td>");
    }
    h.append("</tr>");
  }

  private static void bars(
      StringBuilder h,
      List<Row> rows,
      String what,
      java.util.function.ToDoubleFunction<Row> value,
      String format) {
    double most = rows.stream().mapToDouble(value).filter(v -> !Double.isNaN(v)).max().orElse(1);
    h.append("<p class=\"quiet\">").append(what).append("</p><div class=\"bars\">");
    for (Row row : rows) {
      double v = value.applyAsDouble(row);
      double em = Double.isNaN(v) || most <= 0 ? 0 : Math.max(0.1, v / most * BAR_EM);
      h.append(row.cell().mode().isXia() ? "<div class=\"x\">" : "<div>").append("<span>");
      h.append(text(row.cell().mode().title())).append(", ").append(row.cell().workload().title());
      h.append("</span><i style=\"width:").append(String.format(Locale.ROOT, "%.2f", em));
      h.append("em\"></i>").append(TextReport.number(v, format)).append("</div>");
    }
    h.append("</div>");
  }

  private static String text(String plain) {
    return plain
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
