package io.xmig.control.cli;

import io.xmig.control.pipe.StatusLines;
import io.xmig.control.resident.Requests.BadRequest;
import io.xmig.control.resident.Requests.Hello;
import io.xmig.control.resident.Requests.Start;
import io.xmig.control.resident.ResidentServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/**
 * The transfers of a process that stays: any number after another, some at a time.
 *
 * @threading any
 */
final class Transfers implements ResidentServer.Handler, AutoCloseable {
  private static final long END_MILLIS = 1500;

  private final Map<String, Transfer> running = new ConcurrentHashMap<>();
  private final String stack;
  private final StackSource stacks;
  private final int most;
  private final PrintWriter err;
  private final BiConsumer<Integer, Boolean> onChange;
  private final @Nullable Runnable onQuit;
  private boolean closed;

  /**
   * @param stack {@code --xia} of transfers that do not say it
   * @param stacks opens what they say
   * @param most transfers at a time
   * @param onChange is told how many run after each change, and whether one has begun
   * @param onQuit ends the process, {@code null} if nobody may
   */
  Transfers(
      String stack,
      StackSource stacks,
      int most,
      PrintWriter err,
      BiConsumer<Integer, Boolean> onChange,
      @Nullable Runnable onQuit) {
    this.stack = stack;
    this.stacks = stacks;
    this.most = most;
    this.err = err;
    this.onChange = onChange;
    this.onQuit = onQuit;
  }

  @Override
  public void start(Start request) throws IOException {
    Transfer transfer;
    synchronized (this) {
      if (closed) {
        throw new BadRequest("the process is ending");
      }
      if (running.containsKey(request.id())) {
        throw new BadRequest("a transfer of that name is running");
      }
      if (running.size() >= most) {
        throw new BadRequest(
            "as many transfers as allowed are running: " + most + " (--max-transfers)");
      }
      transfer = make(request);
      running.put(request.id(), transfer);
    }
    onChange.accept(running.size(), true);
    transfer.start();
  }

  private Transfer make(Start request) throws IOException {
    String kind = request.words().get(0);
    List<String> options = request.words().subList(1, request.words().size());
    try {
      return switch (kind) {
        case "send" -> send(request, options);
        case "receive" -> receive(request, options);
        default -> throw new BadRequest("'words' must begin with send or receive");
      };
    } catch (ParameterException | IllegalStateException e) {
      throw new BadRequest(String.valueOf(e.getMessage()));
    }
  }

  private Transfer send(Start request, List<String> options) throws IOException {
    SendCommand command = new SendCommand();
    parse(command, options);
    command.checkUsage();
    command.shared().useWithin(command.commandLine());
    StatusLines status = command.shared().openStatus();
    try {
      return new SendTransfer(
          request.id(), request.qemu(), request.exit(), command, stacks, status, err, this::ended);
    } catch (IOException e) {
      status.close();
      throw e;
    }
  }

  private Transfer receive(Start request, List<String> options) {
    ReceiveCommand command = new ReceiveCommand();
    parse(command, options);
    var service = command.checkUsage();
    command.shared().useWithin(command.commandLine());
    return new ReceiveTransfer(
        request.id(),
        request.qemu(),
        request.exit(),
        command,
        stacks,
        service,
        command.shared().openStatus(),
        err,
        this::ended);
  }

  private void parse(Object command, List<String> options) {
    CommandLine line = new CommandLine(command);
    line.setErr(err);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setAbbreviatedOptionsAllowed(false);
    String[] words = options.toArray(new String[0]);
    if (!stack.isEmpty() && !options.contains("--xia")) {
      words = new String[options.size() + 2];
      words[0] = "--xia";
      words[1] = stack;
      for (int i = 0; i < options.size(); i++) {
        words[i + 2] = options.get(i);
      }
    }
    line.parseArgs(words);
  }

  private void ended(Transfer transfer) {
    running.remove(transfer.id(), transfer);
    onChange.accept(running.size(), false);
  }

  @Override
  public boolean kill(String id) {
    Transfer transfer = running.get(id);
    if (transfer != null) {
      transfer.kill();
    }
    return transfer != null;
  }

  @Override
  public boolean terminate(String id) {
    Transfer transfer = running.get(id);
    if (transfer != null) {
      transfer.terminate();
    }
    return transfer != null;
  }

  @Override
  public Hello hello() {
    ProcessHandle self = ProcessHandle.current();
    return new Hello(
        self.pid(), self.info().startInstant().orElse(Instant.EPOCH), stack, running.size());
  }

  @Override
  public boolean mayQuit() {
    return onQuit != null;
  }

  @Override
  public void quit() {
    if (onQuit != null) {
      onQuit.run();
    }
  }

  /** How many run. */
  int count() {
    return running.size();
  }

  /** Ends all without waiting for it; none begins afterwards. */
  void end() {
    synchronized (this) {
      closed = true;
    }
    running.values().forEach(Transfer::terminate);
  }

  /** Ends all and waits a moment for it; none begins afterwards. */
  @Override
  public void close() {
    end();
    List<Transfer> ending = List.copyOf(running.values());
    long deadline = System.nanoTime() + END_MILLIS * 1_000_000;
    try {
      for (Transfer transfer : ending) {
        transfer.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
