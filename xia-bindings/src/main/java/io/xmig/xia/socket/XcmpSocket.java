package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import java.nio.ByteBuffer;

/** Sends XCMP messages and hears those that arrive at the node. */
public interface XcmpSocket extends AutoCloseable {
  /**
   * Sends an echo request.
   *
   * @param destination whom to ask, down to a HID
   * @param id identifies the asker; comes back in the reply
   * @param sequence comes back in the reply
   * @param data bytes after id and sequence (copied)
   * @param hopLimit hops the request may take, 1 to 255
   */
  void echo(Dag destination, int id, int sequence, ByteBuffer data, int hopLimit);

  @Override
  void close();
}
