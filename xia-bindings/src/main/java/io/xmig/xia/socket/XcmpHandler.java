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
}
