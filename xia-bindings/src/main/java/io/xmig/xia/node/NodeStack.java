package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.DatagramHandler;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.StackCapabilities;
import io.xmig.xia.socket.StreamAcceptor;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XcmpHandler;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.wire.TransportFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The Xsocket API on a node in this process. Several stacks may share one node, one for each
 * application; each closes only what it opened.
 *
 * @threading on the node's loop
 */
public final class NodeStack implements XiaStack {
  /** Source and destination of three nodes each plus a fallback: the usual addresses. */
  private static final int USUAL_HEADERS = XipFlyweight.FIXED_LENGTH + 7 * Dag.NODE_LENGTH + TransportFlyweight.PLAIN_LENGTH;

  private final XiaNode node;
  private final TransportContext context;
  private final StackCapabilities capabilities;
  private final Set<AutoCloseable> open = new LinkedHashSet<>();
  private final List<Runnable> subscriptions = new ArrayList<>();
  private boolean closed;

  /** A stack on {@code node}, which goes on running when the stack is closed. */
  public NodeStack(XiaNode node) {
    this.node = node;
    this.context = node.context();
    int mtu = node.config().ports().stream().mapToInt(NodeConfig.Port::mtu).min().orElseThrow();
    this.capabilities = new StackCapabilities("node", 0, mtu - USUAL_HEADERS, true, true, true);
  }

  /** The node behind this stack. */
  public XiaNode node() {
    return node;
  }

  @Override
  public EventLoop loop() {
    return node.loop();
  }

  @Override
  public StackCapabilities capabilities() {
    return capabilities;
  }

  @Override
  public LocalAddress localAddress() {
    return node.localAddress();
  }

  @Override
  public Runnable onAddressChange(Consumer<LocalAddress> listener) {
    return subscribed(node.onAddressChange(listener));
  }

  @Override
  public Runnable onLinkEvent(Consumer<LinkEvent> listener) {
    return subscribed(node.onLinkEvent(listener));
  }

  private Runnable subscribed(Runnable undo) {
    subscriptions.add(undo);
    return () -> {
      subscriptions.remove(undo);
      undo.run();
    };
  }

  @Override
  public CompletableFuture<Void> updateAd(Xid ad, @Nullable Xid fourId) {
    return call(
        () -> {
          node.moveTo(ad, fourId);
          return null;
        });
  }

  @Override
  public CompletableFuture<@Nullable Dag> nameServer() {
    return call(node::nameServer);
  }

  @Override
  public CompletableFuture<Void> updateNameServer(Dag nameServer) {
    return call(
        () -> {
          node.nameServer(nameServer);
          return null;
        });
  }

  @Override
  public CompletableFuture<DatagramSocket> openDatagram(
      @Nullable Xid sid, DatagramHandler handler) {
    return call(
        () -> {
          Xid service = sid == null ? EphemeralSids.next(context) : sid;
          Opened opened = new Opened();
          return opened.is(new NodeDatagramSocket(context, service, handler, opened));
        });
  }

  @Override
  public CompletableFuture<XcmpSocket> openXcmp(XcmpHandler handler) {
    return call(
        () -> {
          Opened opened = new Opened();
          return opened.is(new NodeXcmpSocket(node, handler, opened));
        });
  }

  @Override
  public CompletableFuture<StreamListener> listen(Xid sid, int backlog, StreamAcceptor acceptor) {
    return unsupported("streams");
  }

  @Override
  public CompletableFuture<StreamConnection> connect(
      Dag remote, Duration timeout, StreamHandler handler) {
    return unsupported("streams");
  }

  @Override
  public CompletableFuture<CacheSlice> allocateSlice(SliceOptions options) {
    return unsupported("chunks");
  }

  @Override
  public CompletableFuture<ChunkSocket> openChunks() {
    return unsupported("chunks");
  }

  @Override
  public CompletableFuture<String> readHandler(String path) {
    return unsupported("handlers");
  }

  @Override
  public CompletableFuture<Void> writeHandler(String path, String value) {
    return unsupported("handlers");
  }

  private static <T> CompletableFuture<T> unsupported(String what) {
    return CompletableFuture.failedFuture(
        new XiaSocketException(XiaSocketException.Kind.UNSUPPORTED, "this node has no " + what));
  }

  /** Runs a call; what it throws for the caller to know becomes the future's failure. */
  private <T> CompletableFuture<T> call(Supplier<T> work) {
    if (closed) {
      return CompletableFuture.failedFuture(
          new XiaSocketException(XiaSocketException.Kind.CLOSED, "the stack is closed"));
    }
    try {
      return CompletableFuture.completedFuture(work.get());
    } catch (XiaSocketException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    for (AutoCloseable socket : List.copyOf(open)) {
      try {
        socket.close();
      } catch (Exception e) {
        throw new IllegalStateException("closing a socket failed", e);
      }
    }
    List.copyOf(subscriptions).forEach(Runnable::run);
    subscriptions.clear();
  }

  /** Remembers a socket until it says that it is closed. */
  private final class Opened implements Runnable {
    private @Nullable AutoCloseable socket;

    <S extends AutoCloseable> S is(S opened) {
      socket = opened;
      open.add(opened);
      return opened;
    }

    @Override
    public void run() {
      open.remove(socket);
    }
  }
}
