package io.xmig.control.cli;

import io.xmig.control.pipe.Progress;
import io.xmig.control.pipe.StatusLines;
import io.xmig.control.session.Outcome;
import io.xmig.control.session.v1.Reason;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaStack;
import java.io.PrintWriter;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Runs one transfer to its end: starts it on the stack's loop, writes status lines, stops it on a
 * signal, says in one line what became of it.
 */
final class PipeRun {
  /** What a pipe offers to its run. */
  interface Pipe {
    CompletableFuture<Outcome> start();

    void abort(String reason);

    Progress progress();
  }

  private static final long PROGRESS_NS = 200_000_000L;
  private static final long SIGNAL_LIMIT_MS = 1500;

  private final String name;
  private final StatusLines status;
  private final PrintWriter err;
  private final Consumer<Integer> atOnce;
  private volatile Runnable stopper = () -> {};
  private volatile boolean signalled;

  /**
   * @param name of the command, for messages
   * @param atOnce is given the exit status as soon as everything is done and may end the process
   *     there and then: a QEMU may be waiting for it
   */
  PipeRun(String name, StatusLines status, PrintWriter err, Consumer<Integer> atOnce) {
    this.name = name;
    this.status = status;
    this.err = err;
    this.atOnce = atOnce;
  }

  /** A thread that computes beside the loop. */
  static ExecutorService lane(String name) {
    return Executors.newSingleThreadExecutor(
        task -> {
          Thread thread = new Thread(task, name);
          thread.setDaemon(true);
          return thread;
        });
  }

  /** Runs and returns the exit status. */
  int run(XiaStack stack, Supplier<Pipe> create) {
    EventLoop loop = stack.loop();
    CompletableFuture<Outcome> result = new CompletableFuture<>();
    CountDownLatch said = new CountDownLatch(1);
    Thread hook = new Thread(() -> onSignal(result, said), "signal");
    if (loop instanceof NodeLoop own) { // without it nothing would ever complete the result
      own.ended()
          .thenRun(
              () ->
                  result.complete(
                      new Outcome(
                          false,
                          Reason.REASON_INTERNAL,
                          "the loop of this process has died, the line before says of what",
                          0)));
    }
    loop.execute(
        () -> {
          Pipe pipe = create.get();
          stopper = () -> loop.execute(() -> pipe.abort("stopped by a signal"));
          pipe.start().thenAccept(result::complete);
          tick(loop, pipe, result);
        });
    Runtime.getRuntime().addShutdownHook(hook);
    Outcome outcome;
    try {
      outcome = result.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      outcome = new Outcome(false, Reason.REASON_STOPPED, "interrupted", 0);
    } catch (ExecutionException e) {
      outcome = new Outcome(false, Reason.REASON_INTERNAL, String.valueOf(e.getCause()), 0);
    }
    int exit = outcome.success() ? 0 : 1;
    if (!outcome.success()) {
      err.println("xmig " + name + ": " + outcome.message());
      err.flush();
    }
    said.countDown();
    status.close();
    if (!signalled) {
      atOnce.accept(exit); // else the signal decides about the exit status
    }
    removeHook(hook);
    stack.close();
    return exit;
  }

  private void onSignal(CompletableFuture<Outcome> result, CountDownLatch said) {
    if (result.isDone()) {
      return;
    }
    signalled = true;
    stopper.run();
    try {
      if (!said.await(SIGNAL_LIMIT_MS, TimeUnit.MILLISECONDS)) {
        err.println("xmig " + name + ": stopped by a signal before the other side could be told");
        err.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      return; // the hook has run
    }
  }

  private void tick(EventLoop loop, Pipe pipe, CompletableFuture<Outcome> result) {
    status.progress(pipe.progress());
    if (!result.isDone()) {
      loop.schedule(PROGRESS_NS, () -> tick(loop, pipe, result));
    }
  }
}
