package io.xmig.control.pipe;

import io.xmig.xia.socket.EventLoop;
import org.jspecify.annotations.Nullable;

/**
 * Lets the last messages go out: one turn of the loop at least, in which they leave this process,
 * and for a while, if asked, until the peer has them.
 */
final class Settling {
  private static final long TURN_NS = 1_000L;
  private static final long STEP_NS = 2_000_000L;

  private Settling() {}

  static void await(EventLoop loop, @Nullable ControlChannel channel, long limitNs, Runnable then) {
    loop.schedule(TURN_NS, () -> check(loop, channel, limitNs, then));
  }

  private static void check(
      EventLoop loop, @Nullable ControlChannel channel, long limitNs, Runnable then) {
    if (channel == null || limitNs <= 0 || channel.isSettled()) {
      then.run();
      return;
    }
    loop.schedule(STEP_NS, () -> check(loop, channel, limitNs - STEP_NS, then));
  }
}
