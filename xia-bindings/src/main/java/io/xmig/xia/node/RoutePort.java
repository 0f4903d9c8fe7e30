package io.xmig.xia.node;

/**
 * What a route's port means when it is not the number of a link.
 *
 * @source XIA prototype v1.1, docs/wire.md section 4, step 4
 */
public final class RoutePort {
  /** No route: the next edge is tried. */
  public static final int DISCARD = -1;

  /** The XID is this node's own. */
  public static final int LOCAL = -2;

  /** Reserved by the prototype; such packets are dropped. */
  public static final int DHCP = -3;

  /** A copy to every link. */
  public static final int BROADCAST = -4;

  /** Used inside the prototype only; as a route it drops. */
  public static final int REDIRECT = -5;

  /** No route: the next edge is tried. */
  public static final int UNREACHABLE = -6;

  /** No route: the next edge is tried. */
  public static final int FALLBACK = -7;

  private RoutePort() {}
}
