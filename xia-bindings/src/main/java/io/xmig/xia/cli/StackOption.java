package io.xmig.xia.cli;

import io.xmig.xia.socket.Stacks;
import io.xmig.xia.socket.XiaStack;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The option by which every command chooses its XIA stack; use as {@code @Mixin StackOption xia;}
 * and call {@link #open}.
 */
public final class StackOption {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

  @Option(
      names = "--xia",
      paramLabel = "STACK",
      description = {
        "XIA stack: node[:SOCKET] for a running 'xmig node' (SOCKET is its .api socket),"
            + " libxsocket[:PATH] for the prototype.",
        "Default: $XMIG_XIA, else the only node of this user."
      })
  private @Nullable String stack;

  /**
   * Opens the stack chosen; blocks until it can be used.
   *
   * @throws ParameterException if the option makes no sense (exit code 2)
   * @throws io.xmig.xia.socket.XiaSocketException if the stack cannot be opened, with what to start
   */
  public XiaStack open() {
    try {
      return Stacks.open(stack);
    } catch (IllegalArgumentException e) {
      if (command == null) {
        throw e;
      }
      throw new ParameterException(command.commandLine(), "--xia: " + e.getMessage(), e);
    }
  }

  /** What was given, or {@code null}. */
  public @Nullable String spec() {
    return stack;
  }
}
