package io.xmig.testbed.run;

import io.xmig.testbed.report.RunResult;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The result of a run for a terminal. */
final class Summary {
  private Summary() {}

  static void print(PrintWriter out, RunResult r) {
    out.println();
    out.printf(
        Locale.ROOT,
        "%-4s %-18s %10s %12s %14s %18s %6s %10s%n",
        "#",
        "migration",
        "total s",
        "downtime ms",
        "STOP→RESUME ms",
        "outage ms (Xping)",
        "lost",
        "stream MB");
    for (RunResult.Migration m : r.migrations()) {
      out.printf(
          Locale.ROOT,
          "%-4d %-18s %10.2f %12s %14s %18s %6d %10.1f%n",
          m.index(),
          m.from() + "→" + m.to(),
          m.totalMs() / 1000,
          number(m.qemuDowntimeMs()),
          number(m.stopToResumeMs()),
          String.format(Locale.ROOT, "%.0f ± %.0f", m.outageMs(), m.outageErrorMs()),
          m.lostProbes(),
          m.bytes().stream() / 1e6);
    }
    for (RunResult.Migration m : r.migrations()) {
      RunResult.OutageParts parts = m.outageParts();
      if (parts != null) {
        out.println("outage of " + m.index() + ": " + sum(parts) + " ms");
      }
    }
    out.println();
    for (RunResult.Cal c : r.cal()) {
      out.printf(
          Locale.ROOT,
          "Cal %-7s %d asked, %d answered, %d wrong, longest gap %.0f ms, connection %s%n",
          c.socket(),
          c.asked(),
          c.answered(),
          c.wrong(),
          c.longestGapMs(),
          c.broken() == null ? "kept" : "LOST: " + c.broken());
    }
    for (RunResult.Xping x : r.xping()) {
      out.printf(
          Locale.ROOT,
          "Xping %-5s %d sent, %d answered, RTT p50 %.2f ms, p99 %.2f ms%n",
          x.target(),
          x.sent(),
          x.answered(),
          x.rttP50Ms(),
          x.rttP99Ms());
    }
    RunResult.Attack attack = r.attack();
    if (attack != null) {
      out.printf(
          Locale.ROOT,
          "Attacker    %d messages, %d refused with a reason, %d frames stolen, %d answers lost%n",
          sum(attack.attempts()),
          attack.refused().values().stream().mapToLong(Summary::sum).sum(),
          attack.stolen(),
          attack.lostAnswers());
    }
    out.println();
    if (r.verdict().ok()) {
      out.println("The VM runs at its destination and kept every connection.");
    } else {
      out.println("Not good:");
      r.verdict().problems().forEach(p -> out.println("  " + p));
    }
    out.flush();
  }

  private static String sum(RunResult.OutageParts parts) {
    return parts.named().entrySet().stream()
        .map(p -> String.format(Locale.ROOT, "%s %.0f", p.getKey(), p.getValue()))
        .collect(Collectors.joining(" + "));
  }

  private static long sum(Map<String, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  private static String number(@org.jspecify.annotations.Nullable Double value) {
    return value == null ? "–" : String.format(Locale.ROOT, "%.0f", value);
  }
}
