package io.xmig.control.pipe;

import io.xmig.xia.socket.EventLoop;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Wakes a session when its next deadline has come. Deadlines move with almost every message, as a
 * rule to later; the timer that is set already then looks again instead of being set anew.
 *
 * @threading the loop
 */
final class SessionTimer {
  private final EventLoop loop;
  private final LongSupplier nextDeadlineNs;
  private final Runnable onDue;
  private EventLoop.@Nullable Timer timer;
  private long atNs = Long.MAX_VALUE;

  /**
   * @param nextDeadlineNs {@link Long#MAX_VALUE} for none
   * @param onDue may be called early, then nothing is due yet
   */
  SessionTimer(EventLoop loop, LongSupplier nextDeadlineNs, Runnable onDue) {
    this.loop = loop;
    this.nextDeadlineNs = nextDeadlineNs;
    this.onDue = onDue;
  }

  /** To be called after everything that may have moved the deadline. */
  void update() {
    long next = nextDeadlineNs.getAsLong();
    if (timer != null && next >= atNs) {
      return; // the earlier one looks again
    }
    cancel();
    if (next != Long.MAX_VALUE) {
      atNs = next;
      timer = loop.schedule(Math.max(0, next - loop.nanoTime()), this::fire);
    }
  }

  private void fire() {
    timer = null;
    atNs = Long.MAX_VALUE;
    onDue.run();
  }

  /** No more calls. */
  void cancel() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
    atNs = Long.MAX_VALUE;
  }
}
