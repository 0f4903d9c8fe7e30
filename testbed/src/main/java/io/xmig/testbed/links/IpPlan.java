package io.xmig.testbed.links;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.Topology;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * IPv4 beside XIA on the same links, for comparisons: every domain is one subnet, a LAN whose
 * switch its router also is; routers forward between domains.
 *
 * <pre>
 * 10.78.D.0/24   domain D: .1 its router, .11 … its hosts, .100 the VM that started there
 * 10.79.K.0/30   link K between two routers
 * </pre>
 */
final class IpPlan {
  private static final int FIRST_HOST = 11;
  private static final int GUEST = 100;

  private final Topology topology;
  private final List<Xid> domains = new ArrayList<>();
  private final Map<String, String> addresses = new LinkedHashMap<>();

  IpPlan(Topology topology) {
    this.topology = topology;
    Map<Integer, Integer> hostsSoFar = new HashMap<>();
    for (Topology.Node node : topology.nodes()) {
      int domain = domain(node);
      if (!node.kind().isRouter()) {
        int index = hostsSoFar.merge(domain, 1, Integer::sum) - 1;
        addresses.put(node.name(), subnet(domain) + (FIRST_HOST + index));
      }
    }
  }

  private int domain(Topology.Node node) {
    Xid ad = node.ad();
    if (ad == null) {
      throw new NetException("the topology gives no domain", Map.of("node", node.name()));
    }
    int found = domains.indexOf(ad);
    if (found < 0) {
      domains.add(ad);
      found = domains.size() - 1;
    }
    return found;
  }

  private static String subnet(int domain) {
    return "10.78." + domain + ".";
  }

  int domainOf(String node) {
    return domain(topology.node(node));
  }

  /** The address of a host. */
  String host(String host) {
    String address = addresses.get(host);
    if (address == null) {
      throw new IllegalArgumentException("no host " + host);
    }
    return address;
  }

  /** Hosts of a domain, in the order of the file. */
  List<String> hostsOf(int domain) {
    return addresses.keySet().stream().filter(h -> domainOf(h) == domain).toList();
  }

  /** The address of a domain's router towards its hosts. */
  static String gateway(int domain) {
    return subnet(domain) + 1;
  }

  static String gatewayMac(int domain) {
    return String.format("02:78:00:00:%02x:01", domain);
  }

  /** The address of the VM that was started in a domain. */
  static String guest(int domain) {
    return subnet(domain) + GUEST;
  }

  /** One end of the K-th link between routers. */
  static String trunk(int link, boolean first) {
    return "10.79." + link + "." + (first ? 1 : 2);
  }

  /**
   * Where a router sends packets for other domains: {@code 10.78.D.0/24 → next router}, by the
   * smallest number of hops.
   */
  Map<String, String> routes(String router) {
    List<Topology.Link> trunks = trunks();
    Map<String, String> next = new HashMap<>();
    Deque<String> reached = new ArrayDeque<>(List.of(router));
    next.put(router, "");
    Map<String, String> routes = new LinkedHashMap<>();
    while (!reached.isEmpty()) {
      String at = reached.poll();
      for (int k = 0; k < trunks.size(); k++) {
        String a = trunks.get(k).a().element();
        String b = trunks.get(k).b().element();
        String other = a.equals(at) ? b : b.equals(at) ? a : null;
        if (other == null || next.containsKey(other)) {
          continue;
        }
        String first = next.getOrDefault(at, "");
        next.put(other, first.isEmpty() ? trunk(k, other.equals(a)) : first);
        routes.put(subnet(domainOf(other)) + "0/24", next.getOrDefault(other, ""));
        reached.add(other);
      }
    }
    return routes;
  }

  /** Links between routers; their place in the list is their number. */
  List<Topology.Link> trunks() {
    return topology.links().stream()
        .filter(l -> Bottleneck.isRouter(topology, l.a()) && Bottleneck.isRouter(topology, l.b()))
        .toList();
  }
}
