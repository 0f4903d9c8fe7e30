package io.xmig.control.cli;

import io.xmig.xia.host.NodeService;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * {@code xmig pipes} in its node's process: chunks go between QEMU's socket and the node's links
 * without a way through the local API, which costs four copies and two processes' wake-ups.
 *
 * <p>Sessions run on the node's loop; reading from and writing to QEMU, hashing and compressing
 * have threads of their own.
 */
public final class PipesInNode implements NodeService {
  @Override
  public String name() {
    return "pipes";
  }

  @Override
  public CompletableFuture<Running> start(Supplier<XiaStack> stacks, List<String> options) {
    PipesCommand command = new PipesCommand();
    try {
      new CommandLine(command).parseArgs(options.toArray(String[]::new));
      return CompletableFuture.completedFuture(command.serveInNode(stacks));
    } catch (ParameterException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    } catch (IOException e) {
      return CompletableFuture.failedFuture(e);
    }
  }
}
