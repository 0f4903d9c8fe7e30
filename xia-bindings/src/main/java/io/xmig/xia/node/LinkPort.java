package io.xmig.xia.node;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One link of a node: its address, its MTU, the hosts known on it and where its frames go. */
final class LinkPort {
  /** Addresses of other stations that a port may answer to; local choice. */
  static final int MAX_FOREIGN_MACS = 16;

  final int number;
  final long mac;
  final int mtu;
  final XarpTable xarp;
  private final NodeCounters counters;
  private final @Nullable IpTunnel tunnel;
  private @Nullable FrameSink sink;
  private long[] foreignMacs = {};

  LinkPort(int number, NodeConfig.Port config, Xid hid, EventLoop loop, NodeCounters counters) {
    this.number = number;
    this.mac = config.mac();
    this.mtu = config.mtu();
    this.counters = counters;
    this.xarp = new XarpTable(hid, mac, loop, counters, this::output);
    this.tunnel = config.fourId() == null ? null : new IpTunnel(config.fourId(), mtu);
  }

  /** Whether frames to another station's address are taken here, too. */
  boolean accepts(long address) {
    for (long foreign : foreignMacs) {
      if (foreign == address) {
        return true;
      }
    }
    return false;
  }

  /**
   * Takes frames to another address from now on: that of a gateway which a guest has left without
   * noticing.
   *
   * @return false if there are too many already
   */
  boolean accept(long address) {
    if (accepts(address)) {
      return true;
    }
    if (foreignMacs.length == MAX_FOREIGN_MACS) {
      return false;
    }
    foreignMacs = Arrays.copyOf(foreignMacs, foreignMacs.length + 1);
    foreignMacs[foreignMacs.length - 1] = address;
    return true;
  }

  /** Ends {@link #accept}. */
  void acceptNoLonger(long address) {
    foreignMacs = Arrays.stream(foreignMacs).filter(foreign -> foreign != address).toArray();
  }

  void attach(@Nullable FrameSink sink) {
    this.sink = sink;
  }

  boolean isAttached() {
    return sink != null;
  }

  /** Whether the link carries IPv4 packets instead of Ethernet frames. */
  boolean isIp() {
    return tunnel != null;
  }

  private void output(ByteBuffer frame) {
    if (sink == null) {
      counters.add(NodeCounter.DROP_NO_LINK);
      return;
    }
    counters.add(NodeCounter.FRAMES_OUT);
    sink.frame(frame);
  }

  /**
   * Sends a packet to the next hop of a route. There must be room for the Ethernet header before
   * it.
   *
   * @param target offset of the XID the route was found for
   */
  void send(XipFlyweight packet, Route route, int target) {
    if (tunnel != null) {
      ByteBuffer wrapped = tunnel.wrap(packet, target);
      if (wrapped == null) {
        counters.add(NodeCounter.DROP_NOT_IP);
      } else {
        output(wrapped);
      }
      return;
    }
    Neighbour to = route.neighbour;
    if (to == null || to.table != xarp || to.removed) {
      to = resolve(packet.buffer(), route, target);
      if (to == null) {
        return;
      }
    }
    xarp.send(packet.buffer(), packet.offset() - EthernetFlyweight.LENGTH, packet.end(), to);
  }

  /** Sends the packet in a frame's buffer, from 0 to {@code end}, to every Ethernet station. */
  void broadcast(ByteBuffer frame, int end) {
    xarp.emit(frame, 0, end, EthernetFlyweight.BROADCAST);
  }

  private @Nullable Neighbour resolve(ByteBuffer packet, Route route, int target) {
    Xid host = route.nextHop() != null ? route.nextHop() : route.destination();
    Neighbour found = host == null ? xarp.neighbour(packet, target) : xarp.neighbour(host);
    if (found == null) {
      counters.add(NodeCounter.DROP_XARP_QUEUE);
    } else if (host != null) {
      route.neighbour = found;
    }
    return found;
  }
}
