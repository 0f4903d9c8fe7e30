package io.xmig.testbed.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.Map;
import java.util.jar.JarFile;
import picocli.CommandLine;

/**
 * The {@code xmig} command. Only the subcommand that was asked for is set up, so that a short
 * command starts quickly.
 */
public final class Main {
  /** Wide enough for the examples to stand on one line each. */
  private static final int HELP_WIDTH = 100;

  private Main() {}

  /** Runs a command and exits with its status: 0 done, 1 it failed, 2 wrong usage. */
  public static void main(String[] args) {
    if (args.length == 1 && args[0].equals("--load-classes")) {
      loadClasses();
      return;
    }
    System.exit(run(args));
  }

  /** Runs a command and returns its exit status. */
  public static int run(String... args) {
    return commandLine(args.length > 0 ? args[0] : "").execute(args);
  }

  /**
   * The command with the subcommand of this name, with all of them if there is none of this name.
   */
  static CommandLine commandLine(String name) {
    CommandLine xmig = new CommandLine(new XmigCommand());
    Map<String, Class<?>> commands = Subcommands.all();
    if (commands.containsKey(name)) {
      xmig.addSubcommand(name, commands.get(name));
    } else if (!name.equals("--version") && !name.equals("-V")) {
      commands.forEach(xmig::addSubcommand);
    }
    xmig.setExecutionExceptionHandler(new ErrorReport());
    xmig.setParameterExceptionHandler(Main::wrongUsage);
    xmig.setUsageHelpWidth(HELP_WIDTH);
    xmig.setCaseInsensitiveEnumValuesAllowed(true);
    xmig.setAbbreviatedOptionsAllowed(false);
    return xmig;
  }

  /**
   * Loads every class of the distribution and draws every help page, for the class-data archive.
   */
  private static void loadClasses() {
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    CommandLine all = new CommandLine(new XmigCommand());
    Subcommands.all().forEach(all::addSubcommand);
    all.usage(nowhere);
    all.getSubcommands().values().forEach(c -> c.usage(nowhere));
    for (String jar : System.getProperty("java.class.path", "").split(":", -1)) {
      if (!jar.endsWith(".jar")) {
        continue;
      }
      try (JarFile file = new JarFile(jar)) {
        file.stream()
            .map(e -> e.getName())
            .filter(
                n ->
                    n.endsWith(".class")
                        && (n.startsWith("io/xmig/") || n.startsWith("com/sun/jna/")))
            .forEach(n -> load(n.substring(0, n.length() - ".class".length()).replace('/', '.')));
      } catch (IOException e) {
        System.err.println("cannot read " + jar + ": " + e.getMessage());
      }
    }
  }

  private static void load(String className) {
    try {
      Class.forName(className, false, Main.class.getClassLoader());
    } catch (ClassNotFoundException | LinkageError e) {
      return; // optional parts of a library whose own dependencies are not shipped
    }
  }

  /** What is wrong, and where to read more; a command without its subcommand shows those. */
  private static int wrongUsage(CommandLine.ParameterException wrong, String[] args) {
    CommandLine command = wrong.getCommandLine();
    CommandLine.Model.CommandSpec spec = command.getCommandSpec();
    PrintWriter err = command.getErr();
    err.println(spec.qualifiedName() + ": " + wrong.getMessage());
    if (!CommandLine.UnmatchedArgumentException.printSuggestions(wrong, err)) {
      if (spec.subcommands().isEmpty()) {
        err.println("'" + spec.qualifiedName() + " --help' shows what there is.");
      } else {
        command.usage(err);
      }
    }
    err.flush();
    return spec.exitCodeOnInvalidInput();
  }

  /** One line for the user; the stack trace only where it was asked for. */
  private static final class ErrorReport implements CommandLine.IExecutionExceptionHandler {
    @Override
    public int handleExecutionException(
        Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
      Throwable cause = failure;
      while (cause.getCause() != null
          && (cause instanceof java.util.concurrent.CompletionException
              || cause instanceof java.util.concurrent.ExecutionException)) {
        cause = cause.getCause();
      }
      String name = command.getCommandSpec().qualifiedName();
      command.getErr().println(name + ": " + said(cause));
      if (Arrays.asList("DEBUG", "TRACE").contains(System.getenv("XMIG_LOG"))) {
        failure.printStackTrace(command.getErr());
      }
      return command.getCommandSpec().exitCodeOnExecutionException();
    }

    /** The message in words; that of some exceptions is only a path. */
    private static String said(Throwable cause) {
      if (cause instanceof NoSuchFileException) {
        return "there is no file " + cause.getMessage();
      }
      if (cause instanceof AccessDeniedException) {
        return "no permission for " + cause.getMessage();
      }
      String message = cause.getMessage();
      return message == null || message.isBlank()
          ? cause.getClass().getSimpleName() + "; XMIG_LOG=DEBUG shows where"
          : message;
    }
  }
}
