package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;

/** A bound service that accepts stream connections. */
public interface StreamListener extends AutoCloseable {
  /** The address clients connect to; follows the host when it moves. */
  Dag localDag();

  /** Stops accepting and frees the SID; connections already accepted live on. C: {@code Xclose}. */
  @Override
  void close();
}
