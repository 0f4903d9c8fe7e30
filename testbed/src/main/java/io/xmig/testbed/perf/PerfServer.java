package io.xmig.testbed.perf;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XiaStack;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The other end of {@code xmig perf}: takes, sends or answers what clients ask for, on STREAM and
 * DGRAM. Serves any number of tests one after the other and {@value #MAX_CONNECTIONS} connections
 * at a time; further ones are dropped, and so is who says nothing for a minute.
 *
 * @threading on the stack's loop
 */
public final class PerfServer implements AutoCloseable {
  /** Service for connections. */
  public static final Xid STREAM_SID = Xid.parse("SID:9e4f000000000000000000000000000000000001");

  /** Service for datagrams. */
  public static final Xid DGRAM_SID = Xid.parse("SID:9e4f000000000000000000000000000000000002");

  static final int MAX_CONNECTIONS = 128;
  private static final long CHECK_NS = 10_000_000_000L;
  private static final int SILENT_CHECKS = 6;

  private final EventLoop loop;
  private final Set<ServedConnection> connections = new HashSet<>();
  private final DatagramAnswers datagrams;
  private @Nullable StreamListener listener;
  private @Nullable DatagramSocket socket;
  private EventLoop.@Nullable Timer check;

  private PerfServer(EventLoop loop) {
    this.loop = loop;
    this.datagrams = new DatagramAnswers(loop);
  }

  /** Binds both services on {@code stack}; call it on the stack's loop. */
  public static CompletableFuture<PerfServer> start(XiaStack stack) {
    PerfServer server = new PerfServer(stack.loop());
    return stack
        .listen(STREAM_SID, MAX_CONNECTIONS, connection -> server.accepted())
        .thenCompose(
            listener -> {
              server.listener = listener;
              return stack.openDatagram(DGRAM_SID, server.datagrams);
            })
        .thenApply(
            socket -> {
              server.socket = socket;
              server.datagrams.opened(socket);
              server.checkLater();
              return server;
            });
  }

  private StreamHandler accepted() {
    if (connections.size() >= MAX_CONNECTIONS) {
      return ServedConnection.refused();
    }
    ServedConnection served = new ServedConnection(loop, connections::remove);
    connections.add(served);
    return served;
  }

  private void checkLater() {
    check =
        loop.schedule(
            CHECK_NS,
            () -> {
              List.copyOf(connections).forEach(c -> c.endIfSilent(SILENT_CHECKS));
              checkLater();
            });
  }

  @Override
  public void close() {
    if (check != null) {
      check.cancel();
    }
    if (listener != null) {
      listener.close();
    }
    if (socket != null) {
      socket.close();
    }
    List.copyOf(connections).forEach(ServedConnection::end);
  }
}
