package io.xmig.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
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
      td:first-child,th:first-child,td.note{text-align:left} td.note{max-width:30em} .pass,.fail,td.quiet{white-space:nowrap} td.note{white-space:normal} th{font-weight:600;background:#f6f8fa}
      .pass{color:#1a7f37} .fail{color:#c0392b;font-weight:600} .quiet{color:#666}
      h3{font-size:1em;margin:1.2em 0 0} .two{display:flex;flex-wrap:wrap;gap:0 3em} .bars p{margin:.4em 0}
      .bars div{display:flex;align-items:center;gap:.6em;margin:.15em 0} .bars span{width:14.5em} .bars i{display:block;height:1em;background:#1f5fa8}
      .bars .x i{background:#d9822b} .paper i{background:#999}
      .wide{overflow-x:auto}
      """;
  private static final double BAR_EM = 12;
  private static final Set<String> LAN = Set.of("lan", "tiny");

  /** The setting whose guest has less memory to move than the others. */
  private static final String SMALLER_GUEST = "wanless";

  private static final Set<String> WAN = Set.of("wan", SMALLER_GUEST);

  private EvaluationPage() {}

  static String of(Plan plan, List<Row> rows, List<Target> targets, List<Measurement> measured) {
    long met = targets.stream().filter(Target::isMet).count();
    long missed = targets.stream().filter(t -> t.isMeasured() && !t.isMet()).count();
    long failures = measured.stream().filter(Measurement::hasFailed).count();
    StringBuilder h = new StringBuilder(1 << 15);
    h.append(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>xmig evaluation</title><style>");
    h.append(STYLE).append("</style></head><body><h1>Evaluation</h1><p class=\"quiet\">");
    h.append(text(plan.name())).append(" plan, ").append(measured.size());
    h.append(" migrations of one guest per network, interleaved, all over the same links; ");
    h.append(Runtime.getRuntime().availableProcessors()).append(" CPUs, Linux ");
    h.append(text(System.getProperty("os.version"))).append(", ");
    h.append(text(java.time.Instant.now().toString())).append("; TCP's own congestion control: ");
    h.append(text(CongestionControls.ofTheKernel().get(0))).append("</p><p>");
    h.append(
        "Before the first migration of each network an unmeasured stream goes each way through");
    h.append(
        " the resident pipes, and within a domain one migration over XIA is not counted.</p><p>");
    h.append(met).append(" targets met, ").append(missed).append(" missed, ");
    h.append(targets.size() - met - missed).append(" not measured; ");
    h.append(failures).append(" migrations failed.</p>");
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
        "<h2>Targets</h2><table><tr><th>case</th><th>limit</th><th>measured</th><th></th><th style=\"text-align:left\">from</th></tr>");
    for (Target t : targets) {
      h.append("<tr><td>").append(text(t.what())).append("</td><td>");
      h.append(text(t.limitText())).append("</td><td>").append(text(t.measuredText()));
      h.append("</td><td class=\"").append(t.isMet() ? "pass" : t.isMeasured() ? "fail" : "quiet");
      h.append("\">").append(t.verdict()).append("</td><td class=\"quiet note\">");
      h.append(text(t.note())).append("</td></tr>");
    }
    h.append("</table>");
  }

  private static void figure5(StringBuilder h, List<Row> rows) {
    h.append("<h2>Fig. 5: modes of migration, by workload</h2>");
    h.append("<p>The paper plots <i>tcp</i> and <i>exec</i> for calculation, dbench and netperf");
    h.append(" without giving numbers: “total migration time and downtime will increase obviously");
    h.append(" if we use exec mode”. Ours, on the LAN:</p>");
    List<Row> lan = rows.stream().filter(r -> isNetwork(r, false) && !r.cell().full()).toList();
    for (Workload workload : Workload.values()) {
      List<Bar> total = new ArrayList<>();
      List<Bar> stopped = new ArrayList<>();
      for (Row row : lan) {
        if (row.cell().workload() == workload && !row.totalMs().isEmpty()) {
          Mode mode = row.cell().mode();
          total.add(new Bar(mode.title(), row.totalMs().median() / 1000, mode.isXia()));
          stopped.add(new Bar(mode.title(), row.stopToResumeMs().median(), mode.isXia()));
        }
      }
      if (!total.isEmpty()) {
        h.append("<h3>").append(workload.title()).append("</h3><div class=\"two\">");
        bars(h, "total time, s", total, "%.2f");
        bars(h, "STOP→RESUME, ms", stopped, "%.0f");
        h.append("</div>");
      }
    }
  }

  private static void table1(StringBuilder h, List<Row> rows) {
    h.append("<h2>Table 1: networks</h2><p class=\"quiet\">The paper: 640 MB of memory and a 4 GB");
    h.append(
        " disk over real links, with a calculation running. Ours: memory only, over the links");
    h.append(" named below, downtime as a prober sees it; with a calculation running where that");
    h.append(" was measured with all of the guest's memory, else idle.</p>");
    head(h);
    line(h, "TCP/IP, paper", "6.5 min", "1 s", "VM unreachable", "–");
    line(h, "XIA, paper", "14 min", "1.2 s", "15 min", "1.2 s");
    for (Mode mode : List.of(Mode.TCP, Mode.SOCAT, Mode.XIA)) {
      Row lan = working(rows, mode, false);
      Row wan = working(rows, mode, true);
      if (mode == Mode.SOCAT && wan == null) {
        continue; // the paper's table has no such line either
      }
      line(h, mode.title() + ", ours", total(lan), outage(lan), total(wan), outage(wan));
    }
    h.append("</table>");
  }

  private static @Nullable Row working(List<Row> rows, Mode mode, boolean wan) {
    Row busy = row(rows, mode, Workload.CALCULATION, wan);
    boolean comparable =
        busy != null
            && !busy.totalMs().isEmpty()
            && !busy.cell().setting().id().equals(SMALLER_GUEST);
    return comparable ? busy : row(rows, mode, Workload.IDLE, wan);
  }

  /** A row of the paper's Table 2: minutes and seconds within one domain and between two. */
  private record Published(
      String what, double lanMin, double lanDown, double wanMin, double wanDown) {}

  private static final List<Published> TABLE_2 =
      List.of(
          new Published("Calculation", 14, 1.2, 15, 1.2),
          new Published("Dbench", 12, 1.0, 13, 1.5),
          new Published("Netperf", 12, 1.7, 14, 1.7));

  private static void table2(StringBuilder h, List<Row> rows) {
    h.append("<h2>Table 2: XIA by workload</h2>");
    smallerGuest(h, rows);
    head(h);
    for (Published p : TABLE_2) {
      line(
          h,
          p.what() + ", paper",
          TextReport.number(p.lanMin(), "%.0f min"),
          TextReport.number(p.lanDown(), "%.1f s"),
          TextReport.number(p.wanMin(), "%.0f min"),
          TextReport.number(p.wanDown(), "%.1f s"));
    }
    for (Workload workload : Workload.values()) {
      Row lan = row(rows, Mode.XIA, workload, false);
      Row wan = row(rows, Mode.XIA, workload, true);
      line(h, workload.title() + ", ours", total(lan), outage(lan), total(wan), outage(wan));
    }
    h.append("</table>");
  }

  private static void smallerGuest(StringBuilder h, List<Row> rows) {
    if (rows.stream().anyMatch(r -> r.cell().setting().id().equals(SMALLER_GUEST))) {
      h.append(
          "<p class=\"quiet\">Ours, inter-AD, with a workload: 32 MB of ballast in the place of");
      h.append(" 280.</p>");
    }
  }

  private static void figure6(StringBuilder h, List<Row> rows) {
    h.append("<h2>Fig. 6: total time and downtime in XIA by workload</h2>");
    h.append(
        "<p>The paper: total time varies little between intra-AD and inter-AD; dbench has the");
    h.append(
        " largest variation of downtime. Its bars (grey) are in minutes, ours in seconds.</p>");
    smallerGuest(h, rows);
    for (boolean wan : new boolean[] {false, true}) {
      List<Bar> total = new ArrayList<>();
      List<Bar> down = new ArrayList<>();
      List<Bar> theirTotal = new ArrayList<>();
      List<Bar> theirDown = new ArrayList<>();
      for (Published p : TABLE_2) {
        theirTotal.add(new Bar(p.what() + ", paper", wan ? p.wanMin() : p.lanMin(), false));
        theirDown.add(new Bar(p.what() + ", paper", wan ? p.wanDown() : p.lanDown(), false));
      }
      for (Workload workload : Workload.values()) {
        Row row = row(rows, Mode.XIA, workload, wan);
        if (row != null && !row.totalMs().isEmpty()) {
          total.add(new Bar(workload.title(), row.totalMs().median() / 1000, true));
          down.add(new Bar(workload.title(), row.outageMs().median() / 1000, true));
        }
      }
      if (!total.isEmpty()) {
        h.append("<h3>").append(wan ? "inter-AD" : "intra-AD");
        h.append("</h3><div class=\"two paper\">");
        bars(h, "the paper's total time, min", theirTotal, "%.0f");
        bars(h, "the paper's downtime, s", theirDown, "%.1f");
        h.append("</div><div class=\"two\">");
        bars(h, "our total time, s", total, "%.2f");
        bars(h, "our outage by Xping, s", down, "%.2f");
        h.append("</div>");
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
      h.append(TextReport.seconds(r)).append("</td><td>");
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
        && (wan ? WAN : LAN).contains(row.cell().setting().id());
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
    return row == null || row.totalMs().isEmpty()
        ? "not measured"
        : row.unreachable() > 0
            ? "VM unreachable"
            : row.outageMs().isEmpty()
                ? "not seen" // no probe was answered in the second before it
                : TextReport.number(row.outageMs().median() / 1000, "%.2f s");
  }

  private static void head(StringBuilder h) {
    h.append("<table><tr><th></th><th>intra-AD total</th><th>downtime</th>");
    h.append("<th>inter-AD total</th><th>downtime</th></tr>");
  }

  private static void line(StringBuilder h, String... cells) {
    h.append("<tr>");
    for (String cell : cells) {
      h.append("<td>").append(text(cell)).append("</td>");
    }
    h.append("</tr>");
  }

  /** A bar of a chart; NaN has none. */
  private record Bar(String name, double value, boolean ours) {}

  private static void bars(StringBuilder h, String what, List<Bar> bars, String format) {
    double most =
        bars.stream().mapToDouble(Bar::value).filter(v -> !Double.isNaN(v)).max().orElse(1);
    h.append("<div class=\"bars\"><p class=\"quiet\">").append(what).append("</p>");
    for (Bar bar : bars) {
      double em =
          Double.isNaN(bar.value()) || most <= 0 ? 0 : Math.max(0.1, bar.value() / most * BAR_EM);
      h.append(bar.ours() ? "<div class=\"x\">" : "<div>").append("<span>");
      h.append(text(bar.name())).append("</span><i style=\"width:");
      h.append(String.format(Locale.ROOT, "%.2f", em)).append("em\"></i>");
      h.append(TextReport.number(bar.value(), format)).append("</div>");
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
