package io.xmig.testbed.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Everything that one call of {@code xmig bench} has measured.
 *
 * @param machine what it ran on
 * @param repetitions of each line
 * @param figures one for each line of the table
 * @param processes what the processes of each bench used
 */
record BenchReport(Machine machine, int repetitions, List<Figure> figures, List<Use> processes) {

  /** What the bench ran on. */
  record Machine(String processor, int cores, String kernel, String java) {
    static Machine here() {
      return new Machine(
          processorName(),
          Runtime.getRuntime().availableProcessors(),
          System.getProperty("os.version"),
          Runtime.version().toString());
    }

    private static String processorName() {
      try {
        return Files.readAllLines(Path.of("/proc/cpuinfo"), StandardCharsets.UTF_8).stream()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse(System.getProperty("os.arch"));
      } catch (IOException e) {
        return System.getProperty("os.arch");
      }
    }
  }

  /**
   * What one process used in the repetitions of one bench.
   *
   * @param peakMb most memory resident since it started, in MiB
   */
  record Use(String bench, String setting, String process, double cpuSeconds, double peakMb) {}

  /** The table for people. */
  void print(PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%d cores of %s, Linux %s, Java %s%n%n",
        machine.cores(),
        machine.processor(),
        machine.kernel(),
        machine.java());
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of("bench", "what", "setting", "unit", "median", "min", "max", "spread", "besides"));
    for (Figure f : figures) {
      rows.add(
          List.of(
              f.bench(),
              f.what(),
              f.setting(),
              f.unit(),
              number(f.median()),
              number(f.min()),
              number(f.max()),
              String.format(Locale.ROOT, "%.0f %%", 100 * f.spread()),
              besides(f.aside())));
    }
    table(out, rows);
    if (!processes.isEmpty()) {
      out.println();
      List<List<String>> uses = new ArrayList<>();
      uses.add(List.of("bench", "setting", "process", "CPU s", "peak MiB"));
      for (Use use : processes) {
        uses.add(
            List.of(
                use.bench(),
                use.setting(),
                use.process(),
                number(use.cpuSeconds()),
                number(use.peakMb())));
      }
      table(out, uses);
    }
    out.flush();
  }

  /** Columns as wide as what is in them; numbers end where their heading ends. */
  private static void table(PrintWriter out, List<List<String>> rows) {
    int columns = rows.get(0).size();
    int[] widths = new int[columns];
    boolean[] numbers = new boolean[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
        numbers[i] = row != rows.get(0) && row.get(i).matches("[0-9.]+( %)?");
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        String gap = " ".repeat(widths[i] - row.get(i).length());
        line.append(numbers[i] ? gap + row.get(i) : row.get(i) + gap).append("  ");
      }
      out.println(line.toString().stripTrailing());
    }
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value >= 100 ? "%.1f" : "%.3f", value);
  }

  private static String besides(Map<String, Double> facts) {
    return facts.entrySet().stream()
        .map(fact -> number(fact.getValue()) + " " + words(fact.getKey()))
        .collect(Collectors.joining(", "));
  }

  /** {@code cpuSecondsPerGB} as people write it. */
  private static String words(String name) {
    return switch (name) {
      case "cpuSecondsPerGB" -> "CPU s/GB";
      case "timesTheFirst" -> "times the first (median of pairs)";
      case "bytesAllocatedPerPacket" -> "B allocated per packet";
      default -> name;
    };
  }
}
