package io.xmig.control.resident;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xmig.control.resident.Requests.BadRequest;
import io.xmig.control.resident.Requests.Hello;
import io.xmig.control.resident.Requests.Start;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control socket of resident pipes. Only its owner may connect; what comes is checked all the
 * same.
 *
 * @threading a thread per connection; the handler is called from any of them
 */
public final class ResidentServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ResidentServer.class);
  private static final int MAX_CONNECTIONS = 64;
  private static final int READ_BYTES = 4096;

  private final Path path;
  private final Handler handler;
  private final ServerSocketChannel server;
  private final Set<SocketChannel> connections = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /** Does what is asked for. */
  public interface Handler {
    /**
     * Begins a transfer.
     *
     * @throws IOException if it cannot begin, with what to tell
     */
    void start(Start request) throws IOException;

    /** Ends a transfer at once; false if there is none of this name. */
    boolean kill(String id);

    /** Asks a transfer to end; false if there is none of this name. */
    boolean terminate(String id);

    /** Who this is. */
    Hello hello();

    /** Whether {@link #quit} does anything: pipes that are part of a node end with it. */
    default boolean mayQuit() {
      return true;
    }

    /** Ends everything. */
    void quit();
  }

  /**
   * Begins to listen.
   *
   * @throws IOException if that is impossible, e.g. because another process does
   */
  public ResidentServer(Path path, Handler handler) throws IOException {
    this.path = path;
    this.handler = handler;
    removeStale(path);
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(path));
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException e) {
      server.close();
      throw new IOException("cannot listen on " + path + ": " + e.getMessage(), e);
    }
    daemon("control", this::accept);
  }

  private static void removeStale(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try (SocketChannel other = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      throw new IOException(
          "another process listens on "
              + other.getRemoteAddress()
              + "; end it or use another path");
    } catch (java.net.SocketException nobody) {
      if (Files.readAttributes(path, BasicFileAttributes.class).isOther()) {
        Files.delete(path);
      }
    }
  }

  private static void daemon(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Programs that are connected; one that stays so says that it may need this process again. */
  public int connections() {
    return connections.size();
  }

  private void accept() {
    while (!closed) {
      try {
        SocketChannel connection = server.accept();
        if (connections.size() >= MAX_CONNECTIONS) {
          connection.close();
        } else {
          connections.add(connection);
          daemon("control-connection", () -> serve(connection));
        }
      } catch (IOException e) {
        if (!closed) {
          log.warn("the control socket {} is broken: {}", path, e.getMessage());
        }
        return;
      }
    }
  }

  private void serve(SocketChannel connection) {
    try (connection) {
      ByteBuffer read = ByteBuffer.allocate(READ_BYTES);
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      while (connection.read(read) >= 0) {
        read.flip();
        while (read.hasRemaining()) {
          byte next = read.get();
          if (next == '\n') {
            write(connection, answer(line.toString(StandardCharsets.UTF_8)));
            line.reset();
          } else if (line.size() == Requests.MAX_LINE) {
            write(connection, Requests.failed("a line is longer than " + Requests.MAX_LINE));
            return;
          } else {
            line.write(next);
          }
        }
        read.clear();
      }
    } catch (IOException e) {
      log.debug("a control connection broke: {}", e.getMessage());
    } finally {
      connections.remove(connection);
    }
  }

  private static void write(SocketChannel connection, ObjectNode answer) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Requests.line(answer));
    while (bytes.hasRemaining()) {
      connection.write(bytes);
    }
  }

  private ObjectNode answer(String line) {
    try {
      JsonNode request = Requests.parse(line);
      switch (request.path("do").asText()) {
        case "start" -> {
          handler.start(Requests.start(request));
          return Requests.of(handler.hello());
        }
        case "kill" -> {
          return found(handler.kill(Requests.id(request)));
        }
        case "terminate" -> {
          return found(handler.terminate(Requests.id(request)));
        }
        case "hello" -> {
          return Requests.of(handler.hello());
        }
        case "quit" -> {
          if (!handler.mayQuit()) {
            throw new BadRequest("these pipes are part of a node and end with it");
          }
          daemon("quit", handler::quit);
          return Requests.ok();
        }
        default -> throw new BadRequest("'do' must be start, kill, terminate, hello or quit");
      }
    } catch (IOException e) {
      return Requests.failed(String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      log.error("a request failed", e);
      return Requests.failed("failed: " + e.getMessage());
    }
  }

  private static ObjectNode found(boolean found) {
    return found ? Requests.ok() : Requests.failed("no such transfer");
  }

  @Override
  public void close() {
    closed = true;
    try {
      Files.deleteIfExists(path);
      server.close();
      for (SocketChannel connection : connections) {
        connection.close();
      }
    } catch (IOException e) {
      log.warn("the control socket {} cannot be closed: {}", path, e.getMessage());
    }
  }
}
