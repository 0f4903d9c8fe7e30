package io.xmig.testbed.cli;

import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints the completion script for bash and zsh. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    description = "Print a completion script for bash or zsh.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {"  source <(xmig completion)", "  xmig completion > /etc/bash_completion.d/xmig"})
public final class CompletionCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    CommandLine whole = new CommandLine(new XmigCommand());
    Subcommands.all().forEach(whole::addSubcommand);
    spec.commandLine().getOut().print(AutoComplete.bash("xmig", whole));
    spec.commandLine().getOut().flush();
  }
}
