package io.xmig.xia.node;

import static io.xmig.xia.node.XipLayout.EDGE_MASK;
import static io.xmig.xia.node.XipLayout.HOP_LIMIT_OFFSET;
import static io.xmig.xia.node.XipLayout.LAST_OFFSET;
import static io.xmig.xia.node.XipLayout.VISITED;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.nio.ByteBuffer;

/**
 * Decides what becomes of a packet, from its destination graph and the five routing tables.
 *
 * <p>At the current node of the graph the edges are tried by priority. The first one whose XID has
 * a route decides: to a link, to every link, or "this is here", which makes it the current node.
 * Each node of the network starts again with the first edge, whatever others chose.
 *
 * <p>Changes the packet in place and allocates nothing.
 *
 * @threading on the node's loop
 * @source XIA prototype v1.1, docs/wire.md section 4
 */
final class Forwarder {
  /** {@code inPort} of a packet that was made on this node. */
  static final int FROM_THIS_NODE = -2;

  private static final int MAX_EDGES = Dag.MAX_EDGES;
  private static final long ALL_ONES = -1L;

  /** Where packets leave the forwarding path. */
  interface Exits {
    /** Arrived: the node at index {@code last} is on this node. */
    void deliver(ByteBuffer packet, int xip, int end, int inPort);

    /** No edge leads anywhere. */
    void unroutable(ByteBuffer packet, int xip, int end, int inPort);

    /** The hop limit does not allow another hop. */
    void expired(ByteBuffer packet, int xip, int end, int inPort);

    /** The packet is larger than the link carries. */
    void tooBig(ByteBuffer packet, int xip, int end, int inPort, int mtu);

    /** The packet goes out by the link it came in by; it is still sent. */
    void backWhereItCame(ByteBuffer packet, int xip, int end, int inPort, Route route);
  }

  private final Xid own;
  private final RouteTable[] tables;
  private final LinkPort[] ports;
  private final NodeCounters counters;
  private final boolean learn;
  private final int maxLearned;
  private final Exits exits;
  private ByteBuffer copy;

  /**
   * @param tables by type code, AD first
   * @param learn whether broadcasts set HID routes
   * @param maxLearned size of the HID table beyond which nothing more is learned
   */
  Forwarder(
      Xid own,
      RouteTable[] tables,
      LinkPort[] ports,
      NodeCounters counters,
      boolean learn,
      int maxLearned,
      Exits exits) {
    this.own = own;
    this.tables = tables;
    this.ports = ports;
    this.counters = counters;
    this.learn = learn;
    this.maxLearned = maxLearned;
    this.exits = exits;
    int largest = 0;
    for (LinkPort port : ports) {
      largest = Math.max(largest, port.mtu);
    }
    this.copy = ByteBuffer.allocateDirect(XipLayout.ETHERNET_HEADER + largest);
  }

  /**
   * Routes one checked packet.
   *
   * @param inPort link it came by or {@link #FROM_THIS_NODE}
   * @return false if there is no way to the destination
   */
  boolean route(ByteBuffer packet, int xip, int end, int inPort) {
    int nodes = XipLayout.destinationNodes(packet, xip);
    int last = packet.get(xip + LAST_OFFSET);
    // Every turn reaches a node on this host; a graph without cycles cannot have more of them.
    for (int turn = 0; turn <= nodes; turn++) {
      int current = last < 0 ? nodes - 1 : last;
      int edges = XipLayout.destination(xip, current) + Xid.LENGTH;
      int reached = -1;
      for (int path = 0; path < MAX_EDGES && reached < 0; path++) {
        int index = packet.get(edges + path) & EDGE_MASK;
        int target = XipLayout.destination(xip, index);
        RouteTable table = index < nodes ? table(packet.getInt(target)) : null;
        if (table == null) {
          break;
        }
        if (!table.enabled()) {
          continue;
        }
        if (table.type() == XidType.HID && isBroadcast(packet, target)) {
          if (inPort == FROM_THIS_NODE) {
            return broadcast(packet, xip, end, inPort);
          }
          if (!heard(packet, xip, inPort)) {
            return false;
          }
          reached = visit(packet, xip, edges + path, index);
          continue;
        }
        Route route = table.lookup(packet, target);
        int port = route.port();
        if (port >= 0) {
          return forward(packet, xip, end, inPort, route, target);
        }
        switch (port) {
          case RoutePort.LOCAL -> {
            reached = visit(packet, xip, edges + path, index);
            if (table.type() == XidType.SID) {
              exits.deliver(packet, xip, end, inPort);
              return true;
            }
          }
          case RoutePort.BROADCAST -> {
            return broadcast(packet, xip, end, inPort);
          }
          case RoutePort.DISCARD, RoutePort.UNREACHABLE, RoutePort.FALLBACK -> {
            // the next edge
          }
          default -> {
            counters.add(NodeCounter.DROP_BY_ROUTE);
            return false;
          }
        }
      }
      if (reached < 0) {
        counters.add(NodeCounter.DROP_UNROUTABLE);
        exits.unroutable(packet, xip, end, inPort);
        return false;
      }
      if (reached == nodes - 1) {
        exits.deliver(packet, xip, end, inPort);
        return true;
      }
      last = reached;
    }
    counters.add(NodeCounter.DROP_MALFORMED);
    return false;
  }

