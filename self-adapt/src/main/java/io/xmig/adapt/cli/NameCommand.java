package io.xmig.adapt.cli;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.cli.StackOption;
import io.xmig.xia.cli.TimeSpan;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.names.NameClient;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xmig name}. */
@Command(
    name = "name",
    scope = CommandLine.ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "(lookup | register)",
    description = "Ask the name service, or tell it.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:no such name, refused, or no answer", "2:wrong usage"},
    footerHeading = "%nExamples:%n",
    footer = {"  xmig name lookup vm.xia", "  xmig name register cal.xia 'RE AD:… HID:… SID:…'"})
public final class NameCommand implements Runnable {
  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    CommandSpec s = Objects.requireNonNull(spec);
    throw new ParameterException(s.commandLine(), "expected 'lookup' or 'register'");
  }

  private static @Nullable Dag server(CommandSpec spec, @Nullable String text) {
    return text == null ? null : dag(spec, "--server", text);
  }

  private static Dag dag(CommandSpec spec, String what, String text) {
    try {
      return Dag.parse(text);
    } catch (DagParseException e) {
      throw new ParameterException(
          spec.commandLine(), what + ": " + e.getMessage() + "\n" + e.pointer());
    }
  }

  @Command(
      name = "lookup",
      mixinStandardHelpOptions = true,
      description = "Print the address of a name.")
  int lookup(
      @Mixin StackOption xia,
      @Parameters(paramLabel = "NAME", description = "Name to look up.") String name,
      @Option(
              names = "--server",
              paramLabel = "DAG",
              description = "Name server to ask. Default: the one this node knows.")
          @Nullable String server,
      @Option(
              names = "--timeout",
              paramLabel = "TIME",
              defaultValue = "5s",
              converter = TimeSpan.class,
              description = "How long to wait for the answer. Default: ${DEFAULT-VALUE}.")
          Duration timeout) {
    CommandSpec s = Objects.requireNonNull(spec);
    try (XiaStack stack = xia.open()) {
      Dag found =
          Running.call(
              stack,
              timeout.plusSeconds(2),
              () -> new NameClient(stack, server(s, server)).lookup(name, timeout));
      PrintWriter out = s.commandLine().getOut();
      out.println(found);
      out.flush();
      return 0;
    } catch (XiaSocketException e) {
      s.commandLine().getErr().println(e.getMessage());
      return 1;
    }
  }

  @Command(
      name = "register",
      mixinStandardHelpOptions = true,
      description =
          "Register an address under a name, unsigned: for servers that --accept-unsigned."
              + " 'xmig agent --name' registers signed.")
  int register(
      @Mixin StackOption xia,
      @Parameters(paramLabel = "NAME", index = "0", description = "The name.") String name,
      @Parameters(paramLabel = "DAG", index = "1", description = "Its address.") String address,
      @Option(
              names = "--server",
              paramLabel = "DAG",
              description = "Name server to tell. Default: the one this node knows.")
          @Nullable String server,
      @Option(
              names = "--timeout",
              paramLabel = "TIME",
              defaultValue = "5s",
              converter = TimeSpan.class,
              description = "How long to wait for the answer. Default: ${DEFAULT-VALUE}.")
          Duration timeout) {
    CommandSpec s = Objects.requireNonNull(spec);
    Dag dag = dag(s, "DAG", address);
    try (XiaStack stack = xia.open()) {
      Running.call(
          stack,
          timeout.plusSeconds(2),
          () -> new NameClient(stack, server(s, server)).register(name, dag, timeout));
      return 0;
    } catch (XiaSocketException e) {
      s.commandLine().getErr().println(e.getMessage());
      return 1;
    }
  }
}
