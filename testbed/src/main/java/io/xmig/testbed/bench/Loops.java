package io.xmig.testbed.bench;

import io.xmig.xia.socket.XiaStack;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Waiting for what happens on the loop of a stack, for as long as a measurement may take. */
final class Loops {
  private static final long PATIENCE_MINUTES = 10;

  private Loops() {}

  /** Makes a call on the stack's loop and waits for its result. */
  static <T> T call(XiaStack stack, Supplier<CompletableFuture<T>> call) throws Exception {
    return await(CompletableFuture.supplyAsync(call, stack.loop()).thenCompose(result -> result));
  }

  /** Waits; fails as the future does. */
  static <T> T await(CompletableFuture<T> result) throws Exception {
    try {
      return result.get(PATIENCE_MINUTES, TimeUnit.MINUTES);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "the bench does not get on; is the link of --shape slower than --size needs?", e);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      while (cause instanceof CompletionException && cause.getCause() != null) {
        cause = cause.getCause();
      }
      throw cause instanceof Exception known ? known : e;
    }
  }
}
