package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import java.nio.ByteBuffer;

/** Receives XCMP messages: echo replies, time exceeded, destination unreachable. */
@FunctionalInterface
public interface XcmpHandler {
  /**
   * One message.
   *
   * @param source who sent it
   * @param message the whole XCMP message from its type byte on, valid during the call only
   */
  void onMessage(Dag source, ByteBuffer message);

  /**
   * The same message for those who want the packet around it; unless overridden, it is given to
   * {@link #onMessage}. Stacks that do not see packets never call this.
   *
   * @param packet from the XIP header on, as it arrived; valid during the call only
   */
  default void onPacket(Dag source, ByteBuffer packet, ByteBuffer message) {
    onMessage(source, message);
  }
}
