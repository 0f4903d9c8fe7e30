package io.xmig.testbed.evaluate;

import io.xmig.testbed.links.Namespaces;
import io.xmig.testbed.report.ReportDirectory;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
      "Needs root, for network namespaces. Without --quick what a target compares is measured",
      "five times, the rest twice, in the WAN once, in about 50 minutes; --list says what each cell takes."
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
      "  testbed/evaluate --resume                           (after it was stopped)",
      "  testbed/evaluate --quick --only lan/TCP/IDLE,lan/XIA/IDLE --repetitions 5",
      "  testbed/evaluate --quick --only '*/XIA_AUTO,sharing'"
    })
public final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--quick",
      description = {
        "Fewer repetitions: under 15 minutes on two cores. Where they turn out too slow for that,",
        "repetitions are left out, but no cell."
      })
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
      names = "--only",
      paramLabel = "CELL",
      split = ",",
      description = {
        "Only these: NETWORK/MODE/WORKLOAD with * for any, shorter ones mean all that begin so,",
        "/disk behind it those with the disk;",
        "sharing and bench are what is measured without a VM. --list prints all."
      })
  private List<String> only = new ArrayList<>();

  @Option(
      names = "--list",
      description = "Print what would be measured, how often, and how long that should take.")
  private boolean list;

  @Option(
      names = "--resume",
      description =
          "Go on with what the report's directory has of the same plan; what failed is tried again.")
  private boolean resume;

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

  private volatile boolean stopping;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Plan plan = plan();
    if (list) {
      list(out, plan);
      return 0;
    }
    String missing = Namespaces.missing();
    if (!missing.isEmpty()) {
      err.println(
          "xmig evaluate: " + missing + "; testbed/intra-ad and testbed/inter-ad need none");
      return 1;
    }
    ReportDirectory.prepare(report);
    Findings before = resume ? EvaluationFiles.read(report, plan).successes() : Findings.NONE;
    long start = System.nanoTime();
    Thread onStop =
        new Thread(
            () -> {
              stopping = true; // what fails from here on does so because everything is ending
              err.println("stopped; what there is: " + page());
            });
    Runtime.getRuntime().addShutdownHook(onStop);
    Findings found =
        new Evaluation(
                plan,
                dirtyMbPerSecond,
                keep,
                before,
                line -> {
                  if (!stopping) {
                    err.println(line);
                  }
                },
                soFar -> {
                  if (!stopping) {
                    save(plan, soFar);
                  }
                })
            .run();
    Runtime.getRuntime().removeShutdownHook(onStop);
    save(plan, found);
    if (json) {
      out.println(Files.readString(report.resolve("evaluation.json")));
    } else {
      TextReport.print(out, plan, found);
      out.printf(
          "%n%d migrations in %.1f minutes; report: %s%n",
          found.migrations().size() - before.migrations().size(),
          (System.nanoTime() - start) / 60e9,
          page());
    }
    out.flush();
    boolean all = found.migrations().stream().noneMatch(Measurement::hasFailed);
    return all && found.asides().stream().allMatch(a -> a.value() != null) ? 0 : 1;
  }

  private static void list(PrintWriter out, Plan plan) {
    out.printf("times  seconds in all  cell%n");
    for (Cell cell : plan.cells()) {
      out.printf("%5d  %14.0f  %s%n", cell.repetitions(), Remaining.all(cell), cell.path());
    }
    plan.extras().forEach(e -> out.printf("%5d  %14s  %s%n", 1, "", e.id()));
    out.printf(
        "about %.0f minutes on two quiet cores, with the start of %d networks and guests%n",
        Remaining.all(plan) / 60, plan.stages().size());
    out.flush();
  }

  private Path page() {
    return report.resolve("evaluation.html");
  }

  private Plan plan() {
    if (repetitions != null && (repetitions < 1 || repetitions > 100)) {
      throw new ParameterException(spec.commandLine(), "--repetitions must be 1 to 100");
    }
    if (dirtyMbPerSecond < 1 || dirtyMbPerSecond > 1000) {
      throw new ParameterException(spec.commandLine(), "--dirty must be 1 to 1000");
    }
    Plan plan = tiny ? Plan.tiny() : quick ? Plan.quick() : Plan.full();
    Plan chosen = only.isEmpty() ? plan : plan.only(this::isWanted);
    if (chosen.cells().isEmpty() && chosen.extras().isEmpty()) {
      throw new ParameterException(
          spec.commandLine(), "--only: nothing in this plan is " + only + "; --list prints it");
    }
    return repetitions == null ? chosen : chosen.repeated(repetitions);
  }

  private boolean isWanted(String path) {
    return only.stream().anyMatch(pattern -> Plan.matches(pattern, path));
  }

  private void save(Plan plan, Findings found) {
    try {
      EvaluationFiles.write(report, plan, found);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write into " + report + ": " + e.getMessage(), e);
    }
  }
}
