package io.xmig.xia.socket;

/** Receives the connections of a {@link StreamListener}. */
@FunctionalInterface
public interface StreamAcceptor {
  /**
   * Called once per established connection; the result handles the connection's events from now on.
   */
  StreamHandler accept(StreamConnection connection);
}
