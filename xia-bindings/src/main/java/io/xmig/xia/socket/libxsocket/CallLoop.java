package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.socket.EventLoop;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loop of a stack whose calls wait: handlers and completions run here, the waiting is done
 * elsewhere.
 */
final class CallLoop implements EventLoop {
  private static final Logger LOG = LoggerFactory.getLogger(CallLoop.class);

  private final ScheduledThreadPoolExecutor executor;
  private volatile Thread thread = Thread.currentThread();

  CallLoop() {
    executor =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread made = Executors.defaultThreadFactory().newThread(task);
              made.setName("libxsocket-loop");
              made.setDaemon(true);
              thread = made;
              return made;
            });
    executor.setRemoveOnCancelPolicy(true);
    executor.prestartAllCoreThreads();
  }

  @Override
  public void execute(Runnable task) {
    try {
      executor.execute(guarded(task));
    } catch (RejectedExecutionException e) {
      LOG.debug("a completion came after the stack was closed");
    }
  }

  private static Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException e) {
        LOG.error("a handler failed: {}", e.toString(), e);
      }
    };
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public Timer schedule(long delayNs, Runnable task) {
    try {
      Future<?> scheduled =
          executor.schedule(guarded(task), Math.max(0, delayNs), TimeUnit.NANOSECONDS);
      return () -> scheduled.cancel(false);
    } catch (RejectedExecutionException e) {
      return () -> {};
    }
  }

  @Override
  public boolean inLoop() {
    return Thread.currentThread() == thread;
  }

  void close() {
    executor.shutdown();
  }
}
