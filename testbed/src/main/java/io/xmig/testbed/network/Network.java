package io.xmig.testbed.network;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.Topology;
import io.xmig.xia.socket.LocalAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A topology seen by who plans a run: hosts on switches, each switch with one router.
 *
 * @param topology as the nodes of the run load it
 */
public record Network(Topology topology) {
  /** Routers, each the gateway of its domain. */
  public List<String> gateways() {
    return topology.nodes().stream()
        .filter(node -> node.kind().isRouter())
        .map(Topology.Node::name)
        .toList();
  }

  /** The domain of a node. */
  public Xid ad(String node) {
    Xid ad = topology.node(node).ad();
    if (ad == null) {
      throw new IllegalArgumentException(node + " has no domain in " + topology.file());
    }
    return ad;
  }

  /** Where a node is. */
  public LocalAddress local(String node) {
    return new LocalAddress(ad(node), topology.node(node).hid(), null);
  }

  /** The address of a node. */
  public Dag address(String node) {
    return local(node).host();
  }

  /** The switch that a host is on. */
  public String lan(String host) {
    return otherEnd(new Topology.End(host, 0)).element();
  }

  /** The router's port on the switch that a host is on. */
  private Topology.End uplink(String host) {
    String lan = lan(host);
    for (Topology.Link link : topology.links()) {
      Topology.End end =
          link.a().element().equals(lan)
              ? link.b()
              : link.b().element().equals(lan) ? link.a() : null;
      if (end != null && gateways().contains(end.element())) {
        return end;
      }
    }
    throw new IllegalArgumentException("no router on " + lan + " in " + topology.file());
  }

  /** The gateway of a host. */
  public String gateway(String host) {
    return uplink(host).element();
  }

  /** Ethernet address of the gateway's port towards a host. */
  public long gatewayMac(String host) {
    Topology.End end = uplink(host);
    return topology.node(end.element()).ports().get(end.port()).mac();
  }

  /** The gateway's link towards a host, as its handlers are called: {@code ROUTER/linkN}. */
  public String downlink(String host) {
    Topology.End end = uplink(host);
    return end.element() + "/link" + end.port();
  }

  /** Ports of a router that lead to other routers. */
  public Set<Integer> routerPorts(String router) {
    Set<Integer> ports = new TreeSet<>();
    List<String> routers = gateways();
    for (Topology.Link link : topology.links()) {
      if (routers.contains(link.a().element()) && routers.contains(link.b().element())) {
        for (Topology.End end : List.of(link.a(), link.b())) {
          if (end.element().equals(router)) {
            ports.add(end.port());
          }
        }
      }
    }
    return ports;
  }

  /** Switches with a host on them, in the order of the hosts. */
  public List<String> lans() {
    List<String> lans = new ArrayList<>();
    topology.nodes().stream()
        .filter(node -> !node.kind().isRouter())
        .map(node -> lan(node.name()))
        .filter(lan -> !lans.contains(lan))
        .forEach(lans::add);
    return lans;
  }

  private Topology.End otherEnd(Topology.End end) {
    for (Topology.Link link : topology.links()) {
      if (link.a().equals(end)) {
        return link.b();
      }
      if (link.b().equals(end)) {
        return link.a();
      }
    }
    throw new IllegalArgumentException("nothing is joined to " + end + " in " + topology.file());
  }
}
