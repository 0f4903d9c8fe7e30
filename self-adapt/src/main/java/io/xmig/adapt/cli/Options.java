package io.xmig.adapt.cli;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;

/** Reads a command's options where the command itself does not run: in a node's process. */
final class Options {
  private Options() {}

  /**
   * Fills a command with options.
   *
   * @throws IllegalArgumentException naming the one that is wrong
   */
  static <C> C parse(C command, List<String> options) {
    check(() -> new CommandLine(command).parseArgs(options.toArray(String[]::new)));
    return command;
  }

  /** Does what a command would do and says what is wrong with its options. */
  static <T> T check(Supplier<T> work) {
    try {
      return work.get();
    } catch (CommandLine.ParameterException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** A line of name and number each. */
  static String lines(Map<String, Long> counts) {
    StringBuilder text = new StringBuilder();
    counts.forEach((name, count) -> text.append(name).append(' ').append(count).append('\n'));
    return text.toString();
  }
}
