package io.xmig.adapt.lab;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.RouteTable;
import io.xmig.xia.node.XiaNode;
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
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A node's stack whose table handlers work on the node's tables directly. */
public final class HandlerStack implements XiaStack {
  private final XiaStack stack;
  private final XiaNode node;

  /** The stack of a node, and the node. */
  public HandlerStack(XiaStack stack, XiaNode node) {
    this.stack = stack;
    this.node = node;
  }

  @Override
  public CompletableFuture<String> readHandler(String path) {
    for (XidType type : XidType.values()) {
      if (path.equals("./xrc/n/proc/rt_" + type + ".list")) {
        return CompletableFuture.completedFuture(node.routes(type).list());
      }
    }
    return failed(path);
  }

  @Override
  public CompletableFuture<Void> writeHandler(String path, String value) {
    for (XidType type : XidType.values()) {
      RouteTable table = node.routes(type);
      String prefix = "./xrc/n/proc/rt_" + type + ".";
      if (path.equals(prefix + "set4")) {
        String[] p = value.split(",", -1);
        Xid next = p[2].isEmpty() ? null : Xid.parse(p[2]);
        int flags = Integer.parseUnsignedInt(p[3]);
        if (p[0].equals("-")) {
          table.setDefault(Integer.parseInt(p[1]), next, flags);
        } else {
          table.set(Xid.parse(p[0]), Integer.parseInt(p[1]), next, flags);
        }
        return CompletableFuture.completedFuture(null);
      }
      if (path.equals(prefix + "remove")) {
        if (!table.remove(Xid.parse(value))) {
          return failed(path);
        }
        return CompletableFuture.completedFuture(null);
      }
    }
    return failed(path);
  }

  private static <T> CompletableFuture<T> failed(String path) {
    return CompletableFuture.failedFuture(
        new XiaSocketException(XiaSocketException.Kind.NODE, "no such handler or entry: " + path));
  }

  @Override
  public EventLoop loop() {
    return stack.loop();
  }

  @Override
  public StackCapabilities capabilities() {
    return stack.capabilities();
  }

  @Override
  public LocalAddress localAddress() {
    return stack.localAddress();
  }

  @Override
  public Runnable onAddressChange(Consumer<LocalAddress> listener) {
    return stack.onAddressChange(listener);
  }

  @Override
  public Runnable onLinkEvent(Consumer<LinkEvent> listener) {
    return stack.onLinkEvent(listener);
  }

  @Override
  public CompletableFuture<Void> updateAd(Xid ad, @Nullable Xid fourId) {
    return stack.updateAd(ad, fourId);
  }

  @Override
  public CompletableFuture<@Nullable Dag> nameServer() {
    return stack.nameServer();
  }

  @Override
  public CompletableFuture<Void> updateNameServer(Dag nameServer) {
    return stack.updateNameServer(nameServer);
  }

  @Override
  public CompletableFuture<StreamListener> listen(Xid sid, int backlog, StreamAcceptor acceptor) {
    return stack.listen(sid, backlog, acceptor);
  }

  @Override
  public CompletableFuture<StreamConnection> connect(
      Dag remote, Duration timeout, StreamHandler handler) {
    return stack.connect(remote, timeout, handler);
  }

  @Override
  public CompletableFuture<DatagramSocket> openDatagram(
      @Nullable Xid sid, DatagramHandler handler) {
    return stack.openDatagram(sid, handler);
  }

  @Override
  public CompletableFuture<XcmpSocket> openXcmp(XcmpHandler handler) {
    return stack.openXcmp(handler);
  }

  @Override
  public CompletableFuture<CacheSlice> allocateSlice(SliceOptions options) {
    return stack.allocateSlice(options);
  }

  @Override
  public CompletableFuture<ChunkSocket> openChunks() {
    return stack.openChunks();
  }

  @Override
  public void close() {
    stack.close();
  }
}
