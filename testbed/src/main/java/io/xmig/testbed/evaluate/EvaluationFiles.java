package io.xmig.testbed.evaluate;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes evaluation.json, evaluation.csv and evaluation.html, each whole or not at all. */
final class EvaluationFiles {
  static final String SCHEMA = "xmig-evaluation-1";

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private EvaluationFiles() {}

  static void write(Path directory, Plan plan, Findings findings) throws IOException {
    List<Row> rows = Row.of(plan, findings.migrations());
    List<Target> targets = Target.of(rows, findings);
    whole(
        directory.resolve("evaluation.json"),
        JSON.writeValueAsString(json(plan, findings, targets)));
    whole(directory.resolve("evaluation.csv"), csv(findings.migrations()));
    whole(
        directory.resolve("evaluation.html"),
        EvaluationPage.of(plan, rows, targets, findings.migrations()));
  }

  private static Map<String, Object> json(Plan plan, Findings findings, List<Target> targets) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("schema", SCHEMA);
    all.put("plan", plan.name());
    all.put("writtenAt", java.time.Instant.now().toString());
    all.put("cpus", Runtime.getRuntime().availableProcessors());
    all.put("kernel", System.getProperty("os.version"));
    all.put("java", Runtime.version().toString());
    all.put("settings", plan.settings());
    all.put("tcpCongestionControl", CongestionControls.ofTheKernel().get(0));
    all.put("measurements", findings.migrations());
    all.put("asides", findings.asides());
    all.put(
        "targets",
        targets.stream()
            .map(
                t -> {
                  Map<String, Object> one = new LinkedHashMap<>();
                  one.put("what", t.what());
                  one.put(t.atLeast() ? "atLeast" : "atMost", t.limit());
                  one.put("measured", t.isMeasured() ? t.measured() : null);
                  one.put("unit", t.unit());
                  one.put("verdict", t.verdict());
                  one.put("note", t.note());
                  return one;
                })
            .toList());
    return all;
  }

  /**
   * What an earlier run of the same plan has left.
   *
   * @throws IOException with the reason if it is not there or of another plan
   */
  static Findings read(Path directory, Plan plan) throws IOException {
    Path file = directory.resolve("evaluation.json");
    if (!Files.exists(file)) {
      return Findings.NONE;
    }
    JsonNode found = JSON.readTree(file.toFile());
    if (!found.path("schema").asText().equals(SCHEMA)
        || !found.path("plan").asText().equals(plan.name())) {
      throw new IOException(file + " is of another plan or version");
    }
    return new Findings(
        JSON.convertValue(found.path("measurements"), new TypeReference<List<Measurement>>() {}),
        JSON.convertValue(found.path("asides"), new TypeReference<List<Aside>>() {}));
  }

  static String csv(List<Measurement> measured) {
    StringBuilder lines = new StringBuilder();
    lines.append(
        "setting,mode,workload,full,from,to,total_ms,downtime_ms,stop_to_resume_ms,outage_ms,prober,"
            + "reachable,stream_bytes,wire_bytes,xmig_cpu_s,cpu_s,peak_mb,unfinished,failure\n");
    for (Measurement m : measured) {
      Double outage = m.outageMs();
      lines.append(
          String.join(
              ",",
              text(m.setting()),
              text(m.mode()),
              text(m.workload()),
              Boolean.toString(m.full()),
              m.from(),
              m.to(),
              number(m.totalMs()),
              number(m.downtimeMs()),
              number(m.stopToResumeMs()),
              outage == null ? "" : number(outage),
              m.prober(),
              Boolean.toString(m.reachable()),
              Long.toString(m.streamBytes()),
              Long.toString(m.wireBytes()),
              number(m.xmigCpuSeconds()),
              text(list(m.cpuSeconds())),
              text(list(m.peakMb())),
              Boolean.toString(m.unfinished()),
              text(m.failure() == null ? "" : m.failure())));
      lines.append('\n');
    }
    return lines.toString();
  }

  private static String list(Map<String, Double> values) {
    return values.entrySet().stream()
        .map(e -> e.getKey() + "=" + number(e.getValue()))
        .collect(Collectors.joining(" "));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  /** Quoted as RFC 4180 says. */
  private static String text(String value) {
    return value.matches("[^\",\r\n]*")
        ? value
        : '"' + value.replace("\"", "\"\"").replace('\n', ' ') + '"';
  }

  private static void whole(Path file, String content) throws IOException {
    Path partial = file.resolveSibling(file.getFileName() + ".part");
    try {
      Files.writeString(partial, content, StandardCharsets.UTF_8);
      Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(partial);
    }
  }
}
