package io.xmig.testbed.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.xmig.testbed.links.Namespaces;
import io.xmig.testbed.report.HtmlReport;
import io.xmig.testbed.report.ReportDirectory;
import io.xmig.testbed.report.ResultFile;
import io.xmig.testbed.report.RunResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs an experiment. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Bring a network and a VM up, migrate the VM live, measure what its clients notice, tear everything down.",
      "Scenarios: intra-ad (one administrative domain, Fig. 1a), inter-ad (two, Fig. 1b)."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the VM runs at its destination, every stream was verified, no answer wrong, no connection reset",
      "1:not so; the summary says what was not good",
      "2:wrong usage"
    },
    footer = {
      "",
      "Examples:",
      "  testbed/intra-ad --report out",
      "  testbed/intra-ad --ram-only --migrations 6",
      "  testbed/inter-ad --ram-only --ads 3 --migrations 6",
      "  testbed/inter-ad --ram-only --client-ad 3 --agent host",
      "  testbed/intra-ad --ram-only --ballast 280 --dirty 10 --shape 1gbit,1ms",
      "  testbed/intra-ad --ram-only --router click:/opt/xia-core/click/userlevel/click",
      "  testbed/intra-ad --ram-only --xia libxsocket:/opt/xia-core/api/lib/libXsocket.so"
    })
public final class RunCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private RunOptions options;

  @Parameters(index = "0", paramLabel = "SCENARIO", description = "intra-ad or inter-ad.")
  private String name;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    String problem = options.problem();
    if (problem != null) {
      throw new ParameterException(spec.commandLine(), problem);
    }
    String instead = options.withLinksThatAreThere(Namespaces::missing);
    if (!instead.isEmpty()) {
      err.println(instead);
    }
    Scenario scenario = scenario();
    Nodes.check(options);
    if (options.report != null) {
      ReportDirectory.prepare(options.report);
    }
    ProgressView view = new ProgressView(err, System.console() != null);
    RunResult result = new Experiment(scenario, options, err::println, view).run();
    if (options.json) {
      out.println(new ObjectMapper().writeValueAsString(result));
    } else {
      Summary.print(out, result);
    }
    out.flush();
    writeReport(result, out); // last: what was measured is shown even if the disk is full
    return result.verdict().ok() ? 0 : 1;
  }

  private void writeReport(RunResult result, PrintWriter out) throws IOException {
    Path report = options.report;
    if (report == null) {
      return;
    }
    try {
      ResultFile.write(report.resolve("result.json"), result);
      HtmlReport.write(report.resolve("report.html"), result);
    } catch (IOException e) {
      throw new IOException("cannot write the report: " + e.getMessage(), e);
    }
    if (!options.json) {
      out.println("Report: " + report.resolve("report.html"));
      out.flush();
    }
  }

  private Scenario scenario() throws IOException {
    Path topologies = Path.of(System.getProperty("xmig.home", "."), "testbed", "topologies");
    try {
      return Scenario.of(name, topologies, options);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }
}
