package io.xmig.control.host;

import io.xmig.control.host.v1.HandoffMessage;

/**
 * Connections between host services.
 *
 * @threading any; listeners are called on the transport's own threads and must not block
 */
public interface HandoffTransport extends AutoCloseable {
  /** What happens on a connection. */
  interface Listener {
    /** Messages can be sent, for the first time or after a break. */
    void up();

    /**
     * Broken; what was sent may be lost. An opened connection is tried again by itself.
     *
     * @param peerIsGone whether the peer's end was closed or reset, as when its process ends,
     *     rather than lost
     */
    void down(boolean peerIsGone);

    /** A message came. */
    void received(HandoffMessage message);

    /** The peer cannot be reached for now; it is tried again. */
    default void unreachable(String why) {}

    /** One of the two sides does not believe the other; it is tried again. */
    default void refused(String why) {}
  }

  /** A connection to one other host service. */
  interface Link extends AutoCloseable {
    /**
     * Who the peer has shown to be; empty if it has no key. Known once the link is {@link
     * Listener#up}.
     */
    default String identity() {
      return "";
    }

    /** Sends, or loses the message if the connection is broken. */
    void send(HandoffMessage message);

    /** Breaks the connection; an opened one is made anew. */
    void reset();

    /** Ends it for good; the listener hears no more. */
    @Override
    void close();
  }

  /** Gives each incoming connection its listener. */
  @FunctionalInterface
  interface Acceptor {
    Listener accept(Link link);
  }

  /**
   * Keeps a connection to another host service until it is closed.
   *
   * @param peer name or address
   */
  Link open(String peer, Listener listener);

  /** Accepts connections from now on. */
  void accept(Acceptor acceptor);

  @Override
  void close();
}
