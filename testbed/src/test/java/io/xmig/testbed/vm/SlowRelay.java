package io.xmig.testbed.vm;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;

/** One stream from a Unix-domain socket to another, at a rate, and how fast it really was. */
final class SlowRelay implements AutoCloseable {
  private static final int STEP_MILLIS = 5;

  private final ServerSocketChannel server;
  private final Path to;
  private final int stepBytes;
  private volatile long bytes;
  private volatile long firstNs;
  private volatile long lastNs;

  /** Listens at {@code from}; connects to {@code to} once somebody has connected. */
  SlowRelay(Path from, Path to, long bytesPerSecond) throws IOException {
    this.server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    this.server.bind(UnixDomainSocketAddress.of(from));
    this.to = to;
    this.stepBytes = (int) (bytesPerSecond * STEP_MILLIS / 1000);
    Thread thread = new Thread(this::carry, "slow-relay");
    thread.setDaemon(true);
    thread.start();
  }

  private void carry() {
    try (SocketChannel in = server.accept();
        SocketChannel out = SocketChannel.open(UnixDomainSocketAddress.of(to))) {
      ByteBuffer step = ByteBuffer.allocate(stepBytes);
      firstNs = System.nanoTime();
      while (in.read(step) >= 0) {
        int length = step.flip().remaining();
        while (step.hasRemaining()) {
          out.write(step);
        }
        step.clear();
        bytes += length;
        lastNs = System.nanoTime();
        Thread.sleep(Math.max(1, STEP_MILLIS * length / stepBytes));
      }
    } catch (IOException e) {
      // the test sees what becomes of the migration
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Mean rate so far, 0 before there is one. */
  long bytesPerSecond() {
    long took = lastNs - firstNs;
    return bytes == 0 || took <= 0 ? 0 : (long) (bytes * 1e9 / took);
  }

  /** Time since the first byte. */
  Duration age() {
    return firstNs == 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - firstNs);
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
