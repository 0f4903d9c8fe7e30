package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The Xsocket API for programs that wait: every call blocks its thread until it is done, as the C
 * functions do. A thin layer over any {@link XiaStack}; what needs speed uses that.
 *
 * <p>A thread that is interrupted while it waits gets a {@link Kind#CLOSED} failure and keeps its
 * interrupt flag.
 *
 * @threading from any thread but the stack's loop
 */
public final class XiaSockets implements AutoCloseable {
  /** How long the stack itself may take for anything that needs no answer from the network. */
  private static final Duration STACK_TIMEOUT = Duration.ofSeconds(30);

  private final XiaStack stack;

  /** Waits on behalf of callers of {@code stack}, which is closed with this. */
  public XiaSockets(XiaStack stack) {
    this.stack = stack;
  }

  /** Opens the stack that {@code spec} names, see {@link Stacks#open(String)}. */
  public static XiaSockets open(@Nullable String spec) {
    return new XiaSockets(Stacks.open(spec));
  }

  /** The stack below. */
  public XiaStack stack() {
    return stack;
  }

  /** Where this host is. C: {@code XreadLocalHostAddr}. */
  public LocalAddress localAddress() {
    return call(s -> CompletableFuture.completedFuture(s.localAddress()));
  }

  /** Opens a connection. C: {@code Xsocket(XSOCK_STREAM)}, {@code Xconnect}. */
  public BlockingStream connect(Dag remote, Duration timeout) {
    BlockingStream stream = new BlockingStream(stack.loop());
    call(
        s -> s.connect(remote, timeout, stream.handler()).thenApply(stream::opened),
        timeout.plus(STACK_TIMEOUT));
    return stream;
  }

  /** Accepts connections to a service. C: {@code Xbind}, {@code Xlisten}. */
  public BlockingListener listen(Xid sid, int backlog) {
    BlockingListener listener = new BlockingListener(stack.loop(), backlog);
    call(s -> s.listen(sid, backlog, listener::arrived).thenApply(listener::opened));
    return listener;
  }

  /**
   * Opens a datagram socket. C: {@code Xsocket(XSOCK_DGRAM)}, {@code Xbind}.
   *
   * @param sid service to bind, or {@code null} for an ephemeral one
   */
  public BlockingDatagram datagram(@Nullable Xid sid) {
    BlockingDatagram socket = new BlockingDatagram(stack.loop());
    call(s -> s.openDatagram(sid, socket::arrived).thenApply(socket::opened));
    return socket;
  }

  /** The DAG of the name server. C: {@code XreadNameServerDAG}. */
  public @Nullable Dag nameServer() {
    return call(XiaStack::nameServer);
  }

  /** Reads a handler of the node. */
  public String readHandler(String path) {
    return call(s -> s.readHandler(path));
  }

  /** Writes a handler of the node. */
  public void writeHandler(String path, String value) {
    call(s -> s.writeHandler(path, value));
  }

  /** Starts something on the stack's loop and waits for what comes of it. */
  public <T> T call(Function<XiaStack, CompletableFuture<T>> operation) {
    return call(operation, STACK_TIMEOUT);
  }

  /** As above, for what takes longer than a call to the stack. */
  public <T> T call(Function<XiaStack, CompletableFuture<T>> operation, Duration timeout) {
    return await(start(stack.loop(), () -> operation.apply(stack)), timeout);
  }

  /** Something to be started on a loop. */
  interface Start<T> {
    CompletableFuture<T> run();
  }

  static <T> CompletableFuture<T> start(EventLoop loop, Start<T> operation) {
    CompletableFuture<T> result = new CompletableFuture<>();
    loop.execute(
        () -> {
          try {
            operation
                .run()
                .whenComplete(
                    (value, failure) -> {
                      if (failure != null) {
                        result.completeExceptionally(failure);
                      } else {
                        result.complete(value);
                      }
                    });
          } catch (RuntimeException e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  static <T> T await(CompletableFuture<T> result, Duration timeout) {
    try {
      return result.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new XiaSocketException(Kind.CLOSED, "interrupted");
    } catch (TimeoutException e) {
      throw new XiaSocketException(
          Kind.TIMED_OUT, "no answer from the stack", Map.of("waited", timeout));
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      while (cause instanceof java.util.concurrent.CompletionException
          && cause.getCause() != null) {
        cause = cause.getCause();
      }
      if (cause instanceof RuntimeException known) {
        throw known;
      }
      throw new IllegalStateException(cause);
    }
  }

  /** Closes the stack and with it every socket opened here. */
  @Override
  public void close() {
    await(
        start(
            stack.loop(),
            () -> {
              stack.close();
              return CompletableFuture.completedFuture(true);
            }),
        STACK_TIMEOUT);
  }
}
