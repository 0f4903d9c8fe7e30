package io.xmig.xia.host;

import io.xmig.xia.click.ControlSession;
import io.xmig.xia.click.HandlerTree;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.posix.Epoll;
import io.xmig.xia.link.posix.Errno;
import io.xmig.xia.link.posix.NativeBuffer;
import io.xmig.xia.link.posix.Socket;
import io.xmig.xia.link.posix.SocketAddress;
import io.xmig.xia.link.posix.Sockets;
import java.net.Inet4Address;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Click's ControlSocket: the route tools of the prototype and ours call the handlers of the nodes
 * of this process through it. Handlers run on the loop, between packets.
 */
final class ControlServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ControlServer.class);
  private static final int MAX_CLIENTS = 32;
  private static final int BUFFER_BYTES = 16 << 10;

  /** An answer that a client does not take grows to this at most; then the client is dropped. */
  private static final int MAX_UNSENT_BYTES = 32 << 20;

  private final NodeLoop loop;
  private final HandlerTree tree;
  private final Socket socket;
  private final NodeLoop.Registration registration;
  private final Set<Client> clients = new LinkedHashSet<>();
  private final NativeBuffer buffer = new NativeBuffer(BUFFER_BYTES);

  ControlServer(NodeLoop loop, Inet4Address address, int port, HandlerTree tree) {
    this.loop = loop;
    this.tree = tree;
    this.socket = Sockets.tcpListening(SocketAddress.inet(address, port), 8);
    this.registration = loop.register(socket, Epoll.IN, this::accept);
  }

  int port() {
    return socket.localPort();
  }

  private void accept(int events) {
    Socket accepted = socket.accept("control client");
    while (accepted != null) {
      if (clients.size() >= MAX_CLIENTS) {
        log.warn("{} control clients already, one more was turned away", MAX_CLIENTS);
        accepted.close();
      } else {
        clients.add(new Client(accepted));
      }
      accepted = socket.accept("control client");
    }
  }

  private final class Client {
    private final Socket connection;
    private final ControlSession session = new ControlSession(tree);
    private final NodeLoop.Registration watched;
    private byte[] unsent = ControlSession.banner();
    private int sent;

    Client(Socket connection) {
      this.connection = connection;
      this.watched = loop.register(connection, Epoll.IN, this::ready);
      send();
    }

    private void ready(int events) {
      if ((events & Epoll.OUT) != 0) {
        send();
      }
      if ((events & (Epoll.IN | Epoll.HANGUP | Epoll.ERROR)) != 0 && !connection.isClosed()) {
        receive();
      }
    }

    private void receive() {
      int count = connection.receive(buffer, 0, BUFFER_BYTES);
      if (count == -Errno.EAGAIN || count == -Errno.EINTR) {
        return;
      }
      if (count <= 0) {
        close();
        return;
      }
      byte[] answer = session.receive(buffer.bytes().duplicate().limit(count).position(0));
      if (answer.length > 0) {
        append(answer);
      }
      send();
    }

    private void append(byte[] answer) {
      int left = unsent.length - sent;
      if ((long) left + answer.length > MAX_UNSENT_BYTES) {
        close();
        return;
      }
      byte[] all = new byte[left + answer.length];
      System.arraycopy(unsent, sent, all, 0, left);
      System.arraycopy(answer, 0, all, left, answer.length);
      unsent = all;
      sent = 0;
    }

    private void send() {
      while (sent < unsent.length && !connection.isClosed()) {
        int part = Math.min(BUFFER_BYTES, unsent.length - sent);
        buffer.bytes().put(0, unsent, sent, part);
        int count = connection.send(buffer, 0, part);
        if (count == -Errno.EAGAIN) {
          watched.interest(Epoll.OUT); // reads on once this answer is taken
          return;
        }
        if (count < 0) {
          close();
          return;
        }
        sent += count;
      }
      if (session.isClosed()) {
        close();
      } else if (!connection.isClosed()) {
        watched.interest(Epoll.IN);
      }
    }

    private void close() {
      if (!connection.isClosed()) {
        watched.cancel();
        connection.close();
        clients.remove(this);
      }
    }
  }

  @Override
  public void close() {
    if (!socket.isClosed()) {
      registration.cancel();
      socket.close();
      new ArrayList<>(clients).forEach(Client::close);
    }
  }
}
