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
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs one transfer to its end: starts it on the stack's loop, writes status lines, stops it when
 * asked, says in one line what became of it.
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
  private static final int LANE_IDLE_SECONDS = 10;

  private final String name;
  private final StatusLines status;
  private final PrintWriter err;
  private final CompletableFuture<Outcome> result = new CompletableFuture<>();
  private final CountDownLatch said = new CountDownLatch(1);
  private volatile boolean signalled;
  private Runnable forgetLoop = () -> {}; // a node's loop outlives many transfers
  private @Nullable Consumer<String> stopper;
  private @Nullable String stopReason;

  /**
   * @param name of the command, for messages
   */
  PipeRun(String name, StatusLines status, PrintWriter err) {
    this.name = name;
    this.status = status;
    this.err = err;
  }

  /** A thread that computes beside the loop; it goes when there has been nothing to do for long. */
  static ExecutorService lane(String name) {
    ThreadPoolExecutor one =
        new ThreadPoolExecutor(
            1,
            1,
            LANE_IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
    one.allowCoreThreadTimeOut(true);
    return one;
  }

  /**
   * Runs as the only work of its process, which a signal stops.
   *
   * @param atOnce is given the exit status as soon as everything is done and may end the process
   *     there and then: a QEMU may be waiting for it
   * @return the exit status
   */
  int runAsProcess(XiaStack stack, Supplier<Pipe> create, Consumer<Integer> atOnce) {
    Thread hook = new Thread(this::onSignal, "signal");
    begin(stack.loop(), create);
    Runtime.getRuntime().addShutdownHook(hook);
    int exit = end().success() ? 0 : 1;
    if (!signalled) {
      atOnce.accept(exit); // else the signal decides about the exit status
    }
    removeHook(hook);
    stack.close();
    return exit;
  }

  /** Runs beside others in this process and closes the stack. */
  Outcome run(XiaStack stack, Supplier<Pipe> create) {
    begin(stack.loop(), create);
    Outcome outcome = end();
    stack.close();
    return outcome;
  }

  private void begin(EventLoop loop, Supplier<Pipe> create) {
    if (loop instanceof NodeLoop own) { // without it nothing would ever complete the result
      forgetLoop =
          own.onEnd(
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
          Pipe pipe;
          try {
            pipe = create.get();
          } catch (RuntimeException e) {
            result.completeExceptionally(e);
            return;
          }
          Consumer<String> abort = reason -> loop.execute(() -> pipe.abort(reason));
          String already;
          synchronized (this) {
            stopper = abort;
            already = stopReason;
          }
          pipe.start().thenAccept(result::complete);
          if (already != null) {
            pipe.abort(already);
          }
          tick(loop, pipe);
        });
  }

  private Outcome end() {
    Outcome outcome;
    try {
      outcome = result.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      outcome = new Outcome(false, Reason.REASON_STOPPED, "interrupted", 0);
    } catch (ExecutionException e) {
      outcome = new Outcome(false, Reason.REASON_INTERNAL, String.valueOf(e.getCause()), 0);
    }
    forgetLoop.run();
    if (!outcome.success()) {
      err.println("xmig " + name + ": " + outcome.message());
      err.flush();
    }
    said.countDown();
    status.close();
    return outcome;
  }

  /** Stops the transfer, also one that has not begun yet; the peer is told. From any thread. */
  void stop(String reason) {
    Consumer<String> stop;
    synchronized (this) {
      stopReason = reason;
      stop = stopper;
    }
    if (stop != null) {
      stop.accept(reason);
    }
  }

  private void onSignal() {
    if (result.isDone()) {
      return;
    }
    signalled = true;
    stop("stopped by a signal");
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

  private void tick(EventLoop loop, Pipe pipe) {
    status.progress(pipe.progress());
    if (!result.isDone()) {
      loop.schedule(PROGRESS_NS, () -> tick(loop, pipe));
    }
  }
}
