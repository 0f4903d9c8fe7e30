package io.xmig.adapt.cli;

import io.xmig.xia.XiaException;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Waiting for results, and for the end of a service. */
final class Running {
  private static final Duration CALL = Duration.ofSeconds(10);

  private Running() {}

  /** Makes a call on the stack's loop and waits for its result. */
  static <T> T call(XiaStack stack, Supplier<CompletableFuture<T>> work) {
    return call(stack, CALL, work);
  }

  static <T> T call(XiaStack stack, Duration limit, Supplier<CompletableFuture<T>> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    stack
        .loop()
        .execute(
            () -> {
              try {
                work.get()
                    .whenComplete(
                        (value, error) -> {
                          if (error == null) {
                            result.complete(value);
                          } else {
                            result.completeExceptionally(error);
                          }
                        });
              } catch (RuntimeException e) {
                result.completeExceptionally(e);
              }
            });
    return await(result, limit);
  }

  static <T> T await(CompletableFuture<T> result) {
    return await(result, CALL);
  }

  static <T> T await(CompletableFuture<T> result, Duration limit) {
    try {
      return result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      while (cause instanceof CompletionException && cause.getCause() != null) {
        cause = cause.getCause();
      }
      if (cause instanceof RuntimeException known) {
        throw known;
      }
      throw new XiaException(
          XiaException.Recovery.ABORT,
          String.valueOf(cause == null ? e.getMessage() : cause.getMessage()));
    } catch (TimeoutException e) {
      throw new XiaSocketException(
          XiaSocketException.Kind.TIMED_OUT,
          "the node does not answer within " + limit.toSeconds() + " s");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new XiaException(XiaException.Recovery.ABORT, "interrupted");
    }
  }

  /**
   * Blocks until the process is told to end or the node is gone.
   *
   * @param atEnd closes what was opened; runs once in either case
   * @return exit code: 1 when the node is gone
   */
  static int untilEnd(XiaStack stack, Runnable atEnd) {
    return untilEnd(stack, atEnd, new CompletableFuture<>());
  }

  /** As above, or until {@code over} is done. */
  static int untilEnd(XiaStack stack, Runnable atEnd, CompletableFuture<?> over) {
    CountDownLatch ended = new CountDownLatch(1);
    Thread hook =
        new Thread(
            () -> {
              try {
                call(stack, Duration.ofSeconds(2), () -> done(atEnd));
              } catch (RuntimeException e) {
                // the process ends in any case
              }
              ended.countDown();
            },
            "end");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      over.whenComplete((done, error) -> ended.countDown());
      while (!ended.await(2, TimeUnit.SECONDS)) {
        call(stack, () -> stack.readHandler("./xrc/n/proc/rt_AD.list"));
      }
      return 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 0;
    }
  }

  private static CompletableFuture<Boolean> done(Runnable work) {
    work.run();
    return CompletableFuture.completedFuture(true);
  }
}
