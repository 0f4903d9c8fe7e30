package io.xmig.control.resident;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xmig.control.resident.Requests.BadRequest;
import io.xmig.control.resident.Requests.Hello;
import io.xmig.control.resident.Requests.Start;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A connection to the control socket of resident pipes.
 *
 * @threading one thread at a time, but {@link #close} from any
 */
public final class ResidentClient implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final Path path;
  private final SocketChannel socket;
  private final Selector selector;

  /**
   * Connects.
   *
   * @throws IOException if nobody listens there
   */
  public ResidentClient(Path path) throws IOException {
    this.path = path;
    try {
      socket = SocketChannel.open(UnixDomainSocketAddress.of(path));
    } catch (IOException e) {
      throw new IOException("no resident pipes at " + path + ": " + e.getMessage(), e);
    }
    selector = Selector.open();
    socket.configureBlocking(false);
    socket.register(selector, SelectionKey.OP_READ);
  }

  /** Who is at the other end. */
  public Hello hello() throws IOException {
    return Requests.hello(ask(Requests.of("hello")));
  }

  /**
   * Begins a transfer.
   *
   * @return who runs it
   * @throws IOException if it does not begin, with the reason
   */
  public Hello start(Start request) throws IOException {
    return Requests.hello(ask(Requests.of(request)));
  }

  /** Ends a transfer at once. */
  public void kill(String id) throws IOException {
    ask(Requests.of("kill").put("id", id));
  }

  /** Asks a transfer to end. */
  public void terminate(String id) throws IOException {
    ask(Requests.of("terminate").put("id", id));
  }

  /** Has the process end, and every transfer with it. */
  public void quit() throws IOException {
    ask(Requests.of("quit"));
  }

  /** Waits until the other end closes the connection, or {@link #close} is called meanwhile. */
  void awaitEnd() {
    ByteBuffer unasked = ByteBuffer.allocate(64);
    try {
      while (socket.read(unasked.clear()) >= 0) {
        selector.selectedKeys().clear();
        selector.select();
      }
    } catch (IOException | java.nio.channels.ClosedSelectorException end) {
      return; // that is an end too
    }
  }

  private JsonNode ask(ObjectNode request) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Requests.line(request));
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (bytes.hasRemaining()) {
      if (socket.write(bytes) == 0) {
        if (System.nanoTime() > deadline) {
          throw new IOException("the resident pipes at " + path + " take no request");
        }
        selector.select(10);
      }
    }
    JsonNode answer = Requests.parse(readLine(deadline));
    if (!answer.path("ok").asBoolean()) {
      throw new IOException(answer.path("error").asText("no reason given"));
    }
    return answer;
  }

  private String readLine(long deadline) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    ByteBuffer one = ByteBuffer.allocate(1);
    while (line.size() <= Requests.MAX_LINE) {
      int count = socket.read(one.clear());
      if (count < 0) {
        throw new IOException("the resident pipes at " + path + " have ended");
      }
      if (count == 0) {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          throw new IOException("the resident pipes at " + path + " do not answer");
        }
        selector.selectedKeys().clear();
        selector.select(left);
      } else if (one.get(0) == '\n') {
        return line.toString(StandardCharsets.UTF_8);
      } else {
        line.write(one.get(0));
      }
    }
    throw new BadRequest("an answer is longer than " + Requests.MAX_LINE);
  }

  @Override
  public void close() {
    try {
      selector.close();
      socket.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
