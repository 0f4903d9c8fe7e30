package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A bound service whose connections are waited for.
 *
 * @threading from any thread but the stack's loop
 */
public final class BlockingListener implements AutoCloseable {
  private final EventLoop loop;
  private final BlockingQueue<BlockingStream> waiting;
  private volatile @Nullable StreamListener listener;

  BlockingListener(EventLoop loop, int backlog) {
    this.loop = loop;
    this.waiting = new LinkedBlockingQueue<>(Math.max(1, backlog));
  }

  BlockingListener opened(StreamListener opened) {
    listener = opened;
    return this;
  }

  StreamHandler arrived(StreamConnection connection) {
    BlockingStream stream = new BlockingStream(loop).opened(connection);
    if (!waiting.offer(stream)) {
      connection.abort();
    }
    return stream.handler();
  }

  /** The address clients connect to. */
  public Dag localDag() {
    StreamListener open = java.util.Objects.requireNonNull(listener);
    return XiaSockets.await(
        XiaSockets.start(loop, () -> CompletableFuture.completedFuture(open.localDag())),
        Duration.ofSeconds(30));
  }

  /** Waits for a connection, {@code null} if none comes in time. C: {@code Xaccept}. */
  public @Nullable BlockingStream accept(Duration timeout) {
    try {
      return waiting.poll(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new XiaSocketException(XiaSocketException.Kind.CLOSED, "interrupted");
    }
  }

  /** C: {@code Xclose}. Connections that nobody has accepted are dropped. */
  @Override
  public void close() {
    StreamListener open = listener;
    if (open != null) {
      loop.execute(open::close);
    }
    for (BlockingStream left = waiting.poll(); left != null; left = waiting.poll()) {
      left.close();
    }
  }
}
