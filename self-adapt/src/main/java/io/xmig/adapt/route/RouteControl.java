package io.xmig.adapt.route;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Reads and changes the routing tables of one node, through the handlers that Click gives it.
 *
 * @threading where the implementation says; completions too
 */
public interface RouteControl extends AutoCloseable {
  /** All entries of the table for a principal type, the default entry first. */
  CompletableFuture<List<RouteEntry>> list(XidType type);

  /** Adds an entry; fails if there is one for this XID. */
  CompletableFuture<Void> add(XidType type, RouteEntry entry);

  /** Adds or overwrites an entry. */
  CompletableFuture<Void> set(XidType type, RouteEntry entry);

  /**
   * Removes an entry; fails if there is none.
   *
   * @param xid destination, {@code null} to reset the default to "no route"
   */
  CompletableFuture<Void> remove(XidType type, @Nullable Xid xid);

  /** Calls some other read handler of the node, e.g. {@code xlc0/xarpq.table}. */
  CompletableFuture<String> read(String handler);

  /** Calls some other write handler of the node. */
  CompletableFuture<Void> write(String handler, String value);

  @Override
  void close();
}
