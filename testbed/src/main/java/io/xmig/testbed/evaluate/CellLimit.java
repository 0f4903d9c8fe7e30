package io.xmig.testbed.evaluate;

import java.time.Duration;
import java.util.Timer;
import java.util.TimerTask;

/**
 * Interrupts the thread that opened it if it is not closed in time: a cell that hangs in a wait
 * nobody has thought of must not hang the evaluation.
 */
final class CellLimit implements AutoCloseable {
  private final Thread thread = Thread.currentThread();
  private final Timer timer = new Timer("cell-limit", true);
  private boolean closed;

  CellLimit(Duration limit) {
    timer.schedule(
        new TimerTask() {
          @Override
          public void run() {
            interrupt();
          }
        },
        limit.toMillis());
  }

  private synchronized void interrupt() {
    if (!closed) {
      thread.interrupt();
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    timer.cancel();
    Thread.interrupted(); // it may have come too late for the last wait
  }
}
