package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls of the library that wait: made on threads of their own, completed on the stack's loop. */
final class Calls implements Executor, AutoCloseable {
  /** The prototype's library waits for ever for a Click that has stopped answering. */
  private static final long LIMIT_NS = 15_000_000_000L;

  /** How long a close may wait for Click before it is made to return without an answer. */
  private static final long CLOSE_LIMIT_NS = 3_000_000_000L;

  private static final Logger LOG = LoggerFactory.getLogger(Calls.class);

  private final EventLoop loop;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "libxsocket-call");
            thread.setDaemon(true);
            return thread;
          });

  Calls(EventLoop loop) {
    this.loop = loop;
  }

  /** Makes a call on any thread; see {@link #onLoop(Executor, Callable)}. */
  <T> CompletableFuture<T> onLoop(Callable<T> call) {
    return onLoop(threads, call);
  }

  /**
   * Makes a call that waits and completes on the loop; one that takes too long is given up, and
   * what it yields late is closed.
   */
  <T> CompletableFuture<T> onLoop(Executor executor, Callable<T> call) {
    CompletableFuture<T> result = new CompletableFuture<>();
    EventLoop.Timer limit =
        loop.schedule(
            LIMIT_NS,
            () ->
                result.completeExceptionally(
                    new XiaSocketException(
                        Kind.TIMED_OUT,
                        "Click does not answer",
                        Map.of("seconds", LIMIT_NS / 1_000_000_000L))));
    try {
      executor.execute(
          () -> {
            try {
              T value = call.call();
              loop.execute(
                  () -> {
                    limit.cancel();
                    if (!result.complete(value) && value instanceof Endpoint late) {
                      late.close();
                    }
                  });
            } catch (LastErrorException e) {
              failed(result, limit, Worker.failure("libXsocket", e));
            } catch (Exception e) {
              failed(result, limit, e);
            }
          });
    } catch (RejectedExecutionException e) {
      failed(result, limit, new XiaSocketException(Kind.CLOSED, "the stack is closed"));
    }
    return result;
  }

  private void failed(CompletableFuture<?> result, EventLoop.Timer limit, Exception why) {
    loop.execute(
        () -> {
          limit.cancel();
          result.completeExceptionally(why);
        });
  }

  /**
   * Runs something that waits.
   *
   * @throws RejectedExecutionException when the stack is closed
   */
  @Override
  public void execute(Runnable task) {
    threads.execute(task);
  }

  /**
   * Closes a socket, which is a call that waits: with the prototype's library for ever if Click has
   * gone, so that it is interrupted after a while.
   */
  void closeSocket(int fd) {
    AtomicBoolean closing = new AtomicBoolean(true);
    EventLoop.Timer limit =
        loop.schedule(
            CLOSE_LIMIT_NS,
            () -> {
              synchronized (closing) {
                if (closing.get()) {
                  Worker.interrupt(fd);
                }
              }
            });
    try {
      threads.execute(
          () -> {
            try {
              Xsocket.Xclose(fd);
            } catch (LastErrorException e) {
              LOG.debug("Xclose: {}", e.getMessage());
            } finally {
              synchronized (closing) {
                closing.set(false);
              }
              limit.cancel();
            }
          });
    } catch (RejectedExecutionException e) {
      LOG.debug("socket {} goes with the process", fd);
    }
  }

  @Override
  public void close() {
    threads.shutdown();
  }
}
