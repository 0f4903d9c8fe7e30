package io.xmig.testbed.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** Writes {@code report.html}: one file with everything in it, made from a result. */
public final class HtmlReport {
  private static final String STYLE =
      """
      body{font:15px/1.5 system-ui,sans-serif;max-width:1040px;margin:2em auto;padding:0 1em;color:#222}
      h1{font-size:1.6em;margin-bottom:.2em} h2{font-size:1.15em;margin-top:2em}
      table{border-collapse:collapse;margin:.6em 0} td,th{padding:.3em .8em;border-bottom:1px solid #ddd;text-align:right}
      td:first-child,th:first-child{text-align:left} th{font-weight:600;background:#f6f8fa}
      .good{color:#1a7f37} .bad{color:#c0392b} .quiet{color:#666} img{width:100%;height:auto}
      .bar{display:flex;height:2.1em;border-radius:4px;overflow:hidden;margin:.2em 0 .4em} .bar div{min-width:1px;overflow:hidden}
      .key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 0;vertical-align:-.05em}
      .keys span{margin-right:1.3em;white-space:nowrap} details{margin:.6em 0} summary{cursor:pointer;font-weight:600}
      .big{display:flex;gap:2.5em;flex-wrap:wrap;margin:1.2em 0} .big div b{display:block;font-size:1.9em;line-height:1.2}
      """;

  private static final String[] PART_COLORS = {
    "#9aa5b1", "#1f5fa8", "#5b9bd5", "#d9822b", "#f0b429", "#8e6bbf", "#2e8b57", "#8fce9b"
  };

  private HtmlReport() {}

  /** Writes the report of one run. */
  public static void write(Path file, RunResult result) throws IOException {
    ResultFile.writeWhole(file, page(result).getBytes(StandardCharsets.UTF_8));
  }

  private static String page(RunResult r) throws IOException {
    StringBuilder h = new StringBuilder(1 << 16);
    h.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>xmig ")
        .append(text(r.scenario().name()))
        .append("</title><style>")
        .append(STYLE)
        .append("</style></head><body>");
    h.append("<h1>").append(text(r.scenario().name())).append(": ");
    h.append(r.migrations().size())
        .append(r.migrations().size() == 1 ? " migration" : " migrations");
    h.append(
        r.verdict().ok()
            ? ", <span class=\"good\">the VM kept every connection</span></h1>"
            : ", <span class=\"bad\">not good</span></h1>");
    h.append("<p class=\"quiet\">").append(text(r.startedAt())).append(" · ");
    h.append(text(r.scenario().stack()))
        .append(" · ")
        .append(text(r.scenario().links()))
        .append(" · ");
    h.append(text(r.scenario().accelerator()))
        .append(" · ")
        .append(text(r.scenario().mode()))
        .append(" · VM ");
    h.append(r.scenario().vm().memoryMb()).append(" MB</p>");
    for (String problem : r.verdict().problems()) {
      h.append("<p class=\"bad\">").append(text(problem)).append("</p>");
    }
    headline(h, r);
    image(h, Plots.rtt(r), "Round-trip time of each Xping probe, lost probes, migrations shaded");
    image(h, Plots.throughput(r), "Throughput of the migration stream over time");
    image(h, Plots.calGaps(r), "Time between answers of the calculation service");
    migrations(h, r);
    parts(h, r);
    workloads(h, r);
    timelines(h, r);
    RunResult.Machine m = r.machine();
    h.append("<p class=\"quiet\">").append(m.cpus()).append(" CPUs, ").append(m.memoryMb());
    h.append(" MB, Linux ").append(text(m.kernel())).append(", Java ").append(text(m.java()));
    h.append(", ")
        .append(text(m.qemu()))
        .append(". The numbers of this page are in result.json.</p>");
    return h.append("</body></html>").toString();
  }

  private static void headline(StringBuilder h, RunResult r) {
    h.append("<div class=\"big\">");
    big(h, "total time", median(r, RunResult.Migration::totalMs), "ms");
    big(
        h,
        "downtime (QEMU)",
        median(r, m -> m.qemuDowntimeMs() == null ? Double.NaN : m.qemuDowntimeMs()),
        "ms");
    big(h, "outage (Xping)", median(r, RunResult.Migration::outageMs), "ms");
    long wrong = r.cal().stream().mapToLong(RunResult.Cal::wrong).sum();
    big(h, "wrong answers", wrong, "");
    h.append("</div>");
  }

  private static double median(
      RunResult r, java.util.function.ToDoubleFunction<RunResult.Migration> of) {
    double[] sorted =
        r.migrations().stream().mapToDouble(of).filter(d -> !Double.isNaN(d)).sorted().toArray();
    return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
  }

  private static void big(StringBuilder h, String what, double value, String unit) {
    h.append("<div><b>").append(number(value)).append(unit.isEmpty() ? "" : " " + unit);
    h.append("</b>").append(what).append("</div>");
  }

  private static void image(StringBuilder h, String png, String alt) {
    h.append("<img alt=\"")
        .append(text(alt))
        .append("\" src=\"data:image/png;base64,")
        .append(png)
        .append("\">");
  }

