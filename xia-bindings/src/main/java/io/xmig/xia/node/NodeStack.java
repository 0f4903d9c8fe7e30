package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.HandlerRegistry;
import io.xmig.xia.click.HandlerTree;
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
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The Xsocket API on a node in this process. Several stacks may share one node, one for each
 * application; each closes only what it opened.
 *
 * @threading on the node's loop; {@link #close} from any thread
 */
public final class NodeStack implements XiaStack {
  /** Source and destination of three nodes each plus a fallback: the usual addresses. */
  private static final int USUAL_HEADERS =
      XipFlyweight.FIXED_LENGTH + 7 * Dag.NODE_LENGTH + TransportFlyweight.PLAIN_LENGTH;

  private final XiaNode node;
  private final TransportContext context;
  private final StackCapabilities capabilities;
  private final OpenSockets open = new OpenSockets();
  private final HandlerCalls handlers;
  private final List<Runnable> subscriptions = new ArrayList<>();
  private boolean closed;

  /** A stack on {@code node}, which goes on running when the stack is closed. */
  public NodeStack(XiaNode node) {
    this(node, ownTree(node));
  }

  /**
   * A stack on {@code node} whose handler calls go to the tree of a whole process, in which the
   * node is mounted under its name.
   */
  public NodeStack(XiaNode node, HandlerTree tree) {
    this.node = node;
    this.context = node.context();
    this.handlers = new HandlerCalls(node.name(), tree);
    int mtu = node.config().ports().stream().mapToInt(NodeConfig.Port::mtu).min().orElseThrow();
    this.capabilities =
        new StackCapabilities(
            "node", node.chunks().maxChunkBytes(), mtu - USUAL_HEADERS, true, true, true);
  }

  private static HandlerTree ownTree(XiaNode node) {
    HandlerRegistry tree = new HandlerRegistry();
    tree.mount(node.name(), NodeHandlers.of(node, word -> null));
    return tree;
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
          Object key = new Object();
          DatagramSocket socket =
              new NodeDatagramSocket(context, service, handler, () -> open.remove(key));
          open.add(key, socket::close);
          return socket;
        });
  }

  @Override
  public CompletableFuture<XcmpSocket> openXcmp(XcmpHandler handler) {
    return call(
        () -> {
          Object key = new Object();
          XcmpSocket socket = new NodeXcmpSocket(node, handler, () -> open.remove(key));
          open.add(key, socket::close);
          return socket;
        });
  }

  @Override
  public CompletableFuture<StreamListener> listen(Xid sid, int backlog, StreamAcceptor acceptor) {
    return call(
        () ->
            open.listener(
                node.streams()
                    .listen(
                        sid,
                        backlog,
                        connection -> {
                          OpenSockets.Handler handler = open.handler();
                          handler.opened(connection);
                          return handler.to(acceptor.accept(connection));
                        })));
  }

  @Override
  public CompletableFuture<StreamConnection> connect(
      Dag remote, Duration timeout, StreamHandler handler) {
    return connectFrom(EphemeralSids.next(context), remote, timeout, handler);
  }

  @Override
  public CompletableFuture<StreamConnection> connectFrom(
      Xid local, Dag remote, Duration timeout, StreamHandler handler) {
    return call(() -> node.streams())
        .thenCompose(
            streams -> {
              OpenSockets.Handler tracked = open.handler().to(handler);
              return streams
                  .connect(local, remote, timeout, tracked)
                  .thenApply(
                      connection -> {
                        tracked.opened(connection);
                        return connection;
                      });
            });
  }

  @Override
  public CompletableFuture<CacheSlice> allocateSlice(SliceOptions options) {
    return call(() -> open.slice(node.chunks().allocateSlice(options)));
  }

  @Override
  public CompletableFuture<ChunkSocket> openChunks() {
    return call(() -> open.chunks(node.chunks().openChunks()));
  }

  @Override
  public CompletableFuture<String> readHandler(String path) {
    return call(() -> handlers.read(path));
  }

  @Override
  public CompletableFuture<Void> writeHandler(String path, String value) {
    return call(
        () -> {
          handlers.write(path, value);
          return null;
        });
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
    if (!loop().inLoop()) {
      loop().execute(this::close);
      return;
    }
    if (closed) {
      return;
    }
    closed = true;
    open.closeAll();
    List.copyOf(subscriptions).forEach(Runnable::run);
    subscriptions.clear();
  }
}
