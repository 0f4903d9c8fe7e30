package io.xmig.adapt.cli;

import io.xmig.adapt.service.AdaptServices;
import io.xmig.adapt.service.AgentStatus;
import io.xmig.xia.socket.ipc.NodeStackProvider;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code xmig agent status}. */
@Command(
    name = "status",
    mixinStandardHelpOptions = true,
    description = "Say where the agent believes to be, and what it is waiting for.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the agent waits for nothing",
      "1:it waits for something, or does not run",
      "2:wrong usage"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xmig agent status",
      "  xmig agent status --status-file /run/xmig/agent-vm.status --json"
    })
public final class AgentStatusCommand implements Callable<Integer> {
  private static final int SHOWN_STEPS = 15;
  private static final double OLD_S = 2;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--status-file",
      paramLabel = "FILE",
      description = "Status file of the agent. Default: the only one of this user.")
  private @Nullable Path file;

  @Option(names = "--json", description = "Everything, as JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    CommandSpec s = java.util.Objects.requireNonNull(spec);
    PrintWriter out = s.commandLine().getOut();
    PrintWriter err = s.commandLine().getErr();
    List<Path> candidates = file == null ? known() : List.of(file);
    if (candidates.size() != 1 || !Files.isReadable(candidates.get(0))) {
      err.println(
          candidates.size() > 1
              ? "several agents run here; choose one with --status-file: " + candidates
              : "no agent runs here (looked in "
                  + (file == null ? NodeStackProvider.runtimeDirectory() : file)
                  + "); start one with 'xmig agent'");
      return 1;
    }
    AgentStatus status = AgentStatus.read(candidates.get(0));
    if (json) {
      out.println(status.json());
    } else {
      print(status, out);
    }
    out.flush();
    if (!status.alive()) {
      err.println("the agent (process " + status.pid() + ") no longer runs");
      return 1;
    }
    return status.waitingFor().equals("nothing") ? 0 : 1;
  }

  private static List<Path> known() throws IOException {
    List<Path> found = new ArrayList<>();
    Path directory = NodeStackProvider.runtimeDirectory();
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "agent-*.status")) {
        files.forEach(found::add);
      }
    }
    return found;
  }

  private static void print(AgentStatus status, PrintWriter out) {
    out.println("host         " + status.hid());
    double ageS = (AdaptServices.epochMicros() / 1e3 - status.writtenMs()) / 1000;
    out.println(
        "state        "
            + status.state()
            + (ageS < OLD_S ? "" : String.format(Locale.ROOT, " (%.0f s ago)", ageS)));
    out.println("waiting for  " + status.waitingFor());
    out.println("domain       " + (status.ad() == null ? "none yet" : status.ad()));
    out.println("gateway      " + (status.gateway() == null ? "none yet" : status.gateway()));
    status
        .redirected()
        .forEach((ad, done) -> out.println((done ? "redirected   " : "not yet      ") + ad));
    if (!status.refused().isEmpty()) {
      out.println("refused      " + status.refused());
    }
    AgentStatus.LastHandoff h = status.handoff();
    if (h != null) {
      out.printf(
          Locale.ROOT,
          "handoff %d    %s; perceived +%.1f ms%s%s%s%s%n",
          h.number(),
          h.cause(),
          h.perceivedMs() - h.startedMs(),
          part(", registered", h.registeredMs(), h.startedMs()),
          part(
              ", redirected",
              h.redirectedMs().values().stream().max(Double::compare).orElse(null),
              h.startedMs()),
          part(", named", h.namedMs(), h.startedMs()),
          part(", complete", h.completeMs(), h.startedMs()));
    }
    List<AgentStatus.Step> steps = status.events();
    for (AgentStatus.Step step :
        steps.subList(Math.max(0, steps.size() - SHOWN_STEPS), steps.size())) {
      out.printf(
          Locale.ROOT,
          "  %9.1f s  %-20s %s%n",
          (step.atMs() - status.writtenMs()) / 1000,
          step.name(),
          step.facts().isEmpty() ? "" : step.facts());
    }
  }

  private static String part(String what, @Nullable Double at, double since) {
    return at == null ? "" : String.format(Locale.ROOT, "%s +%.1f ms", what, at - since);
  }
}
