package io.xmig.testbed.run;

import io.xmig.control.host.v1.Progress;
import java.io.PrintWriter;
import java.util.Locale;

/** Shows how a migration goes: one line that changes on a terminal, a line a second otherwise. */
final class ProgressView {
  private static final long PLAIN_LINE_MS = 1000;
  private static final int LINE_WIDTH = 110;

  private final PrintWriter out;
  private final boolean terminal;
  private long lastMs;

  ProgressView(PrintWriter out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  void update(Progress p) {
    if (!terminal && p.getElapsedMs() - lastMs < PLAIN_LINE_MS && p.getElapsedMs() >= lastMs) {
      return;
    }
    lastMs = p.getElapsedMs();
    String line =
        String.format(
            Locale.ROOT,
            "  %-10s %7.1f MB sent, %6.1f MB left, %6.1f MB/s, dirty %d pages/s, downtime about %d ms%s",
            p.getPhase(),
            (p.getTransferredBytes() + p.getDiskTransferredBytes()) / 1e6,
            p.getRemainingBytes() / 1e6,
            p.getBytesPerSecond() / 1e6,
            p.getDirtyPagesPerSecond(),
            p.getExpectedDowntimeMs(),
            p.getEtaMs() > 0 ? ", " + (p.getEtaMs() + 999) / 1000 + " s to go" : "");
    if (terminal) {
      out.print("\r" + String.format("%-" + LINE_WIDTH + "s", line));
    } else {
      out.println(line);
    }
    out.flush();
  }

  /** Ends the line of a migration. */
  void done() {
    lastMs = 0;
    if (terminal) {
      out.print("\r" + " ".repeat(LINE_WIDTH) + "\r");
      out.flush();
    }
  }
}
