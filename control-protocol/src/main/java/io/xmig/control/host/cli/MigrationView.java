package io.xmig.control.host.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Message;
import io.xmig.control.host.v1.HostEvent;
import io.xmig.control.host.v1.Progress;
import io.xmig.control.host.v1.Result;
import java.io.PrintWriter;
import java.util.Locale;

/**
 * Shows a migration: one line that is rewritten on a terminal, a line now and then elsewhere, or
 * JSON.
 *
 * @threading one thread
 */
final class MigrationView {
  private enum Style {
    TERMINAL,
    LINES,
    JSON
  }

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long LINE_EVERY_MS = 1000;
  private static final int BAR = 20;
  private static final String ERASE = "\r\u001b[K";

  private final PrintWriter out;
  private final Style style;
  private long firstMicros;
  private long lastProgressMs = -LINE_EVERY_MS;
  private boolean lineOpen;

  private MigrationView(PrintWriter out, Style style) {
    this.out = out;
    this.style = style;
  }

  static MigrationView of(PrintWriter out, boolean json) {
    boolean terminal = System.console() != null;
    return new MigrationView(out, json ? Style.JSON : terminal ? Style.TERMINAL : Style.LINES);
  }

  static MigrationView lines(PrintWriter out) {
    return new MigrationView(out, Style.LINES);
  }

  void show(HostEvent event) {
    if (style == Style.JSON) {
      out.println(json(event));
      out.flush();
      return;
    }
    if (firstMicros == 0) {
      firstMicros = event.getTimeMicros();
    }
    long ms = (event.getTimeMicros() - firstMicros) / 1000;
    if (event.hasProgress()) {
      showProgress(ms, event.getProgress());
    } else if (event.hasResult()) {
      line(ms, summary(event.getResult()));
    } else if (!event.getName().equals("send") && !event.getName().equals("received")) {
      line(ms, (event.getName() + " " + event.getDetail()).strip());
    }
  }

  /** The fields that are set, by their JSON names; 64-bit numbers as numbers. */
  static ObjectNode json(Message message) {
    ObjectNode node = JSON.createObjectNode();
    message
        .getAllFields()
        .forEach(
            (field, value) -> {
              String name = field.getJsonName();
              if (value instanceof Message part) {
                node.set(name, json(part));
              } else if (value instanceof EnumValueDescriptor word) {
                node.put(name, word.getName());
              } else if (value instanceof Number number) {
                node.put(name, number.longValue());
              } else {
                node.put(name, String.valueOf(value));
              }
            });
    return node;
  }

  private void showProgress(long ms, Progress progress) {
    if (style == Style.TERMINAL) {
      out.print(ERASE + text(progress));
      out.flush();
      lineOpen = true;
    } else if (ms - lastProgressMs >= LINE_EVERY_MS) {
      lastProgressMs = ms;
      line(ms, text(progress));
    }
  }

  /** Phase, bar, bytes, rate, what is left, expected downtime, time to go. */
  static String text(Progress p) {
    long total = p.getTotalBytes() + p.getDiskTotalBytes();
    long left =
        p.getRemainingBytes() + Math.max(0, p.getDiskTotalBytes() - p.getDiskTransferredBytes());
    int percent = total == 0 ? 0 : (int) Math.max(0, 100 - left * 100 / total);
    int filled = percent * BAR / 100;
    return String.format(
        Locale.ROOT,
        "%-8s pass %d [%s%s] %3d%%  %s sent, %s/s, %d dirty pages left (%d/s), downtime ~%d ms,"
            + " %s to go",
        p.getPhase(),
        Math.max(1, p.getPasses()),
        "#".repeat(filled),
        ".".repeat(BAR - filled),
        percent,
        bytes(p.getTransferredBytes() + p.getDiskTransferredBytes()),
        bytes(p.getBytesPerSecond()),
        p.getRemainingBytes() / 4096,
        p.getDirtyPagesPerSecond(),
        p.getExpectedDowntimeMs(),
        p.getEtaMs() == 0 ? "?" : String.format(Locale.ROOT, "%.1f s", p.getEtaMs() / 1000.0));
  }

  private static String summary(Result result) {
    return switch (result.getOutcome()) {
      case OUTCOME_MOVED ->
          String.format(
              Locale.ROOT,
              "moved: %.2f s, QEMU's downtime %d ms (limit %d ms), %s of memory in %d passes",
              result.getTotalMs() / 1000.0,
              result.getQemuDowntimeMs(),
              result.getDowntimeLimitMs(),
              bytes(result.getRamBytes()),
              result.getPasses());
      case OUTCOME_STAYED -> "the VM runs here as before: " + result.getReason();
      case OUTCOME_LOST -> "LOST: " + result.getReason();
      default -> "ended: " + result.getReason();
    };
  }

  private void line(long ms, String text) {
    if (lineOpen) {
      out.print(ERASE);
      lineOpen = false;
    }
    out.printf(Locale.ROOT, "%8.3f  %s%n", ms / 1000.0, text);
    out.flush();
  }

  static String bytes(long count) {
    if (count >= 1L << 30) {
      return String.format(Locale.ROOT, "%.2f GiB", count / (double) (1 << 30));
    }
    if (count >= 1 << 20) {
      return String.format(Locale.ROOT, "%.1f MiB", count / (double) (1 << 20));
    }
    return String.format(Locale.ROOT, "%d KiB", count >> 10);
  }

  void close() {
    if (lineOpen) {
      out.println();
      out.flush();
    }
  }
}
