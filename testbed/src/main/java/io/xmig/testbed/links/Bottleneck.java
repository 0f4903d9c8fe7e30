package io.xmig.testbed.links;

import io.xmig.xia.click.Topology;
import java.util.List;
import java.util.Map;

/** Which link of a topology {@code --shape} is about. */
final class Bottleneck {
  private Bottleneck() {}

  /**
   * The links between routers, or, where there is one router, the link of the host that the VM
   * migrates to: in both cases what host and host have between them is shaped once.
   *
   * @param hosts those that can run the VM, in their order
   */
  static List<Topology.Link> of(Topology topology, List<String> hosts) {
    List<Topology.Link> between =
        topology.links().stream()
            .filter(l -> isRouter(topology, l.a()) && isRouter(topology, l.b()))
            .toList();
    if (!between.isEmpty()) {
      return between;
    }
    String last = hosts.get(hosts.size() - 1);
    return topology.links().stream()
        .filter(
            l ->
                isRouter(topology, l.a()) && leadsTo(topology, l.b(), last)
                    || isRouter(topology, l.b()) && leadsTo(topology, l.a(), last))
        .findFirst()
        .map(List::of)
        .orElseThrow(
            () -> new NetException("no link of a router leads to the host", Map.of("host", last)));
  }

  static boolean isRouter(Topology topology, Topology.End end) {
    return topology.nodes().stream()
        .anyMatch(n -> n.name().equals(end.element()) && n.kind().isRouter());
  }

  static boolean isSwitch(Topology topology, String element) {
    return topology.switches().stream().anyMatch(s -> s.name().equals(element));
  }

  private static boolean leadsTo(Topology topology, Topology.End end, String host) {
    return end.element().equals(host)
        || isSwitch(topology, end.element())
            && topology.links().stream()
                .anyMatch(
                    l ->
                        l.a().element().equals(end.element()) && l.b().element().equals(host)
                            || l.b().element().equals(end.element())
                                && l.a().element().equals(host));
  }
}
