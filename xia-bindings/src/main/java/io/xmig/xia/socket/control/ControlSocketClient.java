package io.xmig.xia.socket.control;

import io.xmig.xia.XiaException;
import io.xmig.xia.socket.XiaSocketException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * Calls handlers of a Click process over its ControlSocket (TCP). Connects on first use and again
 * after a failure; commands are sent one at a time in the order of the calls.
 *
 * @threading any; completions run on the executor given
 * @source docs/click.md section 4
 */
public final class ControlSocketClient implements AutoCloseable {
  /** Port of the prototype's configurations. */
  public static final int DEFAULT_PORT = 7777;

  private final InetSocketAddress server;
  private final int timeoutMs;
  private final Executor completions;
  private final ExecutorService worker;
  private @Nullable Socket socket; // worker only, but for close
  private @Nullable InputStream in;
  private volatile boolean closed;

  /**
   * @param timeout for the connection and for each answer
   * @param completions where results are delivered, e.g. a stack's loop
   */
  public ControlSocketClient(InetSocketAddress server, Duration timeout, Executor completions) {
    this.server = server;
    this.timeoutMs = Math.toIntExact(Math.max(1, timeout.toMillis()));
    this.completions = completions;
    this.worker =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, "control-socket " + server);
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Calls a read handler. */
  public CompletableFuture<String> read(String handler) {
    return submit("READ " + word(handler) + "\r\n", null, true).thenApply(ControlReply::text);
  }

  /** Calls a write handler. */
  public CompletableFuture<Void> write(String handler, String value) {
    byte[] data = value.getBytes(StandardCharsets.UTF_8);
    return submit("WRITEDATA " + word(handler) + " " + data.length + "\r\n", data, false)
        .thenApply(reply -> null);
  }

  private static String word(String handler) {
    if (handler.isEmpty() || handler.chars().anyMatch(c -> c <= ' ' || c > '~')) {
      throw new IllegalArgumentException("not a handler path: '" + handler + "'");
    }
    return handler;
  }

  private CompletableFuture<ControlReply> submit(
      String command, byte @Nullable [] data, boolean expectData) {
    CompletableFuture<ControlReply> result = new CompletableFuture<>();
    if (closed) {
      result.completeExceptionally(
          new XiaSocketException(XiaSocketException.Kind.CLOSED, "control socket closed"));
      return result;
    }
    worker.execute(
        () -> {
          try {
            ControlReply reply = exchange(command, data, expectData);
            completions.execute(() -> finish(result, command, reply));
          } catch (IOException e) {
            drop();
            completions.execute(() -> result.completeExceptionally(unreachable(e)));
          }
        });
    return result;
  }

  private static void finish(
      CompletableFuture<ControlReply> result, String command, ControlReply reply) {
    if (reply.ok()) {
      result.complete(reply);
    } else {
      result.completeExceptionally(
          new XiaException(
              XiaException.Recovery.ABORT,
              "handler failed",
              Map.of(
                  "code",
                  reply.code(),
                  "command",
                  command.trim(),
                  "message",
                  reply.message().replace('\n', ' ').trim())));
    }
  }

  private XiaException unreachable(IOException e) {
    XiaSocketException.Kind kind =
        e instanceof SocketTimeoutException
            ? XiaSocketException.Kind.TIMED_OUT
            : XiaSocketException.Kind.UNREACHABLE;
    return new XiaSocketException(
        kind,
        "no answer from the Click ControlSocket; is Click running with ControlSocket(tcp, PORT)?",
        Map.of("server", server, "why", String.valueOf(e.getMessage())),
        e);
  }

  private ControlReply exchange(String command, byte @Nullable [] data, boolean expectData)
      throws IOException {
    Socket s = socket;
    InputStream input = in;
    if (s == null || input == null) {
      s = new Socket();
      socket = s;
      s.setTcpNoDelay(true);
      s.setSoTimeout(timeoutMs);
      s.connect(server, timeoutMs);
      input = new BufferedInputStream(s.getInputStream());
      in = input;
      ControlReply.readBanner(input);
    }
    OutputStream out = s.getOutputStream();
    byte[] line = command.getBytes(StandardCharsets.US_ASCII);
    if (data == null) {
      out.write(line);
    } else {
      byte[] both = new byte[line.length + data.length];
      System.arraycopy(line, 0, both, 0, line.length);
      System.arraycopy(data, 0, both, line.length, data.length);
      out.write(both);
    }
    out.flush();
    return ControlReply.read(input, expectData);
  }

  private void drop() {
    Socket s = socket;
    socket = null;
    in = null;
    if (s != null) {
      try {
        s.close();
      } catch (IOException ignored) {
        // it is being thrown away
      }
    }
  }

  /** Closes the connection; calls under way fail. */
  @Override
  public void close() {
    closed = true;
    Socket s = socket;
    if (s != null) {
      try {
        s.close();
      } catch (IOException ignored) {
        // nothing depends on it any more
      }
    }
    worker.shutdown();
  }
}
