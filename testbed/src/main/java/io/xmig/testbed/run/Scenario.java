package io.xmig.testbed.run;

import java.nio.file.Path;
import java.util.List;

/**
 * An experiment: which nodes there are and what runs on them.
 *
 * @param name as on the command line
 * @param topology Click file
 * @param hosts those that can run the VM, in the order in which it moves from one to the next and
 *     back
 * @param client where Xping and Cal run
 * @param gateways routers that serve an administrative domain
 * @param nameServer where the name server runs
 * @param downlinks the router's link towards each of the hosts, {@code ROUTER/linkN}, in their
 *     order
 * @param lans switch by which a VM joins the network at each of the hosts, in their order
 */
record Scenario(
    String name,
    Path topology,
    List<String> hosts,
    String client,
    List<String> gateways,
    String nameServer,
    List<String> downlinks,
    List<String> lans) {
  /** Migration within one domain, the paper's Fig. 1a. */
  static Scenario intraAd(Path topologies) {
    return new Scenario(
        "intra-ad",
        topologies.resolve("intra-ad.click"),
        List.of("HOST_A", "HOST_B"),
        "HOST_C",
        List.of("ROUTER_1"),
        "HOST_A",
        List.of("ROUTER_1/link0", "ROUTER_1/link1"),
        List.of("SEGMENT_A", "SEGMENT_B"));
  }

  /** Migration between two domains, the paper's Fig. 1b. */
  static Scenario interAd(Path topologies) {
    return new Scenario(
        "inter-ad",
        topologies.resolve("inter-ad.click"),
        List.of("HOST_A", "HOST_B"),
        "HOST_C",
        List.of("ROUTER_1", "ROUTER_2"),
        "HOST_A",
        List.of("ROUTER_1/link0", "ROUTER_2/link0"),
        List.of("SEGMENT_A", "SEGMENT_B"));
  }

  /** All nodes of the topology that a run needs a process for. */
  List<String> nodes() {
    List<String> all = new java.util.ArrayList<>(gateways);
    all.addAll(hosts);
    if (!all.contains(client)) {
      all.add(client);
    }
    return all;
  }

  /** Index of the host the VM is on after a number of moves: there and back along the chain. */
  int hostAfter(int moves) {
    int last = hosts.size() - 1;
    int round = moves % (2 * last);
    return round <= last ? round : 2 * last - round;
  }
}
