package io.xmig.testbed.run;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Removes what killed runs left behind. */
@Command(
    name = "clean",
    mixinStandardHelpOptions = true,
    description = "End processes and remove directories of runs whose runner was killed.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:clean", "1:something could not be removed", "2:wrong usage"})
public final class CleanCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    int removed = Lab.removeAbandoned();
    out.println(
        removed == 0
            ? "nothing to clean"
            : "cleaned up after " + removed + (removed == 1 ? " run" : " runs"));
    out.flush();
    return 0;
  }
}
