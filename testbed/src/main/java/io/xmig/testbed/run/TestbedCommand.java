package io.xmig.testbed.run;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Experiments. */
@Command(
    name = "testbed",
    mixinStandardHelpOptions = true,
    subcommands = {RunCommand.class, CleanCommand.class},
    description = "Run experiments, and clean up after killed ones.")
public final class TestbedCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "run or clean?");
  }
}
