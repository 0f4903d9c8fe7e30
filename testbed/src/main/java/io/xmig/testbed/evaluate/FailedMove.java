package io.xmig.testbed.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.qemu.MigrationProgress;
import io.xmig.control.qemu.QemuException;
import io.xmig.control.qemu.QemuProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/** Says of a migration that came to nothing what each of those involved has to say. */
final class FailedMove {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MOST_CHARACTERS = 300;
  private static final double MEGA = 1e6;

  private FailedMove() {}

  /**
   * What happened, then who says what.
   *
   * @param what happened, as far as the mover has seen
   * @param tookNs since the command to migrate
   * @param reports where each pipe writes its status lines
   */
  static String describe(
      String what,
      long tookNs,
      GuestVm source,
      GuestVm destination,
      List<MigrationPipe> pipes,
      List<Path> reports) {
    List<String> facts = new ArrayList<>();
    facts.add(String.format(Locale.ROOT, "%s, %.1f s after the command", what, tookNs / 1e9));
    facts.add("source: " + progress(source));
    for (int i = 0; i < pipes.size(); i++) {
      facts.add(describe(pipes.get(i), reports.get(i)));
    }
    String words = QemuProcess.lastWords(destination.files());
    if (!words.isEmpty()) {
      facts.add("destination's QEMU said: " + end(words));
    }
    return String.join("; ", facts);
  }

  private static String progress(GuestVm source) {
    if (!source.qemu().isAlive()) {
      return "QEMU has ended: " + end(QemuProcess.lastWords(source.files()));
    }
    try {
      MigrationProgress p = source.driver().progress();
      return String.format(
          Locale.ROOT,
          "migration %s%s, %.0f MB sent, %.0f MB to go",
          p.status(),
          p.error().isEmpty() ? "" : " (" + p.error() + ")",
          p.transferredBytes() / MEGA,
          p.remainingBytes() / MEGA);
    } catch (QemuException e) {
      return "QEMU does not answer";
    }
  }

  /**
   * How a pipe ended, or that it runs, and the last it has reported.
   *
   * @param report its status lines, named after it; there need be none
   */
  static String describe(MigrationPipe pipe, Path report) {
    String name = String.valueOf(report.getFileName()).replaceFirst("\\..*", "");
    OptionalInt exit = pipe.exitStatus();
    String state = exit.isPresent() ? "ended with status " + exit.getAsInt() : "has not ended";
    String said = lastReport(report);
    if (said.isEmpty()) {
      said = pipe.lastWords();
    }
    return name + " " + state + (said.isEmpty() ? "" : ": " + said);
  }

  /** The reason of a failure if a pipe has reported one, else its last line. */
  private static String lastReport(Path statusLines) {
    try {
      String last = "";
      for (String line : Files.readAllLines(statusLines, StandardCharsets.UTF_8)) {
        JsonNode node = JSON.readTree(line);
        String event = node.path("event").asText();
        if (event.equals("failed")) {
          return end(node.path("reason").asText());
        }
        last =
            event.equals("progress")
                ? String.format(
                    Locale.ROOT,
                    "%s, %.1f MB written, %.1f MB in flight",
                    node.path("phase").asText(),
                    node.path("written").asLong() / MEGA,
                    node.path("inFlight").asLong() / MEGA)
                : event;
      }
      return last;
    } catch (JsonProcessingException e) {
      return "its last line is not whole";
    } catch (IOException e) {
      return ""; // it reports nothing, as socat does
    }
  }

  private static String end(String text) {
    return text.substring(Math.max(0, text.length() - MOST_CHARACTERS)).strip();
  }
}
