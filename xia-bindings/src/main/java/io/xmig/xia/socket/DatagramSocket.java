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

  /** C: {@code Xclose}. */
  @Override
  void close();
}
