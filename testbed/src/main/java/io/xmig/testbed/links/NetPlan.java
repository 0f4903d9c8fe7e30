package io.xmig.testbed.links;

import io.xmig.xia.click.Topology;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a topology looks in network namespaces, one per node. Only a plan: {@link VethNet} builds it.
 *
 * <pre>
 *   HOST_A                                 ROUTER_1
 *  ┌────────────────────────────────┐     ┌──────────────────────────────────┐
 *  │ node, QEMU, TCP                │     │ node            IP forwarding    │
 *  │   │                            │     │  │ │ │              │            │
 *  │ eth0 (bridge) ── up1 ══════════╪═════╪═ eth0, eth1, … ── lan0 (bridge)  │
 *  │   └── vm0 (tap of the VM)      │     │                                  │
 *  └────────────────────────────────┘     └──────────────────────────────────┘
 * </pre>
 *
 * <p>A host's bridge is the topology's switch. A router's ports towards hosts are also ports of a
 * bridge, which is the LAN that IP needs. That bridge floods nothing, so no XIA frame takes it: the
 * node has heard a frame before the bridge drops it. IP needs no flooding since everybody is told
 * the others' Ethernet addresses; where the VM is the bridge learns from the VM's own frames.
 */
final class NetPlan {
  static final String HOST_BRIDGE = "eth0";
  static final String ROUTER_BRIDGE = "lan0";
  static final String TAP = "vm0";

  /** A tap's largest MTU: 65,535 less the Ethernet header. */
  static final int TAP_MTU = 65_521;

  /** An end of a cable: an interface of a node's namespace. */
  record Plug(String node, String device, @Nullable String master, @Nullable String mac) {}

  /** A link between two namespaces, emulated where it has a shape. */
  record Cable(Plug a, Plug b, @Nullable PathShape shape) {}

  private final Topology topology;
  private final Set<String> nodes;
  private final Set<Topology.Link> shaped;
  private final @Nullable PathShape shape;
  private final String guestMac;
  private final String guestHome;
  private final IpPlan ip;
  private final List<Cable> cables = new ArrayList<>();

  /**
   * @param nodes those that are wanted; links to others are left out
   * @param hosts those that can run the VM, the first of them starts it
   */
  NetPlan(
      Topology topology,
      List<String> nodes,
      List<String> hosts,
      String guestMac,
      @Nullable PathShape shape) {
    this.topology = topology;
    this.nodes = Set.copyOf(nodes);
    this.shape = shape;
    this.shaped = shape == null ? Set.of() : new HashSet<>(Bottleneck.of(topology, hosts));
    this.guestMac = guestMac;
    this.guestHome = hosts.get(0);
    this.ip = new IpPlan(topology);
    topology.links().forEach(this::lay);
  }

  private void lay(Topology.Link link) {
    String a = home(link.a().element());
    String b = home(link.b().element());
    if (!a.equals(b) && nodes.contains(a) && nodes.contains(b)) {
      cables.add(new Cable(plug(link.a()), plug(link.b()), shaped.contains(link) ? shape : null));
    }
  }

  /** The node in whose namespace an element is: a switch is its first host's bridge. */
  private String home(String element) {
    if (!Bottleneck.isSwitch(topology, element)) {
      return element;
    }
    String home = "";
    int lowest = Integer.MAX_VALUE;
    for (Topology.Link link : topology.links()) {
      for (int side = 0; side < 2; side++) {
        Topology.End mine = side == 0 ? link.a() : link.b();
        Topology.End other = side == 0 ? link.b() : link.a();
        if (mine.element().equals(element)
            && mine.port() < lowest
            && !Bottleneck.isRouter(topology, other)) {
          lowest = mine.port();
          home = other.element();
        }
      }
    }
    if (home.isEmpty()) {
      throw new NetException("no host on the switch", Map.of("switch", element));
    }
    return home;
  }

  private Plug plug(Topology.End end) {
    if (Bottleneck.isRouter(topology, end)) {
      boolean trunk = ip.trunks().stream().anyMatch(l -> l.a().equals(end) || l.b().equals(end));
      return new Plug(
          end.element(),
          "eth" + end.port(),
          trunk ? null : ROUTER_BRIDGE,
          mac(topology.node(end.element()).ports().get(end.port()).mac()));
    }
    return new Plug(home(end.element()), "up" + end.port(), HOST_BRIDGE, null);
  }

  static String mac(long mac) {
    StringBuilder text = new StringBuilder();
    for (int shift = 40; shift >= 0; shift -= 8) {
      text.append(String.format(shift == 0 ? "%02x" : "%02x:", mac >> shift & 0xff));
    }
    return text.toString();
  }

  private String hostMac(String host) {
    return mac(topology.node(host).ports().get(0).mac());
  }

  List<Cable> cables() {
    return List.copyOf(cables);
  }

  IpPlan ip() {
    return ip;
  }

  private boolean isRouter(String node) {
    return topology.node(node).kind().isRouter();
  }

