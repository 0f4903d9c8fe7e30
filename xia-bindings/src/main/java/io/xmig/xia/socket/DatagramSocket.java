package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import java.nio.ByteBuffer;

/** An unreliable message socket. */
public interface DatagramSocket extends AutoCloseable {
  /** This socket's address; follows the host when it moves. */
  Dag localDag();

  /**
   * Sends the remaining bytes of {@code payload} (copied) to {@code destination}, best effort. C:
   * {@code Xsendto}.
   *
   * @throws XiaSocketException with {@link XiaSocketException.Kind#MESSAGE_TOO_LONG} beyond {@link
   *     StackCapabilities#maxDatagramBytes}
   */
  void send(Dag destination, ByteBuffer payload);

  /**
   * Links of the node that {@link #sendOn} can choose from, numbered from 0; 0 if this stack leaves
   * the choice to its routes alone.
   */
  default int links() {
    return 0;
  }

  /**
   * Sends to every station on one link, whatever the routes say, best effort: so that who answers
   * has shown that it hears that very link. A link that is down or is none swallows it.
   *
   * @param link number of a link, below {@link #links}
   * @param destination begins with {@code BHID}
   * @throws XiaSocketException as {@link #send}, or {@link XiaSocketException.Kind#UNSUPPORTED}
   */
  default void sendOn(int link, Dag destination, ByteBuffer payload) {
    throw new XiaSocketException(
        XiaSocketException.Kind.UNSUPPORTED, "this stack does not send by one link only");
  }

  /** C: {@code Xclose}. */
  @Override
  void close();
}
