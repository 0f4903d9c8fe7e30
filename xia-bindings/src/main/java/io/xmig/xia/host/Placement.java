package io.xmig.xia.host;

import io.xmig.xia.click.Topology;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which elements of a topology run in this process. Every process that runs a part of the same file
 * comes to the same answer about switches: a switch goes with the node that leads to its lowest
 * connected port.
 */
final class Placement {
  private final Set<String> here = new HashSet<>();
  private final Map<String, String> homes = new HashMap<>();

  /**
   * @throws IllegalArgumentException if {@code only} names something that is not in the file
   */
  Placement(Topology topology, Set<String> only) {
    Set<String> nodes = new TreeSet<>();
    topology.nodes().forEach(node -> nodes.add(node.name()));
    for (String name : only) {
      if (!nodes.contains(name)) {
        throw new IllegalArgumentException(
            "no node '" + name + "' in " + topology.file() + ", there are " + nodes);
      }
    }
    nodes.stream().filter(name -> only.isEmpty() || only.contains(name)).forEach(here::add);
    for (Topology.Switch lan : topology.switches()) {
      String home = home(topology, lan.name(), new HashSet<>());
      homes.put(lan.name(), home);
      if (only.isEmpty() || here.contains(home)) {
        here.add(lan.name());
      }
    }
  }

  private static String home(Topology topology, String lan, Set<String> visited) {
    visited.add(lan);
    int lowest = Integer.MAX_VALUE;
    String home = "";
    for (Topology.Link link : topology.links()) {
      for (int side = 0; side < 2; side++) {
        Topology.End mine = side == 0 ? link.a() : link.b();
        Topology.End other = side == 0 ? link.b() : link.a();
        if (mine.element().equals(lan) && mine.port() < lowest) {
          String found = other.element();
          if (isSwitch(topology, found)) {
            found = visited.contains(found) ? "" : home(topology, found, visited);
          }
          if (!found.isEmpty()) {
            lowest = mine.port();
            home = found;
          }
        }
      }
    }
    return home;
  }

  private static boolean isSwitch(Topology topology, String name) {
    return topology.switches().stream().anyMatch(lan -> lan.name().equals(name));
  }

  /** Whether a node or switch runs in this process. */
  boolean isHere(String element) {
    return here.contains(element);
  }

  /** The node with which a switch goes, empty if none leads to it. */
  String homeOf(String lan) {
    return homes.getOrDefault(lan, "");
  }
}
