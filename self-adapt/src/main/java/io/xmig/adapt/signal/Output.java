package io.xmig.adapt.signal;

import io.xmig.xia.addr.Dag;
import java.nio.ByteBuffer;

/** What a router's services send with; best effort. */
public interface Output {
  /** Sends a datagram from SID_XROUTE if it goes there, else from SID_ADAPT. */
  void send(Dag destination, ByteBuffer datagram);

  /** Links that {@link #sendOn} can choose from, numbered from 0; 0 if the node does not let us. */
  int links();

  /** Sends a datagram to every station on one link. */
  void sendOn(int link, Dag destination, ByteBuffer datagram);

  /** Sends a datagram from SID_XROUTE if it goes there, else from SID_ADAPT. */
  default void send(Dag destination, byte[] datagram) {
    send(destination, ByteBuffer.wrap(datagram));
  }
}
