package io.xmig.xia.socket.ipc;

import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.posix.Epoll;
import io.xmig.xia.link.posix.Errno;
import io.xmig.xia.link.posix.PosixException;
import io.xmig.xia.link.posix.Socket;
import io.xmig.xia.link.posix.SocketAddress;
import io.xmig.xia.link.posix.Sockets;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Offers the sockets of a node to other processes of the same user, over a Unix-domain stream
 * socket that only its owner may open. A client that goes, in whatever way, leaves nothing behind:
 * its sockets are closed and its cache slices freed.
 *
 * @threading on the node's loop
 */
public final class IpcServer implements AutoCloseable {
  /** Clients served at the same time; further ones are turned away. */
  public static final int MAX_CLIENTS = 128;

  private static final Logger log = LoggerFactory.getLogger(IpcServer.class);
  private static final int BACKLOG = 64;

  private final NodeLoop loop;
  private final Path path;
  private final Supplier<XiaStack> stacks;
  private final BufferPool pool;
  private final Socket socket;
  private final NodeLoop.Registration registration;
  private final Set<Session> sessions = new LinkedHashSet<>();
  private boolean closed;

  /**
   * @param path of the socket; a stale one is replaced
   * @param stacks gives each client a stack of its own on the node
   * @param pool memory for chunks that clients put
   */
  public IpcServer(NodeLoop loop, Path path, Supplier<XiaStack> stacks, BufferPool pool) {
    this.loop = loop;
    this.path = path;
    this.stacks = stacks;
    this.pool = pool;
    this.socket = listening(path);
    this.registration = loop.register(socket, Epoll.IN, this::accept);
  }

  private static Socket listening(Path path) {
    SocketAddress address = SocketAddress.unix(path);
    removeStale(path, address);
    Socket socket = Sockets.unixStream();
    try {
      socket.bind(address);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      socket.listen(BACKLOG);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw new PosixException("local API socket chmod", path.toString(), Errno.EACCES);
    } catch (RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  private static void removeStale(Path path, SocketAddress address) {
    if (!Files.exists(path)) {
      return;
    }
    try (Socket probe = Sockets.unixStream()) {
      if (-probe.connect(address) != Errno.ECONNREFUSED) {
        throw new PosixException("local API socket bind", path.toString(), Errno.EADDRINUSE);
      }
      Files.deleteIfExists(path);
    } catch (IOException e) {
      log.debug("the stale socket {} stays", path, e);
    }
  }

  /** Where clients connect. */
  public Path path() {
    return path;
  }

  /** Clients connected. */
  public int clients() {
    return sessions.size();
  }

  private void accept(int events) {
    Socket client = socket.accept("client of " + path.getFileName());
    while (client != null) {
      if (sessions.size() >= MAX_CLIENTS) {
        log.warn("{} clients on {} already, one more was turned away", MAX_CLIENTS, path);
        client.close();
      } else {
        serve(client);
      }
      client = socket.accept("client of " + path.getFileName());
    }
  }

  private void serve(Socket client) {
    try {
      sessions.add(new Session(loop, client, stacks.get(), pool, sessions::remove));
    } catch (RuntimeException e) {
      log.warn("a client of {} could not be served", path, e);
      client.close();
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    registration.cancel();
    socket.close();
    for (Session session : new ArrayList<>(sessions)) {
      session.end("the node is stopping");
    }
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      log.debug("could not remove {}", path, e);
    }
  }
}
