package io.xmig.xia.link;

import io.xmig.xia.link.posix.Epoll;
import io.xmig.xia.link.posix.LinkNews;
import io.xmig.xia.link.posix.NativeBuffer;
import io.xmig.xia.link.posix.Socket;
import io.xmig.xia.link.posix.Sockets;
import io.xmig.xia.socket.LinkEvent;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Hears from the kernel what happens to this machine's network interfaces: that they go up or down,
 * and that the hypervisor has asked the machine to announce itself because it runs elsewhere now
 * (NOTIFY_PEERS, the first sign of a migration inside a guest). Needs no privilege.
 */
public final class LinkWatcher implements AutoCloseable {
  private static final int BUFFER_BYTES = 32 << 10;
  private static final int MESSAGES_PER_TURN = 64;

  private final Socket socket;
  private final NodeLoop.Registration registration;
  private final NativeBuffer buffer = new NativeBuffer(BUFFER_BYTES);
  private final ByteBuffer view = buffer.bytes().duplicate();
  private final Map<Integer, Integer> ports = new HashMap<>();
  private final Map<Integer, Boolean> up = new HashMap<>();
  private final Consumer<LinkEvent> listener;

  private final LinkNews.Listener news =
      new LinkNews.Listener() {
        @Override
        public void notifyPeers(int interfaceIndex) {
          Integer port = ports.get(interfaceIndex);
          if (port != null) {
            listener.accept(new LinkEvent(LinkEvent.Kind.NOTIFY_PEERS, port, 0));
          }
        }

        @Override
        public void state(int interfaceIndex, boolean isUp) {
          Integer port = ports.get(interfaceIndex);
          Boolean was = port == null ? null : up.put(interfaceIndex, isUp);
          if (was != null && was != isUp) {
            LinkEvent.Kind kind = isUp ? LinkEvent.Kind.UP : LinkEvent.Kind.DOWN;
            listener.accept(new LinkEvent(kind, port, 0));
          }
        }
      };

  /** Starts listening; events of interfaces that were {@link #watch}ed go to {@code listener}. */
  public LinkWatcher(NodeLoop loop, Consumer<LinkEvent> listener) {
    this.listener = listener;
    this.socket = Sockets.linkNews();
    this.registration = loop.register(socket, Epoll.IN, this::ready);
  }

  /** Watches the interface of this index, which is behind this port of the node. */
  public void watch(int interfaceIndex, int port) {
    ports.put(interfaceIndex, port);
    up.put(interfaceIndex, true);
  }

  private void ready(int events) {
    if ((events & Epoll.ERROR) != 0) {
      socket.takeError(); // news were lost; the next ones carry the whole state again
    }
    for (int i = 0; i < MESSAGES_PER_TURN && !socket.isClosed(); i++) {
      int length = socket.receive(buffer, 0, BUFFER_BYTES);
      if (length <= 0) {
        return;
      }
      LinkNews.parse(view.clear().limit(length), news);
    }
  }

  @Override
  public void close() {
    if (!socket.isClosed()) {
      registration.cancel();
      socket.close();
    }
  }
}
