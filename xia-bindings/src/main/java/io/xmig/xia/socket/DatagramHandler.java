package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import java.nio.ByteBuffer;

/** Receives the datagrams of a {@link DatagramSocket}. C counterpart: {@code Xrecvfrom}. */
@FunctionalInterface
public interface DatagramHandler {
  /**
   * One datagram.
   *
   * @param source the sender's address
   * @param payload valid during the call only
   * @param inPort port of the node by which it came, −1 if sent on this node or unknown to the
   *     stack
   */
  void onDatagram(Dag source, ByteBuffer payload, int inPort);
}
