package io.xmig.testbed.evaluate;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xmig evaluate}: the paper's evaluation, and QEMU's own transports beside it. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Migrate one guest again and again, over TCP and over XIA, across the very same links, and compare.",
      "Needs root, for network namespaces."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every cell was measured; whether targets are met is in the report",
      "1:a migration failed, or the links could not be made",
      "2:wrong usage"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  testbed/evaluate --quick",
      "  testbed/evaluate --report evaluation",
      "  testbed/evaluate --quick --settings lan --modes TCP,XIA --repetitions 5"
    })
public final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--quick", description = "Fewer repetitions, smaller guests: under 15 minutes.")
  private boolean quick;

  @Option(names = "--tiny", description = "Two migrations: whether everything works.")
  private boolean tiny;

  @Option(
      names = "--report",
      paramLabel = "DIR",
      defaultValue = "evaluation",
      description =
          "Where evaluation.json, evaluation.csv and evaluation.html are written."
              + " Default: ${DEFAULT-VALUE}.")
  private Path report = Path.of("evaluation");

  @Option(
      names = "--settings",
      paramLabel = "ID",
      split = ",",
      description = "Only these networks: lan, lan1500, lanreal, veth, wan, wanreal, lossy.")
  private Set<String> settings = new LinkedHashSet<>();

  @Option(
      names = "--modes",
      paramLabel = "MODE",
      split = ",",
      description = "Only these: ${COMPLETION-CANDIDATES}.")
  private Set<Mode> modes = new LinkedHashSet<>();

  @Option(
      names = "--repetitions",
      paramLabel = "N",
      description = "Every cell this often instead of the plan's number.")
  private @Nullable Integer repetitions;

  @Option(
      names = "--dirty",
      paramLabel = "MB/S",
      defaultValue = "20",
      description = "Rate of the workload that dirties memory. Default: ${DEFAULT-VALUE}.")
  private int dirtyMbPerSecond = 20;

  @Option(names = "--keep", description = "Keep the directories of the runs with their logs.")
  private boolean keep;

  @Option(names = "--json", description = "Print evaluation.json instead of the tables.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Plan plan = plan();
    Files.createDirectories(report);
    long start = System.nanoTime();
    List<Measurement> measured =
        new Evaluation(plan, dirtyMbPerSecond, keep, err::println, soFar -> save(plan, soFar))
            .run();
    save(plan, measured);
    if (json) {
      out.println(Files.readString(report.resolve("evaluation.json")));
    } else {
      TextReport.print(out, plan, measured);
      out.printf(
          "%n%d migrations in %.1f minutes; report: %s%n",
          measured.size(), (System.nanoTime() - start) / 60e9, report.resolve("evaluation.html"));
    }
    out.flush();
    boolean all =
        measured.stream()
            .allMatch(m -> m.ok() || String.valueOf(m.failure()).startsWith("not present"));
    return all && !measured.isEmpty() ? 0 : 1;
  }

  private Plan plan() {
    if (repetitions != null && (repetitions < 1 || repetitions > 100)) {
      throw new ParameterException(spec.commandLine(), "--repetitions must be 1 to 100");
    }
    if (dirtyMbPerSecond < 1 || dirtyMbPerSecond > 1000) {
      throw new ParameterException(spec.commandLine(), "--dirty must be 1 to 1000");
    }
    Plan plan = tiny ? Plan.tiny() : quick ? Plan.quick() : Plan.full();
    List<String> known = new ArrayList<>(plan.settings().stream().map(Setting::id).toList());
    for (String id : settings) {
      if (!known.contains(id)) {
        throw new ParameterException(
            spec.commandLine(), "--settings: no '" + id + "' in this plan, there are " + known);
      }
    }
    Plan chosen = plan.only(settings).onlyModes(modes);
    return repetitions == null ? chosen : chosen.repeated(repetitions);
  }

  private void save(Plan plan, List<Measurement> measured) {
    try {
      EvaluationFiles.write(report, plan, measured);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write into " + report + ": " + e.getMessage(), e);
    }
  }
}
