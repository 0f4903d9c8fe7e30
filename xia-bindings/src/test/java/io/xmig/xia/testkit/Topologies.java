package io.xmig.xia.testkit;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.RoutePort;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.LocalAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The networks tests use most, with the routes that beacons and routing daemons would set up. Names
 * and identifiers are those of the prototype's files (docs/wire.md section 1).
 */
public final class Topologies {
  /** Flags that the prototype's daemons write with every route. */
  private static final int DAEMON_FLAGS = 0xffff;

  private Topologies() {}

  /** {@code AD:1000…000n}. */
  public static Xid ad(int n) {
    return Xid.of(XidType.AD.code(), 0x1000_0000_0000_0000L, 0, n);
  }

  /** {@code HID:0000…000n}, a host. */
  public static Xid hid(int n) {
    return Xid.of(XidType.HID.code(), 0, 0, n);
  }

  /** {@code HID:1100…000n}, a router. */
  public static Xid rhid(int n) {
    return Xid.of(XidType.HID.code(), 0x1100_0000_0000_0000L, 0, n);
  }

  /** {@code SID:0f00…000n}, a service for tests. */
  public static Xid sid(int n) {
    return Xid.of(XidType.SID.code(), 0x0f00_0000_0000_0000L, 0, n);
  }

  /** Ethernet address {@code 02:00:00:00:nn:xx} of a node's port. */
  public static long mac(int node, int last) {
    return 0x0200_0000_0000L | (long) node << 8 | last;
  }

  /**
   * Two hosts in AD0 on one router.
   *
   * @param left link of host 0 (its side a) and router port 0
   * @param right link of host 1 (its side a) and router port 1
   */
  public record TwoHosts(
      SimNetwork net, XiaNode host0, XiaNode router, XiaNode host1, SimLink left, SimLink right) {}

  /** {@link TwoHosts} with the same profile on both links. */
  public static TwoHosts twoHosts(SimNetwork net, LinkProfile profile) {
    return twoHosts(net, profile, UnaryOperator.identity());
  }

  /** {@link TwoHosts} whose nodes are configured as {@code change} says. */
  public static TwoHosts twoHosts(
      SimNetwork net, LinkProfile profile, UnaryOperator<NodeConfig> change) {
    XiaNode host0 = net.add(change.apply(hostConfig("host0", ad(0), hid(0), mac(0, 0x10))));
    XiaNode router =
        net.add(change.apply(routerConfig("router0", ad(0), rhid(0), mac(0, 0x20), mac(0, 0x21))));
    XiaNode host1 = net.add(change.apply(hostConfig("host1", ad(0), hid(1), mac(1, 0x10))));
    join(host0, router);
    join(host1, router);
    host(router, host0, 0);
    host(router, host1, 1);
    return new TwoHosts(
        net,
        host0,
        router,
        host1,
        net.link(host0, 0, router, 0, profile),
        net.link(host1, 0, router, 1, profile));
  }

  /**
   * A host, a chain of routers each in an AD of its own, a host: {@code host0 – router0 – … –
   * router(n−1) – host1}. With two routers it is the network of the captured packets.
   *
   * @param links from left to right
   */
  public record Chain(
      SimNetwork net, XiaNode host0, List<XiaNode> routers, XiaNode host1, List<SimLink> links) {}

  /** {@link Chain} with the same profile on all links. */
  public static Chain chain(SimNetwork net, int routerCount, LinkProfile profile) {
    return chain(net, routerCount, profile, UnaryOperator.identity());
  }

  /** {@link Chain} whose nodes are configured as {@code change} says. */
  public static Chain chain(
      SimNetwork net, int routerCount, LinkProfile profile, UnaryOperator<NodeConfig> change) {
    int lastAd = routerCount - 1;
    XiaNode host0 = net.add(change.apply(hostConfig("host0", ad(0), hid(0), mac(0, 0x10))));
    List<XiaNode> routers = new ArrayList<>();
    for (int i = 0; i < routerCount; i++) {
      // As in the capture, port 0 of the end routers is the host's; of inner ones the left side.
      routers.add(
          net.add(
              change.apply(
                  routerConfig("router" + i, ad(i), rhid(i), mac(i, 0x20), mac(i, 0x21)))));
    }
    long mac1 = mac(Math.max(1, lastAd), 0x10);
    XiaNode host1 = net.add(change.apply(hostConfig("host1", ad(lastAd), hid(1), mac1)));
    XiaNode first = routers.get(0);
    XiaNode last = routers.get(lastAd);
    int hostPortOfLast = routerCount == 1 ? 1 : 0;
    join(host0, first);
    join(host1, last);
    host(first, host0, 0);
    host(last, host1, hostPortOfLast);
    for (int i = 0; i < routerCount; i++) {
      for (int to = 0; to < routerCount; to++) {
        if (to != i) {
          domain(routers.get(i), ad(to), towards(i, to, lastAd), routers.get(i + sign(to - i)));
        }
      }
    }
    List<SimLink> links = new ArrayList<>();
    links.add(net.link(host0, 0, first, 0, profile));
    for (int i = 0; i + 1 < routerCount; i++) {
      links.add(
          net.link(
              routers.get(i),
              towards(i, i + 1, lastAd),
              routers.get(i + 1),
              towards(i + 1, i, lastAd),
              profile));
    }
    links.add(net.link(last, hostPortOfLast, host1, 0, profile));
    return new Chain(net, host0, List.copyOf(routers), host1, List.copyOf(links));
  }

