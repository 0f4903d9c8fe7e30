package io.xmig.control.pipe;

import io.xmig.xia.socket.EventLoop;
import org.jspecify.annotations.Nullable;

/** Waits, for a short while, until the peer has the last message of a channel. */
final class Settling {
  private static final long STEP_NS = 2_000_000L;

  private Settling() {}

  static void await(EventLoop loop, @Nullable ControlChannel channel, long limitNs, Runnable then) {
    if (channel == null || limitNs <= 0 || channel.isSettled()) {
      then.run();
      return;
    }
    loop.schedule(STEP_NS, () -> await(loop, channel, limitNs - STEP_NS, then));
  }
}
