package io.xmig.testbed.run;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Experiments. */
@Command(
    name = "testbed",
    scope = CommandLine.ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    subcommands = {RunCommand.class, CleanCommand.class},
    description = "Run experiments, and clean up after killed ones.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:it failed; the message says why", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {"  testbed/intra-ad --report out", "  xmig testbed clean"})
public final class TestbedCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "run or clean?");
  }
}
