package io.xmig.testbed.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
    String row = "%-8s %-28s %-24s %-11s %10s %10s %10s %7s  %s%n";
    out.printf(
        row, "bench", "what", "setting", "unit", "median", "min", "max", "spread", "besides");
    for (Figure f : figures) {
      out.printf(
          row,
          f.bench(),
          f.what(),
          f.setting(),
          f.unit(),
          number(f.median()),
          number(f.min()),
          number(f.max()),
          String.format(Locale.ROOT, "%.0f %%", 100 * f.spread()),
          besides(f.aside()));
    }
    if (!processes.isEmpty()) {
      out.printf(
          "%n%-8s %-24s %-24s %10s %12s%n", "bench", "setting", "process", "CPU s", "peak MiB");
      for (Use use : processes) {
        out.printf(
            Locale.ROOT,
            "%-8s %-24s %-24s %10.2f %12.1f%n",
            use.bench(),
            use.setting(),
            use.process(),
            use.cpuSeconds(),
            use.peakMb());
      }
    }
    out.flush();
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
      case "bytesAllocatedPerPacket" -> "B allocated per packet";
      default -> name;
    };
  }
}
