package io.xmig.control.cli;

import io.xmig.control.pipe.BlockingOutput;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Connects to a QEMU that listens on a Unix-domain socket, or will soon, and writes to it. QEMU
 * says nothing there, so what is read is its end.
 *
 * @threading {@link #close} and {@link #stopWaiting} from any thread
 */
final class QemuConnection implements BlockingOutput.Sink {
  private static final Logger log = LoggerFactory.getLogger(QemuConnection.class);

  /** Who prepares a transfer tells QEMU soon. */
  private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);

  private static final long PAUSE_MILLIS = 5;

  /** As much as a pipe holds: what waits here is outage. */
  private static final int SEND_BUFFER_BYTES = 64 << 10;

  private final Path path;
  private final CompletableFuture<SocketChannel> connected = new CompletableFuture<>();
  private volatile boolean stopped;
  private volatile boolean closed;

  QemuConnection(Path path) {
    this.path = path;
  }

  /**
   * Connects in the background.
   *
   * @param onGone is told if QEMU does not come, or has closed the connection
   */
  void start(Consumer<String> onGone) {
    Thread watcher = new Thread(() -> connectAndWatch(onGone), "qemu");
    watcher.setDaemon(true);
    watcher.start();
  }

  private void connectAndWatch(Consumer<String> onGone) {
    try {
      SocketChannel socket = connect();
      connected.complete(socket);
      if (closed) {
        socket.close();
      }
      ByteBuffer nothing = ByteBuffer.allocate(64);
      while (socket.read(nothing.clear()) >= 0) {
        log.debug("QEMU says something on {}", path);
      }
    } catch (IOException e) {
      connected.completeExceptionally(e);
      log.debug("{}: {}", path, e.getMessage());
    }
    if (!closed) {
      onGone.accept(
          connected.isCompletedExceptionally()
              ? "QEMU does not listen on " + path
              : "QEMU has closed its connection");
    }
  }

  private SocketChannel connect() throws IOException {
    long deadline = System.nanoTime() + LIMIT_NS;
    while (true) {
      try {
        SocketChannel socket = SocketChannel.open(UnixDomainSocketAddress.of(path));
        socket.setOption(StandardSocketOptions.SO_SNDBUF, SEND_BUFFER_BYTES);
        return socket;
      } catch (IOException notYet) {
        if (closed || stopped || System.nanoTime() > deadline) {
          throw notYet;
        }
      }
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }

  /** Makes the waiting for QEMU end. */
  void stopWaiting() {
    stopped = true;
  }

  @Override
  public GatheringByteChannel channel() throws IOException {
    try {
      return connected.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IOException("QEMU does not listen on " + path, e.getCause());
    }
  }

  @Override
  public void close() {
    closed = true;
    connected.thenAccept(
        socket -> {
          try {
            socket.close();
          } catch (IOException e) {
            log.debug("cannot close the connection with QEMU: {}", e.getMessage());
          }
        });
  }
}
