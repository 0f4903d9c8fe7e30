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

  /**
   * Closes the channel as soon as the peer has what was sent on it, or after the limit; a stack
   * tells nothing of the fate of bytes once their connection is closed.
   *
   * @param channel the one spoken on last, still open
   */
  static void close(EventLoop loop, @Nullable ControlChannel channel, long limitNs, Runnable then) {
    if (channel != null && limitNs > 0 && !channel.isSettled()) {
      loop.schedule(STEP_NS, () -> close(loop, channel, limitNs - STEP_NS, then));
      return;
    }
    if (channel != null) {
      channel.close();
    }
    loop.schedule(TURN_NS, then);
  }
}