  private static void migrations(StringBuilder h, RunResult r) {
    h.append(
        "<h2>Migrations</h2><table><tr><th>#</th><th>from → to</th><th>total ms</th><th>QEMU downtime ms</th>");
    h.append(
        "<th>STOP → RESUME ms</th><th>outage ms</th><th>lost</th><th>stream MB</th><th>wire MB</th></tr>");
    for (RunResult.Migration m : r.migrations()) {
      h.append("<tr><td>").append(m.index()).append("</td><td>");
      h.append(text(m.from())).append(" → ").append(text(m.to())).append("</td><td>");
      h.append(number(m.totalMs())).append("</td><td>").append(number(m.qemuDowntimeMs()));
      h.append("</td><td>").append(number(m.stopToResumeMs())).append("</td><td>");
      h.append(number(m.outageMs()))
          .append(" ± ")
          .append(number(m.outageErrorMs()))
          .append("</td><td>");
      h.append(m.lostProbes())
          .append("</td><td>")
          .append(number(m.bytes().stream() / 1e6))
          .append("</td><td>");
      h.append(number(m.bytes().wire() / 1e6)).append("</td></tr>");
    }
    h.append("</table>");
  }

  /** One bar per migration: what its outage consists of. */
  private static void parts(StringBuilder h, RunResult r) {
    if (r.migrations().stream().allMatch(m -> m.outageParts() == null)) {
      return;
    }
    double longest =
        r.migrations().stream().mapToDouble(RunResult.Migration::outageMs).max().orElse(1);
    h.append("<h2>What the outages consist of</h2>");
    for (RunResult.Migration m : r.migrations()) {
      RunResult.OutageParts p = m.outageParts();
      if (p == null) {
        continue;
      }
      Map<String, Double> parts = p.named();
      h.append("<div>").append(m.index()).append(". ").append(text(m.from())).append(" → ");
      h.append(text(m.to())).append(": <b>").append(number(m.outageMs())).append(" ms</b></div>");
      h.append("<div class=\"bar\" style=\"width:");
      h.append(String.format(Locale.ROOT, "%.1f", 100 * m.outageMs() / Math.max(1, longest)));
      h.append("%\">");
      int color = 0;
      for (Map.Entry<String, Double> part : parts.entrySet()) {
        h.append("<div title=\"").append(text(part.getKey())).append(' ');
        h.append(number(part.getValue())).append(" ms\" style=\"flex:");
        h.append(String.format(Locale.ROOT, "%.3f", part.getValue()));
        h.append(" 0 0;background:").append(PART_COLORS[color++]).append("\"></div>");
      }
      h.append("</div><div class=\"keys quiet\">");
      color = 0;
      for (Map.Entry<String, Double> part : parts.entrySet()) {
        h.append("<span><span class=\"key\" style=\"background:").append(PART_COLORS[color++]);
        h.append("\"></span>").append(text(part.getKey())).append(' ');
        h.append(number(part.getValue())).append("</span> ");
      }
      h.append("</div>");
    }
  }

  private static void workloads(StringBuilder h, RunResult r) {
    h.append(
        "<h2>Clients</h2><table><tr><th>client</th><th>asked</th><th>answered</th><th>wrong</th>");
    h.append("<th>longest gap ms</th><th>connection</th></tr>");
    for (RunResult.Cal c : r.cal()) {
      h.append("<tr><td>Cal ").append(text(c.socket())).append("</td><td>").append(c.asked());
      h.append("</td><td>")
          .append(c.answered())
          .append("</td><td>")
          .append(c.wrong())
          .append("</td><td>");
      h.append(number(c.longestGapMs())).append("</td><td>");
      h.append(c.broken() == null ? "kept" : text(c.broken())).append("</td></tr>");
    }
    for (RunResult.Xping x : r.xping()) {
      h.append("<tr><td>Xping ").append(text(x.target())).append("</td><td>").append(x.sent());
      h.append("</td><td>").append(x.answered()).append("</td><td>–</td><td>–</td><td>RTT p50 ");
      h.append(number(x.rttP50Ms()))
          .append(", p99 ")
          .append(number(x.rttP99Ms()))
          .append(" ms</td></tr>");
    }
    h.append("</table>");
  }

  private static void timelines(StringBuilder h, RunResult r) {
    for (RunResult.Migration m : r.migrations()) {
      h.append("<details><summary>Time line of migration ")
          .append(m.index())
          .append("</summary><table><tr><th>event</th><th>ms</th></tr>");
      for (RunResult.Event e : m.timeline()) {
        h.append("<tr><td>").append(text(e.name())).append("</td><td>");
        h.append(String.format(Locale.ROOT, "%.1f", e.atMs() - m.startedAtMs()))
            .append("</td></tr>");
      }
      h.append("</table></details>");
    }
  }

  private static String number(@org.jspecify.annotations.Nullable Double value) {
    if (value == null || value.isNaN()) {
      return "–";
    }
    return String.format(
        Locale.ROOT, Math.abs(value) < 10 && value % 1 != 0 ? "%.1f" : "%,.0f", value);
  }

  private static String text(String raw) {
    return raw.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
