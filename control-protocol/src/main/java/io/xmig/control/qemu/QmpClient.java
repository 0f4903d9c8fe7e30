package io.xmig.control.qemu;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.xmig.control.qemu.QemuException.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * QEMU's control connection: commands with answers, and events.
 *
 * <p>One JSON object per line in each direction. An answer carries the {@code id} of its command,
 * so commands may overlap. QEMU allows one client per socket at a time.
 *
 * @threading any; event listeners run on the connection's own thread and must not wait for answers
 * @source QEMU, docs/interop/qmp-spec.txt
 */
public final class QmpClient implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(QmpClient.class);

  /** The longest line of a real QEMU, its schema, has 200 KB. */
  static final int LINE_LIMIT = 4 << 20;

  private static final int NESTING_LIMIT = 64;
  private static final ObjectMapper JSON =
      JsonMapper.builder(
              com.fasterxml.jackson.core.JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(NESTING_LIMIT).build())
                  .build())
          .build();

  private final SocketChannel channel;
  private final String name;
  private final Thread reader;
  private final AtomicLong nextId = new AtomicLong(1);
  private final Map<String, CompletableFuture<JsonNode>> pending = new ConcurrentHashMap<>();
  private final List<Consumer<QmpEvent>> listeners = new CopyOnWriteArrayList<>();
  private final CompletableFuture<JsonNode> greeting = new CompletableFuture<>();
  private final CompletableFuture<@Nullable Void> closed = new CompletableFuture<>();
  private final Object writeLock = new Object();

  private QmpClient(SocketChannel channel, String name) {
    this.channel = channel;
    this.name = name;
    this.reader = new Thread(this::readLines, "qmp-" + name);
    this.reader.setDaemon(true);
  }

  /**
   * Connects and leaves the negotiation mode, so that commands can follow.
   *
   * @param listener for events from the very first one on
   * @throws QemuException if nobody listens, or what listens is not a QEMU
   */
  public static QmpClient connect(Path socket, Duration limit, Consumer<QmpEvent> listener) {
    SocketChannel channel;
    try {
      channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        channel.connect(UnixDomainSocketAddress.of(socket));
      } catch (IOException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw new QemuException(
          Kind.GONE,
          "cannot connect to qemu",
          Map.of("socket", socket, "reason", String.valueOf(e.getMessage())),
          e);
    }
    QmpClient client = new QmpClient(channel, String.valueOf(socket.getFileName()));
    client.listeners.add(listener);
    client.reader.start();
    try {
      client.await(client.greeting, "greeting", limit);
      client.call("qmp_capabilities", null, limit);
    } catch (QemuException e) {
      client.close();
      throw e;
    }
    return client;
  }

  /** Adds a listener; the result removes it. */
  public Runnable onEvent(Consumer<QmpEvent> listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  /** Completes when the connection is closed by either side. */
  public CompletableFuture<@Nullable Void> closed() {
    return closed;
  }

  /** QEMU's version as major · 100 + minor, e.g. 702; 0 if the greeting did not say. */
  public int version() {
    JsonNode version = greeting.getNow(MissingNode.getInstance()).at("/QMP/version/qemu");
    return version.path("major").asInt() * 100 + version.path("minor").asInt();
  }

  /** An empty argument object. */
  public static ObjectNode arguments() {
    return JSON.createObjectNode();
  }

  /**
   * Sends a command; the future gets what QEMU returns or fails with a {@link QemuException}.
   *
   * @param arguments may be {@code null}
   */
  public CompletableFuture<JsonNode> send(String command, @Nullable ObjectNode arguments) {
    String id = Long.toString(nextId.getAndIncrement());
    ObjectNode message = JSON.createObjectNode().put("execute", command).put("id", id);
    if (arguments != null) {
      message.set("arguments", arguments);
    }
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    pending.put(id, answer);
    byte[] line = (message + "\n").getBytes(StandardCharsets.UTF_8);
    try {
      synchronized (writeLock) {
        ByteBuffer buffer = ByteBuffer.wrap(line);
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
      }
    } catch (IOException e) {
      pending.remove(id);
      answer.completeExceptionally(gone(command, e));
    }
    if (closed.isDone() && pending.remove(id) != null) {
      answer.completeExceptionally(gone(command, null));
    }
    return answer;
  }

  /**
   * Sends a command and waits for what it returns.
   *
   * @throws QemuException {@link Kind#REFUSED}, {@link Kind#TIMED_OUT} or {@link Kind#GONE}
   */
  public JsonNode call(String command, @Nullable ObjectNode arguments, Duration limit) {
    return await(send(command, arguments), command, limit);
  }

  private JsonNode await(CompletableFuture<JsonNode> answer, String command, Duration limit) {
    try {
      return answer.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new QemuException(
          Kind.TIMED_OUT,
          "qemu does not answer",
          Map.of("command", command, "vm", name, "limitMs", limit.toMillis()),
          e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof QemuException cause) {
        throw cause;
      }
      throw gone(command, e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QemuException(
          Kind.TIMED_OUT, "interrupted while waiting for qemu", Map.of("command", command), e);
    }
  }

  private QemuException gone(String command, @Nullable Throwable cause) {
    Map<String, String> facts = Map.of("command", command, "vm", name);
    return cause == null
        ? new QemuException(Kind.GONE, "connection to qemu is closed", facts)
        : new QemuException(Kind.GONE, "connection to qemu is closed", facts, cause);
  }

  private void readLines() {
    QemuException cause = null;
    try {
      ByteBuffer buffer = ByteBuffer.allocate(64 << 10);
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      while (channel.read(buffer) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          byte next = buffer.get();
          if (next == '\n') {
            handle(line.toByteArray());
            line.reset();
          } else if (line.size() >= LINE_LIMIT) {
            throw new QemuException(
                Kind.MALFORMED, "line from qemu too long", Map.of("limit", LINE_LIMIT));
          } else {
            line.write(next);
          }
        }
        buffer.clear();
      }
    } catch (QemuException e) {
      cause = e;
      log.warn("qmp connection dropped: {}", e.getMessage());
    } catch (IOException e) {
      log.debug("qmp connection ended: {}", e.getMessage());
    } finally {
      finish(cause);
    }
  }

  private void handle(byte[] line) {
    JsonNode message;
    try {
      message = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new QemuException(
          Kind.MALFORMED,
          "not json from qemu",
          Map.of("reason", e.getOriginalMessage(), "bytes", line.length),
          e);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    if (message == null || message.isMissingNode()) {
      return; // an empty line
    }
    if (message.has("event")) {
      JsonNode time = message.path("timestamp");
      long seconds = Math.min(Math.max(0, time.path("seconds").asLong()), 1L << 40);
      long micros = Math.min(Math.max(0, time.path("microseconds").asLong()), 999_999);
      deliver(
          new QmpEvent(
              message.path("event").asText(),
              message.path("data"),
              Instant.ofEpochSecond(seconds, micros * 1000)));
    } else if (message.has("return") || message.has("error")) {
      CompletableFuture<JsonNode> answer = pending.remove(message.path("id").asText());
      if (answer == null) {
        log.debug("qemu answers a command that nobody waits for: {}", message);
      } else if (message.has("error")) {
        JsonNode error = message.path("error");
        answer.completeExceptionally(
            new QemuException(
                Kind.REFUSED,
                "qemu refused",
                Map.of(
                    "class", error.path("class").asText(), "desc", error.path("desc").asText())));
      } else {
        answer.complete(message.path("return"));
      }
    } else if (message.has("QMP")) {
      greeting.complete(message);
    } else {
      throw new QemuException(
          Kind.MALFORMED, "not a qmp message from qemu", Map.of("bytes", line.length));
    }
  }

  private void deliver(QmpEvent event) {
    for (Consumer<QmpEvent> listener : listeners) {
      try {
        listener.accept(event);
      } catch (RuntimeException e) {
        log.error("a listener failed on {}", event.name(), e);
      }
    }
  }

  private void finish(@Nullable QemuException cause) {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("closing the qmp connection: {}", e.getMessage());
    }
    closed.complete(null);
    greeting.completeExceptionally(cause == null ? gone("greeting", null) : cause);
    for (String id : pending.keySet()) {
      CompletableFuture<JsonNode> answer = pending.remove(id);
      if (answer != null) {
        answer.completeExceptionally(cause == null ? gone("pending command", null) : cause);
      }
    }
  }

  /** Closes the connection; QEMU runs on. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("closing the qmp connection: {}", e.getMessage());
    }
  }
}
