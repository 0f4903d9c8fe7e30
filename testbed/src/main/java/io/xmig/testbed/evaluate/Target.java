package io.xmig.testbed.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A line of the table of targets, judged.
 *
 * @param what is compared
 * @param atLeast whether the limit is to be reached, not to be kept below
 * @param limit where the target is met
 * @param measured NaN where this run has not measured it
 * @param bound whether it is at most what was measured: the other side was ended before it was done
 * @param unit of both, empty for ratios
 * @param note from what it was computed, or why it is missing
 */
record Target(
    String what,
    boolean atLeast,
    double limit,
    double measured,
    boolean bound,
    String unit,
    String note) {
  /** Of XIA's total time by that of TCP CUBIC on a path that loses. */
  static final double CUBIC_ON_LOSS = 0.6;

  private static final double BYTES_PER_GB = 1e9;
  private static final double NODE_MB = 128;
  private static final double PIPE_MB = 96;
  private static final List<String> RESIDENT = List.of(Mode.XIA.title(), Mode.XIA_AUTO.title());
  private static final int[] CHUNK_MTUS = {65_535, 9_000, 1_500};
  private static final double[] CHUNK_MB = {500, 300, 100};

  Target(String what, boolean atLeast, double limit, double measured, String unit, String note) {
    this(what, atLeast, limit, measured, false, unit, note);
  }

  boolean isMeasured() {
    return !Double.isNaN(measured);
  }

  boolean isMet() {
    return isMeasured() && (atLeast ? measured >= limit : measured <= limit);
  }

  String verdict() {
    return !isMeasured() ? "not measured" : isMet() ? "pass" : bound ? "not shown" : "FAIL";
  }

  /** {@code ≤ 1.03}. */
  String limitText() {
    return (atLeast ? "≥ " : "≤ ")
        + TextReport.number(limit, "%.4g").replaceFirst("\\.?0+$", "")
        + (unit.isEmpty() ? "" : " " + unit);
  }

  /** {@code 1.234}, {@code 87.3 MB}, {@code ≤ 0.567}. */
  String measuredText() {
    return (bound ? "≤ " : "")
        + TextReport.number(measured, unit.isEmpty() ? "%.3f" : "%.1f " + unit);
  }

  static List<Target> of(List<Row> rows, Findings findings) {
    List<Target> t = new ArrayList<>();
    Ratios r = new Ratios(rows);
    t.add(r.of("1 Gbit/s, 1 ms, MTU 9000: XIA ÷ tcp:", 1.03, "lan", Mode.XIA, Mode.TCP));
    t.add(r.of("the same, MTU 1500", 1.10, "lan1500", Mode.XIA, Mode.TCP));
    t.add(
        r.of(
            "1 Gbit/s, 1 ms, MTU 9000, memory as of a real guest: XIA --compress auto ÷ tcp:",
            0.9,
            "lanreal",
            Mode.XIA_AUTO,
            Mode.TCP));
    t.add(r.of("100 Mbit/s, 20 ms, MTU 1500: XIA ÷ tcp:", 1.10, "wan", Mode.XIA, Mode.TCP));
    String packed = "the same, memory as of a real guest: XIA --compress auto ÷ tcp:";
    Target real = r.of(packed, 0.9, "wanreal", Mode.XIA_AUTO, Mode.TCP);
    t.add(real.isMeasured() ? real : r.withTcpOf("wan", packed, 0.9, "wanreal", Mode.XIA_AUTO));
    String lossy = "100 Mbit/s, 50 ms, 0.5 % loss: XIA ÷ ";
    t.add(r.of(lossy + "TCP CUBIC", CUBIC_ON_LOSS, "lossy", Mode.XIA, Mode.TCP_CUBIC));
    t.add(r.of(lossy + "TCP BBR", 1.10, "lossy", Mode.XIA, Mode.TCP_BBR));
    t.add(r.of("unshaped veth, MTU 9000: XIA ÷ exec: socat", 1.8, "veth", Mode.XIA, Mode.SOCAT));
    t.add(
        r.with(true)
            .of("the same with the disk: XIA ÷ exec: socat", 1.3, "veth", Mode.XIA, Mode.SOCAT));
    outage(t, findings.migrations());
    t.add(
        atLeast(findings, "two migrations on one 1 Gbit/s link: Jain index", 0.95, Aside.JAIN, ""));
    t.add(atLeast(findings, "two migrations: sum ÷ link", 0.93, Aside.SHARED, ""));
    for (int i = 0; i < CHUNK_MTUS.length; i++) {
      String what = "chunk goodput, node → router → node, MTU " + CHUNK_MTUS[i];
      t.add(atLeast(findings, what, CHUNK_MB[i], Aside.CHUNK + CHUNK_MTUS[i], "MB/s"));
    }
    t.add(atLeast(findings, "forwarding, 1000-byte packets", 1, Aside.FORWARD, "Mpackets/s"));
    t.add(from(findings, "allocated per packet forwarded", false, 0, Aside.ALLOCATED, "B"));
    t.add(peak(findings.migrations(), "resident memory, node", NODE_MB, "/xmig node"));
    t.add(
        peak(
            findings.migrations(),
            "resident memory, pipe",
            PIPE_MB,
            "/xmig send",
            "/xmig receive",
            "/xmig pipes"));
    Target inside =
        peak(
            findings.migrations(),
            "resident memory, node with its pipes inside",
            NODE_MB + PIPE_MB,
            "/xmig node+pipes");
    if (inside.isMeasured()) {
      t.add(inside);
    }
    t.add(from(findings, "resident memory, agent in the guest", false, 64, Aside.AGENT_MB, "MB"));
    t.add(cpu(findings.migrations()));
    return t;
  }

  private static Target cpu(List<Measurement> all) {
    Spread cpu =
        Spread.of(
            all.stream()
                .filter(m -> m.moved() && m.streamBytes() > 0)
                .filter(m -> m.mode().equals(Mode.XIA.title()))
                .filter(m -> m.workload().equals(Workload.IDLE.title()))
                .map(m -> m.xmigCpuSeconds() / (m.streamBytes() / BYTES_PER_GB))
                .toList());
    return new Target(
        "CPU seconds of all XIA processes per GB migrated",
        false,
        4,
        cpu.median(),
        "s",
        String.format(Locale.ROOT, "%s, %.1f to %.1f s", runs(cpu.count()), cpu.min(), cpu.max()));
  }

  private static Target atLeast(
      Findings findings, String what, double limit, String id, String unit) {
    return from(findings, what, true, limit, id, unit);
  }

  private static Target from(
      Findings findings, String what, boolean atLeast, double limit, String id, String unit) {
    Aside aside = findings.aside(id);
    Double value = aside == null ? null : aside.value();
    return new Target(
        what,
        atLeast,
        limit,
        value == null ? Double.NaN : value,
        unit,
        aside == null ? "not in this run" : aside.note());
  }

  /** Ratios of total times, from rows of the same kind. */
  private record Ratios(List<Row> rows, boolean full) {
    Ratios(List<Row> rows) {
      this(rows, false);
    }

    Ratios with(boolean disk) {
      return new Ratios(rows, disk);
    }

    Target of(String what, double limit, String setting, Mode ours, Mode theirs) {
      return of(what, limit, setting, ours, setting, theirs);
    }

    /** {@code tcp:} takes as long whatever the pages hold, unless they are zero. */
    Target withTcpOf(String tcp, String what, double limit, String setting, Mode ours) {
      Target t = of(what, limit, setting, ours, tcp, Mode.TCP);
      String note = t.isMeasured() ? t.note() + "; tcp: with random memory" : t.note();
      return new Target(what, false, limit, t.measured(), t.bound(), "", note);
    }

    private Target of(
        String what, double limit, String setting, Mode ours, String other, Mode theirs) {
      Row a = row(setting, ours);
      Row b = row(other, theirs);
      if (a == null || b == null || a.totalMs().isEmpty() || b.totalMs().isEmpty()) {
        return new Target(what, false, limit, Double.NaN, "", missing(setting, ours, theirs));
      }
      return new Target(
          what,
          false,
          limit,
          a.totalMs().median() / b.totalMs().median(),
          b.bound(),
          "",
          String.format(
              Locale.ROOT,
              b.bound()
                  ? "%.2f s ÷ more than %.2f s (ended then, not done), medians of %d and %d"
                  : "%.2f s ÷ %.2f s, medians of %d and %d",
              a.totalMs().median() / 1000,
              b.totalMs().median() / 1000,
              a.totalMs().count(),
              b.totalMs().count()));
    }

    private @Nullable Row row(String setting, Mode mode) {
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

    private String missing(String setting, Mode... modes) {
      for (Mode mode : modes) {
        Row row = row(setting, mode);
        if (row != null && !row.failures().isEmpty()) {
          return mode.title() + ": " + row.failures().get(0);
        }
      }
      return "not in this run";
    }
  }

  /** Of all networks within one domain. */
  private static void outage(List<Target> into, List<Measurement> all) {
    List<Double> excess = new ArrayList<>();
    for (Measurement m : all) {
      Double outage = m.outageMs();
      if (m.ok()
          && outage != null
          && !Networks.isWan(m.setting())
          && RESIDENT.contains(m.mode())
          && m.workload().equals(Workload.IDLE.title())) {
        excess.add(outage - m.stopToResumeMs());
      }
    }
    Spread spread = Spread.of(excess);
    String what = "outage by Xping − STOP→RESUME, intra-AD, ";
    into.add(new Target(what + "median", false, 20, spread.median(), "ms", runs(spread.count())));
    into.add(new Target(what + "worst", false, 60, spread.max(), "ms", runs(spread.count())));
  }

  private static Target peak(List<Measurement> all, String what, double limit, String... names) {
    double most = Double.NaN;
    String where = "no process of this kind was seen";
    for (Measurement m : all) {
      for (var entry : m.peakMb().entrySet()) {
        for (String name : names) {
          if (entry.getKey().endsWith(name) && !(entry.getValue() <= most)) {
            most = entry.getValue();
            where = "the largest, " + entry.getKey() + " in " + m.setting() + ", " + m.mode();
          }
        }
      }
    }
    return new Target(what, false, limit, most, "MB", where);
  }

  private static String runs(int count) {
    return count + (count == 1 ? " run" : " runs");
  }
}
