package io.xmig.xia.node;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.wire.EthernetFlyweight;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a node is.
 *
 * @param name how handlers and messages call it, e.g. {@code host0}
 * @param role which routes it starts with
 * @param address where it is at first; the HID stays, AD and 4ID may change
 * @param ports its links, at least one
 * @param learnFromBroadcast whether the HID of a broadcast's sender becomes a route, as in the
 *     prototype; a gateway that demands signed registrations turns this off
 * @param acceptRedirects whether XCMP redirects of the next hop change routes
 * @param cacheContent whether content that passes by is offered to the content store
 */
public record NodeConfig(
    String name,
    Role role,
    LocalAddress address,
    List<Port> ports,
    boolean learnFromBroadcast,
    boolean acceptRedirects,
    boolean cacheContent) {
  /** Which routes a node starts with. */
  public enum Role {
    /** Everything unknown goes out by port 0. */
    HOST,
    /** Everything unknown is unreachable. */
    ROUTER
  }

  /**
   * One link of a node: Ethernet frames, or bare IPv4 packets if it has a 4ID.
   *
   * @param mac Ethernet address, low 48 bits
   * @param mtu largest XIP packet in bytes; the Ethernet header of 14 bytes, or the IPv4 and UDP
   *     headers of 28, are not counted
   * @param fourId 4ID of a port that carries XIP in UDP in IPv4, {@code null} for Ethernet
   */
  public record Port(long mac, int mtu, @Nullable Xid fourId) {
    /** Smallest MTU: a packet with the longest usual header and some payload must fit. */
    public static final int MIN_MTU = 1024;

    /** Largest MTU: payload length is a 16-bit number. */
    public static final int MAX_MTU = 65_535;

    /** Checks the ranges. */
    public Port {
      if (mtu < MIN_MTU || mtu > MAX_MTU) {
        throw new IllegalArgumentException(
            "MTU " + mtu + " is not in " + MIN_MTU + " to " + MAX_MTU);
      }
      if (mac == 0 || mac >>> 48 != 0 || EthernetFlyweight.isGroup(mac)) {
        throw new IllegalArgumentException(
            "not the address of one station: " + EthernetFlyweight.formatMac(mac));
      }
      if (fourId != null && !fourId.is(XidType.IP)) {
        throw new IllegalArgumentException("expected a 4ID, not " + fourId);
      }
    }

    /** An Ethernet port. */
    public Port(long mac, int mtu) {
      this(mac, mtu, null);
    }

    /** Whether the link carries IPv4 packets. */
    public boolean isIp() {
      return fourId != null;
    }
  }

  /** MTU of an ordinary Ethernet. */
  public static final int ETHERNET_MTU = 1500;

  /** Ports a node may have. */
  public static final int MAX_PORTS = 256;

  /** Copies the ports and checks their number. */
  public NodeConfig {
    ports = List.copyOf(ports);
    if (ports.isEmpty() || ports.size() > MAX_PORTS) {
      throw new IllegalArgumentException(
          "a node has 1 to " + MAX_PORTS + " ports, not " + ports.size());
    }
  }

  /** A host with one Ethernet port that behaves as the prototype's hosts do. */
  public static NodeConfig host(String name, LocalAddress address, long mac) {
    return new NodeConfig(
        name, Role.HOST, address, List.of(new Port(mac, ETHERNET_MTU)), true, true, false);
  }

  /** A router with Ethernet ports that behaves as the prototype's routers do, content cache off. */
  public static NodeConfig router(String name, LocalAddress address, long... macs) {
    List<Port> ports = new ArrayList<>();
    for (long mac : macs) {
      ports.add(new Port(mac, ETHERNET_MTU));
    }
    return new NodeConfig(name, Role.ROUTER, address, ports, true, false, false);
  }

  /** The same node with another MTU on all ports. */
  public NodeConfig withMtu(int mtu) {
    List<Port> changed =
        ports.stream().map(port -> new Port(port.mac(), mtu, port.fourId())).toList();
    return new NodeConfig(
        name, role, address, changed, learnFromBroadcast, acceptRedirects, cacheContent);
  }

  /** The same node, learning or not learning HIDs from broadcasts. */
  public NodeConfig withLearnFromBroadcast(boolean on) {
    return new NodeConfig(name, role, address, ports, on, acceptRedirects, cacheContent);
  }

  /** The same node, obeying or ignoring redirects. */
  public NodeConfig withAcceptRedirects(boolean on) {
    return new NodeConfig(name, role, address, ports, learnFromBroadcast, on, cacheContent);
  }

  /** The same node, offering or not offering passing content to its content store. */
  public NodeConfig withCacheContent(boolean on) {
    return new NodeConfig(name, role, address, ports, learnFromBroadcast, acceptRedirects, on);
  }
}
