package io.xmig.xia.node.stream;

import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.EventLoop;
import org.jspecify.annotations.Nullable;

/**
 * One timer for all deadlines of a connection. Moving the deadline to later costs nothing: the
 * timer that is running then fires early and goes on waiting.
 */
final class Alarm {
  static final long NEVER = Long.MAX_VALUE;

  private final TransportContext context;
  private final Runnable onDue;
  private final Runnable fire = this::fire;
  private EventLoop.@Nullable Timer timer;
  private long armedForNs = NEVER;
  private long wantedNs = NEVER;

  Alarm(TransportContext context, Runnable onDue) {
    this.context = context;
    this.onDue = onDue;
  }

  /** Sets the one deadline; {@link #NEVER} for none. */
  void at(long deadlineNs) {
    wantedNs = deadlineNs;
    if (deadlineNs < armedForNs) {
      arm(deadlineNs);
    }
  }

  private void arm(long deadlineNs) {
    if (timer != null) {
      timer.cancel();
    }
    armedForNs = deadlineNs;
    timer = context.schedule(Math.max(0, deadlineNs - context.nowNs()), fire);
  }

  private void fire() {
    timer = null;
    armedForNs = NEVER;
    if (wantedNs == NEVER) {
      return;
    }
    if (context.nowNs() < wantedNs) {
      arm(wantedNs);
      return;
    }
    wantedNs = NEVER;
    onDue.run();
  }

  void cancel() {
    wantedNs = NEVER;
    armedForNs = NEVER;
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }
}
