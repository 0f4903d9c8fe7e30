package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

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
    void deliver(XipFlyweight packet, int inPort);

    /** No edge leads anywhere. */
    void unroutable(XipFlyweight packet);

    /** The hop limit does not allow another hop. */
    void expired(XipFlyweight packet);

    /** The packet is larger than the link carries. */
    void tooBig(XipFlyweight packet, int mtu);

    /** The packet goes out by the link it came in by; it is still sent. */
    void backWhereItCame(XipFlyweight packet, Route route);
  }

  private final Xid own;
  private final RouteTable[] tables;
  private final LinkPort[] ports;
  private final NodeCounters counters;
  private boolean learn;
  private final int maxLearned;
  private final Exits exits;
  private final ByteBuffer copy;

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
    this.copy = ByteBuffer.allocateDirect(EthernetFlyweight.LENGTH + largest);
  }

  /**
   * Routes one packet.
   *
   * @param inPort link it came by or {@link #FROM_THIS_NODE}
   * @return false if there is no way to the destination
   */
  boolean route(XipFlyweight packet, int inPort) {
    ByteBuffer bytes = packet.buffer();
    int nodes = packet.destinationCount();
    int current = packet.current();
    // Every turn reaches a node on this host; a graph without cycles cannot have more of them.
    for (int turn = 0; turn <= nodes; turn++) {
      int reached = -1;
      for (int path = 0; path < MAX_EDGES && reached < 0; path++) {
        int index = packet.edge(current, path);
        RouteTable table = index < nodes ? table(packet.destinationType(index)) : null;
        if (table == null) {
          break;
        }
        if (!table.enabled()) {
          continue;
        }
        int target = packet.destinationNodeOffset(index);
        if (table.type() == XidType.HID && isBroadcast(bytes, target)) {
          if (inPort == FROM_THIS_NODE) {
            return broadcast(packet);
          }
          if (!heard(packet, inPort)) {
            return false;
          }
          reached = visit(packet, current, path, index);
          continue;
        }
        Route route = table.lookup(bytes, target);
        int port = route.port();
        if (port >= 0) {
          return forward(packet, inPort, route, target);
        }
        switch (port) {
          case RoutePort.LOCAL -> {
            reached = visit(packet, current, path, index);
            if (table.type() == XidType.SID) {
              exits.deliver(packet, inPort);
              return true;
            }
          }
          case RoutePort.BROADCAST -> {
            return broadcast(packet);
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
        exits.unroutable(packet);
        return false;
      }
      if (reached == nodes - 1) {
        exits.deliver(packet, inPort);
        return true;
      }
      current = reached;
    }
    counters.add(NodeCounter.DROP_MALFORMED);
    return false;
  }

  private @Nullable RouteTable table(int typeCode) {
    int index = typeCode - XidType.AD.code();
    return index >= 0 && index < tables.length ? tables[index] : null;
  }

  private static boolean isBroadcast(ByteBuffer packet, int xid) {
    return packet.getLong(xid + 4) == ALL_ONES
        && packet.getLong(xid + 12) == ALL_ONES
        && packet.getInt(xid + 20) == (int) ALL_ONES;
  }

  private static int visit(XipFlyweight packet, int node, int path, int index) {
    packet.markVisited(node, path).last(index);
    return index;
  }

  /** A broadcast came by a link; false if it is one of this node's own. */
  private boolean heard(XipFlyweight packet, int inPort) {
    int before = packet.sourceCount() - 2;
    if (before < 0) {
      return true;
    }
    ByteBuffer bytes = packet.buffer();
    int host = packet.sourceNodeOffset(before);
    if (own.matches(bytes, host)) {
      counters.add(NodeCounter.DROP_OWN_BROADCAST);
      return false;
    }
    boolean isHost = packet.sourceType(before) == XidType.HID.code();
    if (!learn || !isHost || isBroadcast(bytes, host)) {
      return true;
    }
    RouteTable hosts = tables[XidType.HID.code() - XidType.AD.code()];
    Route known = hosts.find(bytes, host);
    boolean same =
        known != null
            && known.port() == inPort
            && known.nextHop() != null
            && known.nextHop().matches(bytes, host);
    if (!same && (known != null || hosts.size() < maxLearned)) {
      Xid hid = Xid.read(bytes, host);
      hosts.set(hid, inPort, hid, 0);
      counters.add(NodeCounter.LEARNED);
    }
    return true;
  }

  /** Whether broadcasts set HID routes. */
  boolean learns() {
    return learn;
  }

  /** Switches the learning of HID routes from broadcasts on or off. */
  void learns(boolean on) {
    learn = on;
  }

  private boolean forward(XipFlyweight packet, int inPort, Route route, int target) {
    int number = route.port();
    if (number >= ports.length) {
      counters.add(NodeCounter.DROP_NO_LINK);
      return false;
    }
    LinkPort port = ports[number];
    if (number == inPort) {
      exits.backWhereItCame(packet, route);
    }
    if (!spendHop(packet)) {
      return true;
    }
    if (packet.end() - packet.offset() > port.mtu) {
      counters.add(NodeCounter.DROP_TOO_BIG);
      exits.tooBig(packet, port.mtu);
      return true;
    }
    if (inPort != FROM_THIS_NODE) {
      counters.add(NodeCounter.FORWARDED);
    }
    port.send(packet, route, target);
    return true;
  }

  private boolean spendHop(XipFlyweight packet) {
    int left = packet.hopLimit();
    if (left <= 1) {
      counters.add(NodeCounter.DROP_HOP_LIMIT);
      exits.expired(packet);
      return false;
    }
    packet.hopLimit(left - 1);
    return true;
  }

  private boolean broadcast(XipFlyweight packet) {
    if (!spendHop(packet)) {
      return true;
    }
    counters.add(NodeCounter.BROADCAST);
    boolean sent = false;
    for (LinkPort port : ports) {
      sent |= broadcast(packet, port);
    }
    return sent;
  }

  /** Sends a packet of this node's own to every station on one link. */
  boolean broadcastOn(XipFlyweight packet, int link) {
    if (link < 0 || link >= ports.length) {
      counters.add(NodeCounter.DROP_NO_LINK);
      return false;
    }
    if (!spendHop(packet)) {
      return false;
    }
    counters.add(NodeCounter.BROADCAST);
    return broadcast(packet, ports[link]);
  }

  private boolean broadcast(XipFlyweight packet, LinkPort port) {
    if (!port.isAttached() || port.isIp()) {
      return false;
    }
    int length = packet.end() - packet.offset();
    if (length > port.mtu) {
      counters.add(NodeCounter.DROP_TOO_BIG);
      return false;
    }
    // A link may change what it is given, so each gets its own.
    copy.clear().put(EthernetFlyweight.LENGTH, packet.buffer(), packet.offset(), length);
    port.broadcast(copy, EthernetFlyweight.LENGTH + length);
    return true;
  }

  /**
   * The largest packet that the link towards {@code destination} carries: {@link
   * XiaNode#MAX_PACKET} on this node itself, 0 if there is no way.
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
            return XiaNode.MAX_PACKET;
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
