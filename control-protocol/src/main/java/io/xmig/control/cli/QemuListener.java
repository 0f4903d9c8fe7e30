package io.xmig.control.cli;

import io.xmig.control.pipe.BlockingInput;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for one QEMU on a Unix-domain socket and reads what it sends.
 *
 * @threading {@link #close} and {@link #stopWaiting} from any thread
 */
final class QemuListener implements BlockingInput.Source {
  private static final Logger log = LoggerFactory.getLogger(QemuListener.class);

  /** Who prepares a transfer tells QEMU soon. */
  private static final long LIMIT_MILLIS = TimeUnit.SECONDS.toMillis(60);

  private final Path path;
  private final ServerSocketChannel server;
  private final Selector selector;
  private @Nullable SocketChannel socket;
  private boolean closed;

  /** Listens at {@code path}, in the place of whatever socket is left there. */
  QemuListener(Path path) throws IOException {
    this.path = path;
    Files.deleteIfExists(path);
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(path), 1);
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      server.configureBlocking(false);
      selector = Selector.open();
      server.register(selector, SelectionKey.OP_ACCEPT);
    } catch (IOException e) {
      server.close();
      throw new IOException("cannot listen for QEMU on " + path + ": " + e.getMessage(), e);
    }
  }

  /**
   * Waits for QEMU, then listens no more.
   *
   * @throws IOException if it does not come
   */
  void accept() throws IOException {
    try {
      selector.select(LIMIT_MILLIS);
      SocketChannel accepted = server.accept();
      if (accepted == null) {
        throw new IOException("QEMU has not connected to " + path);
      }
      accepted.configureBlocking(true);
      synchronized (this) {
        socket = accepted;
        if (closed) {
          accepted.close();
        }
      }
    } catch (java.nio.channels.ClosedSelectorException
        | java.nio.channels.ClosedChannelException e) {
      throw new IOException("killed before QEMU had connected to " + path, e);
    } finally {
      stopListening();
    }
  }

  private void stopListening() {
    try {
      selector.close();
      server.close();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      log.warn("cannot remove {}: {}", path, e.getMessage());
    }
  }

  /** Makes {@link #accept} give up. */
  void stopWaiting() {
    selector.wakeup();
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    SocketChannel from;
    synchronized (this) {
      from = socket;
    }
    if (from == null) {
      throw new IOException("QEMU is not connected");
    }
    return from.read(target);
  }

  @Override
  public void close() {
    SocketChannel connected;
    synchronized (this) {
      closed = true;
      connected = socket;
    }
    try {
      if (connected != null) {
        connected.close();
      }
    } catch (IOException e) {
      log.debug("cannot close the connection with QEMU: {}", e.getMessage());
    }
    if (server.isOpen()) {
      stopListening();
    }
  }
}