  private RouteTable table(int typeCode) {
    int index = typeCode - XidType.AD.code();
    return index >= 0 && index < tables.length ? tables[index] : null;
  }

  private static boolean isBroadcast(ByteBuffer packet, int xid) {
    return packet.getLong(xid + 4) == ALL_ONES
        && packet.getLong(xid + 12) == ALL_ONES
        && packet.getInt(xid + 20) == (int) ALL_ONES;
  }

  private static int visit(ByteBuffer packet, int xip, int edge, int index) {
    packet.put(edge, (byte) (index | VISITED));
    packet.put(xip + LAST_OFFSET, (byte) index);
    return index;
  }

  /** A broadcast came by a link; false if it is one of this node's own. */
  private boolean heard(ByteBuffer packet, int xip, int inPort) {
    int sources = XipLayout.sourceNodes(packet, xip);
    if (sources < 2) {
      return true;
    }
    int host = XipLayout.sourceIntent(packet, xip) - XipLayout.NODE_LENGTH;
    if (own.matches(packet, host)) {
      counters.add(NodeCounter.DROP_OWN_BROADCAST);
      return false;
    }
    boolean isHost = packet.getInt(host) == XidType.HID.code();
    if (!learn || !isHost || isBroadcast(packet, host)) {
      return true;
    }
    RouteTable hosts = tables[XidType.HID.code() - XidType.AD.code()];
    Route known = hosts.find(packet, host);
    boolean same =
        known != null
            && known.port() == inPort
            && known.nextHop() != null
            && known.nextHop().matches(packet, host);
    if (!same && (known != null || hosts.size() < maxLearned)) {
      Xid hid = Xid.read(packet, host);
      hosts.set(hid, inPort, hid, 0);
      counters.add(NodeCounter.LEARNED);
    }
    return true;
  }

  private boolean forward(
      ByteBuffer packet, int xip, int end, int inPort, Route route, int target) {
    int number = route.port();
    if (number >= ports.length) {
      counters.add(NodeCounter.DROP_NO_LINK);
      return false;
    }
    LinkPort port = ports[number];
    if (number == inPort) {
      exits.backWhereItCame(packet, xip, end, inPort, route);
    }
    if (!spendHop(packet, xip, end, inPort)) {
      return true;
    }
    if (end - xip > port.mtu) {
      counters.add(NodeCounter.DROP_TOO_BIG);
      exits.tooBig(packet, xip, end, inPort, port.mtu);
      return true;
    }
    if (inPort != FROM_THIS_NODE) {
      counters.add(NodeCounter.FORWARDED);
    }
    port.send(packet, xip, end, route, target);
    return true;
  }

  private boolean spendHop(ByteBuffer packet, int xip, int end, int inPort) {
    int left = XipLayout.hopLimit(packet, xip);
    if (left <= 1) {
      counters.add(NodeCounter.DROP_HOP_LIMIT);
      exits.expired(packet, xip, end, inPort);
      return false;
    }
    packet.put(xip + HOP_LIMIT_OFFSET, (byte) (left - 1));
    return true;
  }

  private boolean broadcast(ByteBuffer packet, int xip, int end, int inPort) {
    if (!spendHop(packet, xip, end, inPort)) {
      return true;
    }
    counters.add(NodeCounter.BROADCAST);
    int length = end - xip;
    boolean sent = false;
    for (LinkPort port : ports) {
      if (!port.isAttached()) {
        continue;
      }
      if (length > port.mtu) {
        counters.add(NodeCounter.DROP_TOO_BIG);
        continue;
      }
      // A link may change what it is given, so each gets its own.
      copy.clear().put(XipLayout.ETHERNET_HEADER, packet, xip, length);
      port.broadcast(copy, XipLayout.ETHERNET_HEADER, XipLayout.ETHERNET_HEADER + length);
      sent = true;
    }
    return sent;
  }

  /**
   * The largest packet that the link towards {@code destination} carries: {@link
   * XipLayout#MAX_PACKET} on this node itself, 0 if there is no way.
   */
  int largestPacketTo(Dag destination) {
    int sink = destination.size() - 1;
    int current = sink;
    for (int turn = 0; turn <= sink + 1; turn++) {
      int reached = -1;
      for (int path = 0; path < MAX_EDGES && reached < 0; path++) {
        int index = destination.edge(current, path);
        RouteTable table = index <= sink ? table(destination.node(index).typeCode()) : null;
        if (table == null) {
          return 0;
        }
        if (!table.enabled()) {
          continue;
        }
        if (destination.node(index).equals(Xid.BHID)) {
          return smallestMtu();
        }
        int port = table.lookup(destination.node(index)).port();
        if (port >= 0) {
          return port < ports.length ? ports[port].mtu : 0;
        }
        if (port == RoutePort.BROADCAST) {
          return smallestMtu();
        }
        if (port == RoutePort.LOCAL) {
          reached = index;
          if (index == sink || table.type() == XidType.SID) {
            return XipLayout.MAX_PACKET;
          }
        }
      }
      if (reached < 0) {
        return 0;
      }
      current = reached;
    }
    return 0;
  }

  private int smallestMtu() {
    int smallest = NodeConfig.Port.MAX_MTU;
    for (LinkPort port : ports) {
      smallest = Math.min(smallest, port.mtu);
    }
    return smallest;
  }
}