  /** Port of router {@code i} towards AD {@code to}: end routers use port 1, the host has 0. */
  private static int towards(int i, int to, int lastAd) {
    boolean isEnd = i == 0 || i == lastAd;
    return isEnd || to > i ? 1 : 0;
  }

  private static int sign(int n) {
    return Integer.signum(n);
  }

  /**
   * The testbed of one AD: ROUTER_1 with HOST_A, HOST_B and HOST_C; the machine HOST_VM runs on
   * HOST_A or HOST_B, behind the switch that the host shares with it.
   */
  public static final class IntraAd {
    private final SimNetwork net;
    private final LinkProfile profile;
    private final XiaNode router;
    private final XiaNode hostA;
    private final XiaNode hostB;
    private final XiaNode hostC;
    private final XiaNode vm;
    private final SimSwitch switchA;
    private final SimSwitch switchB;
    private SimLink nic;

    private IntraAd(SimNetwork net, LinkProfile profile) {
      this.net = net;
      this.profile = profile;
      Xid ad = ad(1);
      router =
          net.add(routerConfig("ROUTER_1", ad, rhid(1), mac(1, 0x20), mac(1, 0x21), mac(1, 0x22)));
      hostA = net.add(hostConfig("HOST_A", ad, hid(0xA), mac(0xA, 0x10)));
      hostB = net.add(hostConfig("HOST_B", ad, hid(0xB), mac(0xB, 0x10)));
      hostC = net.add(hostConfig("HOST_C", ad, hid(0xC), mac(0xC, 0x10)));
      vm = net.add(hostConfig("HOST_VM", ad, hid(0xF), mac(0xF, 0x10)));
      switchA = net.addSwitch("switchA", 3);
      switchB = net.addSwitch("switchB", 3);
      LinkProfile local = LinkProfile.delay(Duration.ofNanos(50_000));
      net.link(switchA, 0, net.station(router), 0, profile);
      net.link(switchB, 0, net.station(router), 1, profile);
      net.link(hostC, 0, router, 2, profile);
      net.link(net.station(hostA), 0, switchA, 1, local);
      net.link(net.station(hostB), 0, switchB, 1, local);
      nic = net.link(net.station(vm), 0, switchA, 2, local);
      int port = 0;
      for (XiaNode host : List.of(hostA, hostB, hostC)) {
        join(host, router);
        host(router, host, port++);
      }
      join(vm, router);
      host(router, vm, 0);
    }

    /** Takes the machine off the network, as it is while it is stopped. */
    public void stopVm() {
      nic.unplug();
    }

    /** Plugs the machine in at HOST_B ({@code true}) or HOST_A; routes are not touched. */
    public void startVm(boolean atB) {
      nic.unplug();
      LinkProfile local = LinkProfile.delay(Duration.ofNanos(50_000));
      nic = net.link(net.station(vm), 0, atB ? switchB : switchA, 2, local);
    }

    /** Points the router at where the machine is. */
    public void repointVm(boolean atB) {
      host(router, vm, atB ? 1 : 0);
    }

    /** The network. */
    public SimNetwork net() {
      return net;
    }

    /** Profile of the router's links. */
    public LinkProfile profile() {
      return profile;
    }

    /** ROUTER_1: ports 0, 1, 2 lead to A, B, C. */
    public XiaNode router() {
      return router;
    }

    /** HOST_A, the source. */
    public XiaNode hostA() {
      return hostA;
    }

    /** HOST_B, the destination. */
    public XiaNode hostB() {
      return hostB;
    }

    /** HOST_C, the client. */
    public XiaNode hostC() {
      return hostC;
    }

    /** HOST_VM, the machine that moves. */
    public XiaNode vm() {
      return vm;
    }
  }

  /** {@link IntraAd} with the same profile on the router's links. */
  public static IntraAd intraAd(SimNetwork net, LinkProfile profile) {
    return new IntraAd(net, profile);
  }

  /** A host with one Ethernet port. */
  public static NodeConfig hostConfig(String name, Xid ad, Xid hid, long mac) {
    return NodeConfig.host(name, new LocalAddress(ad, hid, null), mac);
  }

  /** A router with Ethernet ports. */
  public static NodeConfig routerConfig(String name, Xid ad, Xid hid, long... macs) {
    return NodeConfig.router(
        name, new LocalAddress(ad, hid, null), Arrays.copyOf(macs, macs.length));
  }

  /** What a host's beacon client sets up: its AD, and the router for everything else. */
  public static void join(XiaNode host, XiaNode router) {
    Xid gateway = router.localAddress().hid();
    for (XidType type : List.of(XidType.AD, XidType.HID, XidType.IP)) {
      host.routes(type).setDefault(0, gateway, DAEMON_FLAGS);
    }
    host.routes(XidType.HID).set(gateway, 0, gateway, DAEMON_FLAGS);
    host.routes(XidType.AD).set(host.localAddress().ad(), RoutePort.LOCAL, null, DAEMON_FLAGS);
  }

  /** What a router's daemon sets up for a registered host. */
  public static void host(XiaNode router, XiaNode host, int port) {
    Xid hid = host.localAddress().hid();
    router.routes(XidType.HID).set(hid, port, hid, DAEMON_FLAGS);
  }

  /** What a router's daemon sets up for another domain. */
  public static void domain(XiaNode router, Xid ad, int port, XiaNode neighbour) {
    Xid next = neighbour.localAddress().hid();
    router.routes(XidType.AD).set(ad, port, next, DAEMON_FLAGS);
    router.routes(XidType.HID).set(next, port, next, 0);
  }
}
