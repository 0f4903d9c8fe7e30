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
  private final Map<Integer, Watched> watched = new HashMap<>();

  /** An interface and who hears of it. */
  private static final class Watched {
    final int port;
    final Consumer<LinkEvent> listener;
    boolean up = true;

    Watched(int port, Consumer<LinkEvent> listener) {
      this.port = port;
      this.listener = listener;
    }

    void tell(LinkEvent.Kind kind) {
      listener.accept(new LinkEvent(kind, port, 0));
    }
  }

  private final LinkNews.Listener news =
      new LinkNews.Listener() {
        @Override
        public void notifyPeers(int interfaceIndex) {
          Watched found = watched.get(interfaceIndex);
          if (found != null) {
            found.tell(LinkEvent.Kind.NOTIFY_PEERS);
          }
        }

        @Override
        public void state(int interfaceIndex, boolean isUp) {
          Watched found = watched.get(interfaceIndex);
          if (found != null && found.up != isUp) {
            found.up = isUp;
            found.tell(isUp ? LinkEvent.Kind.UP : LinkEvent.Kind.DOWN);
          }
        }
      };

  /** Starts listening for the interfaces that will be {@link #watch}ed. */
  public LinkWatcher(NodeLoop loop) {
    this.socket = Sockets.linkNews();
    this.registration = loop.register(socket, Epoll.IN, this::ready);
  }

  /** Watches the interface of this index, which is behind this port of the listener's node. */
  public void watch(int interfaceIndex, int port, Consumer<LinkEvent> listener) {
    watched.put(interfaceIndex, new Watched(port, listener));
  }

  /** Asks the kernel how all interfaces are; what has changed is told as if it were news. */
  public void query() {
    LinkNews.writeQuery(view.clear());
    socket.send(buffer, 0, LinkNews.QUERY_LENGTH);
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
