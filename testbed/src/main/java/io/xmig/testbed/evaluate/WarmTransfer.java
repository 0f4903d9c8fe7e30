package io.xmig.testbed.evaluate;

import io.xmig.testbed.run.RunException;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A stream each way through the resident pipes of two hosts before anything is measured: what a
 * Java program still compiles while it carries its first bytes would stand in whatever migration
 * comes first.
 *
 * @threading one thread of its own
 */
final class WarmTransfer {
  private static final long MOST_BYTES = 240L << 20;
  private static final Duration MOST = Duration.ofSeconds(4);
  private static final Duration WAIT = Duration.ofSeconds(40);

  private final FutureTask<Long> task;

  /** Begins it, beside whatever the caller does next. */
  WarmTransfer(HostPipes pipes) {
    task = new FutureTask<>(() -> bothWays(pipes));
    Thread thread = new Thread(task, "warm");
    thread.setDaemon(true);
    thread.start();
  }

  private static long bothWays(HostPipes pipes) throws IOException {
    pipes.awaitWarm();
    return pipes.stream("warm0", 0, MOST_BYTES, MOST).carry()
        + pipes.stream("warm1", 1, MOST_BYTES, MOST).carry();
  }

  /** Waits until it is over, and tells people. */
  String result() {
    try {
      return String.format(
          Locale.ROOT,
          "warm: %.0f MB carried over XIA, both ways, before anything is measured",
          task.get(WAIT.toSeconds(), TimeUnit.SECONDS) / 1e6);
    } catch (ExecutionException | TimeoutException e) {
      return "the first migrations over XIA are those of cold nodes: " + e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RunException("interrupted", e);
    }
  }
}
