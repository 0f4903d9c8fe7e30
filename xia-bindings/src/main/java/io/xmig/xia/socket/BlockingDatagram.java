package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A message socket whose datagrams are waited for. Up to {@value #QUEUE} wait for the reader;
 * further ones are lost, as datagrams may be.
 *
 * @threading from any thread but the stack's loop
 */
public final class BlockingDatagram implements AutoCloseable {
  private static final int QUEUE = 256;
  private static final Duration STACK_TIMEOUT = Duration.ofSeconds(30);

  private final EventLoop loop;
  private final BlockingQueue<Message> waiting = new LinkedBlockingQueue<>(QUEUE);
  private volatile @Nullable DatagramSocket socket;

  /**
   * A datagram.
   *
   * @param source who sent it
   * @param payload its bytes, position 0 to limit
   */
  public record Message(Dag source, ByteBuffer payload) {}

  BlockingDatagram(EventLoop loop) {
    this.loop = loop;
  }

  BlockingDatagram opened(DatagramSocket opened) {
    socket = opened;
    return this;
  }

  void arrived(Dag source, ByteBuffer payload, int inPort) {
    if (waiting.remainingCapacity() > 0) {
      ByteBuffer copy = ByteBuffer.allocate(payload.remaining()).put(payload.duplicate()).flip();
      waiting.offer(new Message(source, copy));
    }
  }

  private <T> T with(java.util.function.Function<DatagramSocket, T> action) {
    DatagramSocket open = java.util.Objects.requireNonNull(socket);
    return XiaSockets.await(
        XiaSockets.start(loop, () -> CompletableFuture.completedFuture(action.apply(open))),
        STACK_TIMEOUT);
  }

  /** This socket's address. C: {@code Xgetsockname}. */
  public Dag localDag() {
    return with(DatagramSocket::localDag);
  }

  /** Sends one datagram. C: {@code Xsendto}. */
  public void send(Dag destination, ByteBuffer payload) {
    with(
        open -> {
          open.send(destination, payload);
          return true;
        });
  }

  /** Waits for a datagram, {@code null} if none comes in time. C: {@code Xrecvfrom}. */
  public @Nullable Message receive(Duration timeout) {
    try {
      return waiting.poll(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new XiaSocketException(XiaSocketException.Kind.CLOSED, "interrupted");
    }
  }

  /** C: {@code Xclose}. */
  @Override
  public void close() {
    with(
        open -> {
          open.close();
          return true;
        });
  }
}
