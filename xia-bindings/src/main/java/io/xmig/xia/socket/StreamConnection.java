package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import java.nio.ByteBuffer;

/**
 * A reliable, ordered byte stream in both directions. Survives a change of address at either end.
 *
 * @threading on the stack's loop
 */
public interface StreamConnection extends AutoCloseable {
  /** This end's address; changes when the host moves. C: {@code Xgetsockname}. */
  Dag localDag();

  /** The other end's address as last learnt. C: {@code Xgetpeername}. */
  Dag remoteDag();

  /**
   * Takes as many bytes from {@code source} as the send buffer has room for and moves its position;
   * the bytes are copied. After a short write {@link StreamHandler#onWritable} is called once there
   * is room again. C: {@code Xsend}.
   *
   * @return bytes taken
   * @throws XiaSocketException when the connection is closed for writing
   */
  int write(ByteBuffer source);

  /**
   * Moves received bytes into {@code target}. What is not read is not acknowledged as consumed, so
   * a slow reader slows the peer down. C: {@code Xrecv}.
   *
   * @return bytes moved, 0 when there are none now, −1 when the peer has finished and everything
   *     was read
   */
  int read(ByteBuffer target);

  /** Bytes written here that the peer has not yet acknowledged. */
  long unacknowledged();

  /** No more bytes will be written; the peer reads −1 after the last one. */
  void shutdownOutput();

  /** Drops the connection at once; the peer is told with a reset. */
  void abort();

  /**
   * Orderly close: what was written is still delivered, what arrives is discarded. C: {@code
   * Xclose}.
   */
  @Override
  void close();
}
