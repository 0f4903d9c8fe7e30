package io.xmig.control.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import picocli.CommandLine;

/** The commands as a program of their own, as {@code xmig} runs them. */
public final class PipeMain {
  private PipeMain() {}

  public static void main(String[] args) {
    Object command =
        switch (args[0]) {
          case "send" -> new SendCommand();
          case "pipes" -> new PipesCommand();
          default -> new ReceiveCommand();
        };
    CommandLine line = new CommandLine(command);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionExceptionHandler(
        (failure, at, parsed) -> {
          PrintWriter err = at.getErr();
          err.println("xmig " + args[0] + ": " + failure.getMessage());
          err.flush();
          return 1;
        });
    System.exit(line.execute(Arrays.copyOfRange(args, 1, args.length)));
  }
}