  /** Lines for {@code ip -batch} in a node's namespace, before there are cables. */
  List<String> devices(String node, int mtu) {
    String options = " type bridge stp_state 0 forward_delay 0 mcast_snooping 0";
    List<String> lines = new ArrayList<>();
    lines.add("link set lo up");
    if (isRouter(node)) {
      lines.add("link add " + ROUTER_BRIDGE + options);
      lines.add("link set " + ROUTER_BRIDGE + " address " + IpPlan.gatewayMac(ip.domainOf(node)));
    } else {
      lines.add("link add " + HOST_BRIDGE + options);
      lines.add("link set " + HOST_BRIDGE + " address " + hostMac(node));
      lines.add("tuntap add dev " + TAP + " mode tap");
      lines.add("link set " + TAP + " mtu " + Math.min(mtu, TAP_MTU));
      lines.add("link set " + TAP + " master " + HOST_BRIDGE + " up");
    }
    return lines;
  }

  /** Lines for {@code ip -batch} in a node's namespace, once the cables are there. */
  List<String> joined(String node, int mtu) {
    List<String> lines = new ArrayList<>();
    for (Plug plug : plugsOf(node)) {
      if (plug.mac() != null) {
        lines.add("link set " + plug.device() + " address " + plug.mac());
      }
      if (plug.master() != null) {
        lines.add("link set " + plug.device() + " master " + plug.master());
      }
      if (ROUTER_BRIDGE.equals(plug.master())) {
        lines.add(
            "link set "
                + plug.device()
                + " type bridge_slave flood off mcast_flood off bcast_flood off");
      }
      lines.add("link set " + plug.device() + " up");
    }
    String bridge = isRouter(node) ? ROUTER_BRIDGE : HOST_BRIDGE;
    int domain = ip.domainOf(node);
    String address = isRouter(node) ? IpPlan.gateway(domain) : ip.host(node);
    lines.add("link set " + bridge + " mtu " + mtu + " up");
    lines.add("addr add " + address + "/24 dev " + bridge);
    neighbours(node, domain)
        .forEach(
            (other, mac) ->
                lines.add(
                    "neigh replace "
                        + other
                        + " lladdr "
                        + mac
                        + " dev "
                        + bridge
                        + " nud permanent"));
    if (isRouter(node)) {
      for (int k = 0; k < ip.trunks().size(); k++) {
        Topology.Link trunk = ip.trunks().get(k);
        boolean first = trunk.a().element().equals(node);
        if (first || trunk.b().element().equals(node)) {
          int port = first ? trunk.a().port() : trunk.b().port();
          lines.add("addr add " + IpPlan.trunk(k, first) + "/30 dev eth" + port);
        }
      }
      ip.routes(node).forEach((to, via) -> lines.add("route add " + to + " via " + via));
    } else {
      lines.add("route add default via " + IpPlan.gateway(domain));
    }
    return lines;
  }

  /** Everybody in a domain but the node itself, with Ethernet addresses. */
  private Map<String, String> neighbours(String node, int domain) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put(IpPlan.gateway(domain), IpPlan.gatewayMac(domain));
    for (String host : ip.hostsOf(domain)) {
      all.put(ip.host(host), hostMac(host));
    }
    if (domain == ip.domainOf(guestHome)) {
      all.put(IpPlan.guest(domain), guestMac);
    }
    all.remove(isRouter(node) ? IpPlan.gateway(domain) : ip.host(node));
    return all;
  }

  /** Lines for {@code bridge -batch} in a router's namespace: behind which port each host is. */
  List<String> forwarding(String node) {
    List<String> lines = new ArrayList<>();
    if (isRouter(node)) {
      for (Cable cable : cables) {
        for (int side = 0; side < 2; side++) {
          Plug mine = side == 0 ? cable.a() : cable.b();
          Plug other = side == 0 ? cable.b() : cable.a();
          if (mine.node().equals(node) && !isRouter(other.node())) {
            lines.add(
                "fdb replace "
                    + hostMac(other.node())
                    + " dev "
                    + mine.device()
                    + " master static");
          }
        }
      }
    }
    return lines;
  }

  /** What a guest has to run to take part in IP; for its init. */
  String guestCommands() {
    int domain = ip.domainOf(guestHome);
    StringBuilder commands = new StringBuilder();
    commands.append("ip addr add ").append(IpPlan.guest(domain)).append("/24 dev eth0");
    commands.append("; ip route add default via ").append(IpPlan.gateway(domain));
    Map<String, String> others = neighbours(guestHome, domain);
    others.put(ip.host(guestHome), hostMac(guestHome));
    others.remove(IpPlan.guest(domain));
    others.forEach(
        (other, mac) -> commands.append("; arp -i eth0 -s ").append(other).append(' ').append(mac));
    return commands.toString();
  }

  String guestAddress() {
    return IpPlan.guest(ip.domainOf(guestHome));
  }

  private List<Plug> plugsOf(String node) {
    List<Plug> mine = new ArrayList<>();
    for (Cable cable : cables) {
      if (cable.a().node().equals(node)) {
        mine.add(cable.a());
      }
      if (cable.b().node().equals(node)) {
        mine.add(cable.b());
      }
    }
    return mine;
  }
}
