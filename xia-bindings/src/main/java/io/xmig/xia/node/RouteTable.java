package io.xmig.xia.node;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Routes for the XIDs of one principal type, with a default for all others.
 *
 * @threading on the node's loop
 * @source XIA prototype v1.1, docs/wire.md section 4; docs/click.md section 4
 */
public final class RouteTable {
  private final XidType type;
  private final XidMap<Route> routes = new XidMap<>();
  private Route defaultRoute;
  private boolean enabled = true;
  private int changes;

  /** An empty table whose default is {@code defaultPort} without a next hop. */
  public RouteTable(XidType type, int defaultPort) {
    this.type = type;
    this.defaultRoute = new Route(null, defaultPort, null, 0);
  }

  /** The principal type this table routes. */
  public XidType type() {
    return type;
  }

  /** Number of routes, the default not counted. */
  public int size() {
    return routes.size();
  }

  /** A number that differs after every change of the table. */
  int changes() {
    return changes;
  }

  /** Whether lookups are answered; a disabled table makes a packet try its next edge. */
  public boolean enabled() {
    return enabled;
  }

  /** Switches the table on or off. */
  public void enabled(boolean on) {
    enabled = on;
    changes++;
  }

  /** The entry for XIDs that have none of their own. */
  public Route defaultRoute() {
    return defaultRoute;
  }

  /** The route for the XID at {@code offset} of a big-endian buffer, or the default. */
  Route lookup(ByteBuffer buffer, int offset) {
    Route own = routes.get(buffer, offset);
    return own == null ? defaultRoute : own;
  }

  /** The route for an XID, or the default. */
  public Route lookup(Xid xid) {
    Route own = routes.get(xid);
    return own == null ? defaultRoute : own;
  }

  /** The route of the XID at {@code offset} of a big-endian buffer itself, if it has one. */
  @Nullable Route find(ByteBuffer buffer, int offset) {
    return routes.get(buffer, offset);
  }

  /** The route set for exactly this XID, or {@code null} if it has none of its own. */
  public @Nullable Route find(Xid xid) {
    return routes.get(xid);
  }

  /** Adds or replaces a route. */
  public void set(Xid xid, int port, @Nullable Xid nextHop, int flags) {
    routes.put(xid, new Route(xid, port, nextHop, flags));
    changes++;
  }

  /** Sets the default entry. */
  public void setDefault(int port, @Nullable Xid nextHop, int flags) {
    defaultRoute = new Route(null, port, nextHop, flags);
    changes++;
  }

  /**
   * Removes the route of an XID.
   *
   * @return whether there was one
   */
  public boolean remove(Xid xid) {
    changes++;
    return routes.remove(xid);
  }

  /** Calls {@code consumer} for every route, the default excepted; the order is arbitrary. */
  public void forEach(Consumer<Route> consumer) {
    routes.forEach((xid, route) -> consumer.accept(route));
  }

  /** The default and then every route, one line each (Click's {@code list} handler). */
  public String list() {
    StringBuilder text = new StringBuilder().append(defaultRoute).append('\n');
    forEach(route -> text.append(route).append('\n'));
    return text.toString();
  }

  /** For messages: type, size and default. */
  @Override
  public String toString() {
    return "rt_" + type + "{size=" + size() + ", default=" + defaultRoute + "}";
  }
}
