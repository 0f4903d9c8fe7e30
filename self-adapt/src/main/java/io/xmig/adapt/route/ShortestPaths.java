package io.xmig.adapt.route;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.wire.RoutingMessage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Routes to the domains from what the routers say of their links; every link costs one. */
final class ShortestPaths {
  private ShortestPaths() {}

  /**
   * Breadth first from a router; the first hop of each shortest path becomes the route. A link that
   * only one of its ends names is not there, or not any more.
   *
   * @param here the router
   * @param neighbours those on its links
   * @param lsas the newest of a router by its HID, {@code null} if it has sent none
   * @return routes by the domains that they lead to, without the router's own
   */
  static Map<Xid, RouteEntry> from(
      LocalAddress here,
      Collection<Adjacencies.Neighbour> neighbours,
      Function<Xid, RoutingMessage.@Nullable Lsa> lsas) {
    Map<Xid, Adjacencies.Neighbour> firstHop = new HashMap<>();
    Map<Xid, RouteEntry> routes = new TreeMap<>();
    List<Xid> queue = new ArrayList<>();
    Set<Xid> seen = new HashSet<>();
    seen.add(here.hid());
    for (Adjacencies.Neighbour n : neighbours) {
      seen.add(n.hid());
      firstHop.put(n.hid(), n);
      queue.add(n.hid());
      put(routes, n.ad(), n, here.ad());
    }
    for (int i = 0; i < queue.size(); i++) {
      Xid router = queue.get(i);
      RoutingMessage.Lsa lsa = lsas.apply(router);
      Adjacencies.Neighbour via = firstHop.get(router);
      if (lsa == null || via == null) {
        continue;
      }
      for (RoutingMessage.Neighbour next : lsa.neighbours()) {
        RoutingMessage.Lsa there = lsas.apply(next.hid());
        if (there != null && names(there, router) && seen.add(next.hid())) {
          firstHop.put(next.hid(), via);
          queue.add(next.hid());
          put(routes, there.ad(), via, here.ad());
        }
      }
    }
    return routes;
  }

  private static boolean names(RoutingMessage.Lsa lsa, Xid router) {
    return lsa.neighbours().stream().anyMatch(n -> n.hid().equals(router));
  }

  private static void put(
      Map<Xid, RouteEntry> routes, Xid ad, Adjacencies.Neighbour via, Xid ownAd) {
    if (!ad.equals(ownAd)) {
      routes.putIfAbsent(ad, new RouteEntry(ad, via.port(), via.hid(), RouteEntry.FLAGS_ROUTED));
    }
  }
}
