package io.xmig.xia.node;

import io.xmig.xia.addr.Xid;
import org.jspecify.annotations.Nullable;

/**
 * One entry of a {@link RouteTable}: where packets for an XID go. The table replaces the whole
 * entry when a route changes, so what the forwarding path remembers in it can never be stale.
 */
public final class Route {
  private final @Nullable Xid destination;
  private final int port;
  private final @Nullable Xid nextHop;
  private final int flags;

  /** The resolved next hop, remembered by {@link LinkPort}; {@code null} until first used. */
  @Nullable Neighbour neighbour;

  /**
   * @param destination the XID, {@code null} for a table's default entry
   * @param port number of a link or a code of {@link RoutePort}
   * @param nextHop host to hand the packet to, {@code null} if the destination itself is the host
   * @param flags opaque; shown and kept for the tools that set them
   */
  Route(@Nullable Xid destination, int port, @Nullable Xid nextHop, int flags) {
    this.destination = destination;
    this.port = port;
    this.nextHop = nextHop;
    this.flags = flags;
  }

  /** The XID this route is for, {@code null} for a table's default entry. */
  public @Nullable Xid destination() {
    return destination;
  }

  /** Number of a link or a code of {@link RoutePort}. */
  public int port() {
    return port;
  }

  /** Host on the link to hand packets to, {@code null} if that is the destination itself. */
  public @Nullable Xid nextHop() {
    return nextHop;
  }

  /** Opaque number kept for the tools that set it; the daemons of the prototype write 65535. */
  public int flags() {
    return flags;
  }

  /** {@code XID,port,nexthop,flags} as Click lists it, {@code -} for the default entry. */
  @Override
  public String toString() {
    return (destination == null ? "-" : destination)
        + ","
        + port
        + ","
        + (nextHop == null ? "" : nextHop)
        + ","
        + Integer.toUnsignedString(flags);
  }
}
