package io.xmig.xia.socket.libxsocket;

import io.xmig.xia.socket.XiaSocketException;

/** A socket of the library as seen by its stack: Click may go away under it, and come back. */
interface Endpoint {
  /** Click has gone, and with it all it knew of this socket. On the stack's loop. */
  void lost(XiaSocketException cause);

  /**
   * Click answers again and knows nothing of this socket. On a thread that may wait.
   *
   * @throws com.sun.jna.LastErrorException if Click does not let it be opened again
   */
  void reopen();

  /** Closes it for good. */
  void close();
}
