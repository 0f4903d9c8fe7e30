package io.xmig.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A line of the table of targets, judged.
 *
 * @param what is compared
 * @param limit not to be exceeded
 * @param measured NaN where this plan does not measure it
 * @param unit of both, empty for ratios
 * @param note where it is measured instead, or from how many runs
 */
record Target(String what, double limit, double measured, String unit, String note) {
  private static final double BYTES_PER_GB = 1e9;

  boolean isMeasured() {
    return !Double.isNaN(measured);
  }

  boolean isMet() {
    return isMeasured() && measured <= limit;
  }

  String verdict() {
    return !isMeasured() ? "not measured" : isMet() ? "pass" : "FAIL";
  }

  static List<Target> of(List<Row> rows, List<Measurement> all) {
    List<Target> t = new ArrayList<>();
    t.add(
        ratio(
            rows, "1 Gbit/s, 1 ms, MTU 9000: XIA ÷ tcp:", 1.03, "lan", Mode.XIA, Mode.TCP, false));
    t.add(
        ratio(
            rows,
            "1 Gbit/s, 1 ms, MTU 1500: XIA ÷ tcp:",
            1.10,
            "lan1500",
            Mode.XIA,
            Mode.TCP,
            false));
    t.add(
        ratio(
            rows,
            "1 Gbit/s, memory as of a real guest: XIA --compress auto ÷ tcp:",
            0.9,
            "lanreal",
            Mode.XIA_AUTO,
            Mode.TCP,
            false));
    t.add(
        ratio(
            rows,
            "100 Mbit/s, 20 ms, MTU 1500: XIA ÷ tcp:",
            1.10,
            "wan",
            Mode.XIA,
            Mode.TCP,
            false));
    Target packed =
        ratio(
            rows,
            "the same, XIA --compress auto ÷ tcp:",
            0.9,
            "wanreal",
            Mode.XIA_AUTO,
            Mode.TCP,
            false);
    t.add(
        packed.isMeasured()
            ? packed
            : ratio(rows, packed.what(), 0.9, "wan", Mode.XIA_AUTO, Mode.TCP, false));
    t.add(
        ratio(
            rows,
            "100 Mbit/s, 50 ms, 0.5 % loss: XIA ÷ TCP CUBIC",
            0.6,
            "lossy",
            Mode.XIA,
            Mode.TCP_CUBIC,
            false));
    t.add(
        ratio(
            rows,
            "100 Mbit/s, 50 ms, 0.5 % loss: XIA ÷ TCP BBR",
            1.10,
            "lossy",
            Mode.XIA,
            Mode.TCP_BBR,
            false));
    t.add(
        ratio(
            rows,
            "unshaped veth, MTU 9000: XIA ÷ exec: socat",
            1.8,
            "veth",
            Mode.XIA,
            Mode.SOCAT,
            false));
    t.add(
        ratio(
            rows,
            "full migration, unshaped: XIA ÷ exec: socat",
            1.3,
            "veth",
            Mode.XIA,
            Mode.SOCAT,
            true));
    outage(t, all);
    t.add(peak(all, "resident memory, node", 128, "/xmig node"));
    t.add(peak(all, "resident memory, pipe", 96, "/xmig send", "/xmig receive"));
    Spread cpu =
        Spread.of(
            all.stream()
                .filter(m -> m.ok() && m.mode().equals(Mode.XIA.title()) && m.streamBytes() > 0)
                .map(m -> m.xmigCpuSeconds() / (m.streamBytes() / BYTES_PER_GB))
                .toList());
    t.add(
        new Target(
            "CPU seconds of all XIA processes per GB migrated",
            4,
            cpu.median(),
            "s",
            runs(cpu.count())));
    t.add(elsewhere("chunk goodput, forwarding (JMH)", "xmig bench, docs/performance.md"));
    t.add(elsewhere("two migrations sharing a link", "docs/performance.md"));
    return t;
  }

  private static Target ratio(
      List<Row> rows,
      String what,
      double limit,
      String setting,
      Mode ours,
      Mode theirs,
      boolean full) {
    Row a = row(rows, setting, ours, full);
    Row b = row(rows, setting, theirs, full);
    if (a == null || b == null || a.totalMs().isEmpty() || b.totalMs().isEmpty()) {
      return new Target(what, limit, Double.NaN, "", "no such cells in this run");
    }
    return new Target(
        what,
        limit,
        a.totalMs().median() / b.totalMs().median(),
        "",
        String.format(
            Locale.ROOT,
            "%.2f s ÷ %.2f s, medians of %d and %d",
            a.totalMs().median() / 1000,
            b.totalMs().median() / 1000,
            a.totalMs().count(),
            b.totalMs().count()));
  }

  private static @Nullable Row row(List<Row> rows, String setting, Mode mode, boolean full) {
    return rows.stream()
        .filter(
            r ->
                r.cell().setting().id().equals(setting)
                    && r.cell().mode() == mode
                    && r.cell().workload() == Workload.IDLE
                    && r.cell().full() == full)
        .findFirst()
        .orElse(null);
  }

  private static void outage(List<Target> into, List<Measurement> all) {
    List<Double> excess = new ArrayList<>();
    for (Measurement m : all) {
      Double outage = m.outageMs();
      if (m.ok()
          && outage != null
          && m.setting().equals("lan")
          && m.mode().equals(Mode.XIA.title())
          && m.workload().equals(Workload.IDLE.title())) {
        excess.add(outage - m.stopToResumeMs());
      }
    }
    Spread spread = Spread.of(excess);
    String what = "outage by Xping − STOP→RESUME, intra-AD, ";
    into.add(new Target(what + "median", 20, spread.median(), "ms", runs(spread.count())));
    into.add(new Target(what + "worst", 60, spread.max(), "ms", runs(spread.count())));
  }

  private static Target peak(List<Measurement> all, String what, double limit, String... names) {
    double most = Double.NaN;
    String where = "";
    for (Measurement m : all) {
      for (var entry : m.peakMb().entrySet()) {
        for (String name : names) {
          if (entry.getKey().endsWith(name) && !(entry.getValue() <= most)) {
            most = entry.getValue();
            where = entry.getKey();
          }
        }
      }
    }
    return new Target(what, limit, most, "MB", where);
  }

  private static Target elsewhere(String what, String where) {
    return new Target(what, Double.NaN, Double.NaN, "", where);
  }

  private static String runs(int count) {
    return count + (count == 1 ? " run" : " runs");
  }
}
