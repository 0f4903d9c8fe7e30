package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A stream connection whose reads and writes wait.
 *
 * @threading from any thread but the stack's loop; one reader and one writer at a time
 */
public final class BlockingStream implements ByteChannel {
  private static final Duration FOR_EVER = Duration.ofDays(36_500);

  private final EventLoop loop;
  private volatile @Nullable StreamConnection connection;
  private volatile boolean open = true;
  private @Nullable CompletableFuture<Boolean> readable; // on the loop
  private @Nullable CompletableFuture<Boolean> writable; // on the loop

  BlockingStream(EventLoop loop) {
    this.loop = loop;
  }

  StreamHandler handler() {
    return new StreamHandler() {
      @Override
      public void onReadable(StreamConnection c) {
        wake(readable);
      }

      @Override
      public void onWritable(StreamConnection c) {
        wake(writable);
      }

      @Override
      public void onClosed(StreamConnection c, @Nullable XiaSocketException cause) {
        wake(readable);
        wake(writable);
      }
    };
  }

  private static void wake(@Nullable CompletableFuture<Boolean> waiting) {
    if (waiting != null) {
      waiting.complete(true);
    }
  }

  BlockingStream opened(StreamConnection opened) {
    connection = opened;
    return this;
  }

  private StreamConnection connection() {
    StreamConnection known = connection;
    if (known == null) {
      throw new XiaSocketException(XiaSocketException.Kind.CLOSED, "not connected");
    }
    return known;
  }

  /** This end's address. C: {@code Xgetsockname}. */
  public Dag localDag() {
    return onLoop(() -> connection().localDag());
  }

  /** The other end's address. C: {@code Xgetpeername}. */
  public Dag remoteDag() {
    return onLoop(() -> connection().remoteDag());
  }

  /**
   * Waits for at least one byte. C: {@code Xrecv}.
   *
   * @return bytes read, −1 at the end of the stream
   * @throws XiaSocketException if the connection was lost
   */
  @Override
  public int read(ByteBuffer target) {
    while (target.hasRemaining()) {
      CompletableFuture<Boolean> ready = new CompletableFuture<>();
      int count =
          onLoop(
              () -> {
                int n = connection().read(target);
                readable = n == 0 ? ready : null;
                return n;
              });
      if (count != 0) {
        return count;
      }
      XiaSockets.await(ready, FOR_EVER);
    }
    return 0;
  }

  /**
   * Waits until the stack has taken all remaining bytes. C: {@code Xsend}.
   *
   * @throws XiaSocketException if the connection was lost
   */
  @Override
  public int write(ByteBuffer source) {
    int total = source.remaining();
    while (source.hasRemaining()) {
      CompletableFuture<Boolean> ready = new CompletableFuture<>();
      onLoop(
          () -> {
            connection().write(source);
            writable = source.hasRemaining() ? ready : null;
            return true;
          });
      if (source.hasRemaining()) {
        XiaSockets.await(ready, FOR_EVER);
      }
    }
    return total;
  }

  /** Ends this direction; the peer reads −1 after the last byte. */
  public void shutdownOutput() {
    onLoop(
        () -> {
          connection().shutdownOutput();
          return true;
        });
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  /** C: {@code Xclose}. Wakes whoever waits here. */
  @Override
  public void close() {
    if (open) {
      open = false;
      onLoop(
          () -> {
            connection().close();
            wake(readable);
            wake(writable);
            return true;
          });
    }
  }

  private <T> T onLoop(java.util.function.Supplier<T> action) {
    return XiaSockets.await(
        XiaSockets.start(loop, () -> CompletableFuture.completedFuture(action.get())), FOR_EVER);
  }
}
