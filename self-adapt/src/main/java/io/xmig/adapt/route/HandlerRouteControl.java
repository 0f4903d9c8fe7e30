package io.xmig.adapt.route;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.control.ControlSocketClient;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Route control over whatever can call a node's read and write handlers by path. */
public final class HandlerRouteControl implements RouteControl {
  private final String prefix;
  private final Function<String, CompletableFuture<String>> reader;
  private final BiFunction<String, String, CompletableFuture<Void>> writer;
  private final Runnable closer;

  private HandlerRouteControl(
      String prefix,
      Function<String, CompletableFuture<String>> reader,
      BiFunction<String, String, CompletableFuture<Void>> writer,
      Runnable closer) {
    this.prefix = prefix;
    this.reader = reader;
    this.writer = writer;
    this.closer = closer;
  }

  /** The tables of a stack's own node. On the stack's loop; closing leaves the stack open. */
  public static RouteControl of(XiaStack stack) {
    return of(stack, ".");
  }

  /** The tables of a node that shares a process with the stack's node. */
  public static RouteControl of(XiaStack stack, String node) {
    return new HandlerRouteControl(node + "/", stack::readHandler, stack::writeHandler, () -> {});
  }

  /** The tables of a node behind Click's ControlSocket. Closing closes the connection. */
  public static RouteControl of(ControlSocketClient client, String node) {
    return new HandlerRouteControl(node + "/", client::read, client::write, client::close);
  }

  private String path(XidType type, String handler) {
    return prefix + "xrc/n/proc/" + RouteEntry.table(type) + "." + handler;
  }

  @Override
  public CompletableFuture<List<RouteEntry>> list(XidType type) {
    return reader.apply(path(type, "list")).thenApply(RouteEntry::parseList);
  }

  @Override
  public CompletableFuture<Void> add(XidType type, RouteEntry entry) {
    return writer.apply(path(type, "add4"), entry.value());
  }

  @Override
  public CompletableFuture<Void> set(XidType type, RouteEntry entry) {
    return writer.apply(path(type, "set4"), entry.value());
  }

  @Override
  public CompletableFuture<Void> remove(XidType type, @Nullable Xid xid) {
    return writer.apply(path(type, "remove"), xid == null ? "-" : xid.toString());
  }

  @Override
  public CompletableFuture<String> read(String handler) {
    return reader.apply(prefix + handler);
  }

  @Override
  public CompletableFuture<Void> write(String handler, String value) {
    return writer.apply(prefix + handler, value);
  }

  @Override
  public void close() {
    closer.run();
  }
}
