package io.xmig.xia.click;

import io.xmig.xia.click.ClickScope.Connection;
import io.xmig.xia.click.ClickScope.Declaration;
import io.xmig.xia.click.Topology.Attachment;
import io.xmig.xia.click.Topology.End;
import io.xmig.xia.click.Topology.Link;
import io.xmig.xia.click.Topology.Node;
import io.xmig.xia.click.Topology.Outside;
import io.xmig.xia.click.Topology.Shape;
import io.xmig.xia.click.Topology.Switch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Follows the connections of a configuration from everything that emits frames to everything that
 * takes them, and pairs the two directions.
 */
final class TopologyWiring {
  /** A way for frames: from an emitter to a taker, and what happens between. */
  private record Way(
      ClickScope.End from, ClickScope.End to, Shape shape, ClickSource source, int offset) {}

  private final ClickGraph graph;
  private final Map<String, Node> nodes;
  private final Map<ClickScope.End, Connection> leaving = new HashMap<>();
  private final Map<ClickScope.End, Way> out = new LinkedHashMap<>();
  private final Map<ClickScope.End, Way> in = new HashMap<>();
  private final Map<String, Integer> switchPorts = new LinkedHashMap<>();

  final List<Link> links = new ArrayList<>();
  final List<Attachment> attachments = new ArrayList<>();

  TopologyWiring(ClickGraph graph, Map<String, Node> nodes) {
    this.graph = graph;
    this.nodes = nodes;
  }

  List<Switch> switches() {
    return switchPorts.entrySet().stream().map(e -> new Switch(e.getKey(), e.getValue())).toList();
  }

  void join() {
    for (Declaration element : graph.elements.values()) {
      if (element.className().equals("EtherSwitch")) {
        switchPorts.put(element.name(), 0);
      }
    }
    for (Connection c : graph.connections) {
      checkPort(c.from(), c, "output");
      checkPort(c.to(), c, "input");
      Connection old = leaving.putIfAbsent(c.from(), c);
      if (old != null) {
        throw c.source()
            .error(
                "output "
                    + shown(c.from())
                    + " is already connected, in line "
                    + old.source().line(old.offset()),
                c.offset());
      }
    }
    for (Connection c : graph.connections) {
      if (emits(c.from().element())) {
        Way way = follow(c);
        out.put(way.from, way);
        Way old = takes(c, way.to) ? in.putIfAbsent(way.to, way) : null;
        if (old != null) {
          throw c.source()
              .error(
                  "input "
                      + shown(way.to)
                      + " is already connected, in line "
                      + old.source.line(old.offset),
                  c.offset());
        }
      }
    }
    Set<ClickScope.End> done = new HashSet<>();
    for (Node node : nodes.values()) {
      for (int port = 0; port < node.ports().size(); port++) {
        pair(new ClickScope.End(node.name(), port), done);
      }
    }
    switchPorts.forEach(
        (name, ports) -> {
          for (int port = 0; port < ports; port++) {
            ClickScope.End end = new ClickScope.End(name, port);
            if (out.containsKey(end) || in.containsKey(end)) {
              pair(end, done);
            }
          }
        });
    checkMacsOnSwitches();
  }

  private void checkPort(ClickScope.End end, Connection c, String side) {
    Declaration element = element(end.element(), c);
    Node node = nodes.get(end.element());
    boolean isSwitch = switchPorts.containsKey(end.element());
    int ports = node != null ? node.ports().size() : isSwitch ? Integer.MAX_VALUE : 1;
    if (end.port() >= ports) {
      throw c.source()
          .error(
              "'"
                  + end.element()
                  + "' ("
                  + element.className()
                  + ") has no "
                  + side
                  + " "
                  + end.port()
                  + ", only "
                  + (ports == 1 ? "0" : "0 to " + (ports - 1)),
              c.offset());
    }
    boolean possible =
        switch (element.className()) {
          case "Idle", "FromDevice" -> side.equals("output");
          case "Discard", "ToDevice" -> side.equals("input");
          case "ControlSocket", "XIAXIDInfo", "Script" -> false;
          default -> true;
        };
    if (!possible) {
      throw c.source()
          .error(
              "'" + end.element() + "' (" + element.className() + ") has no " + side, c.offset());
    }
    if (isSwitch) {
      switchPorts.merge(end.element(), end.port() + 1, Math::max);
    }
  }

  private Declaration element(String name, Connection c) {
    Declaration element = graph.elements.get(name);
    if (element == null) {
      throw c.source().error("no element named '" + name + "'", c.offset());
    }
    return element;
  }

  private boolean isPort(String element) {
    return nodes.containsKey(element) || switchPorts.containsKey(element);
  }

  private boolean emits(String element) {
    return isPort(element)
        || switch (className(element)) {
          case "Socket", "RawSocket", "FromDevice", "Idle" -> true;
          default -> false;
        };
  }

  private boolean takes(Connection c, ClickScope.End end) {
    return isPort(end.element()) && element(end.element(), c) != null;
  }

  private String className(String element) {
    Declaration declared = graph.elements.get(element);
    return declared == null ? "" : declared.className();
  }

  /** Follows a connection through the elements that only shape. */
  private Way follow(Connection start) {
    Shape shape = Shape.NONE;
    ClickScope.End at = start.to();
    Set<String> passed = new HashSet<>();
    while (true) {
      Declaration element = element(at.element(), start);
      Shape own = shapeOf(element);
      if (own == null) {
        return new Way(start.from(), at, shape, start.source(), start.offset());
      }
      shape = shape.then(own);
      Connection next = leaving.get(new ClickScope.End(at.element(), 0));
      if (next == null || !passed.add(at.element())) {
        throw element.error("'" + at.element() + "' (" + element.className() + ") leads nowhere");
      }
      at = next.to();
    }
  }

  /** What an element does to frames that pass it, {@code null} if it takes them. */
  private static @Nullable Shape shapeOf(Declaration element) {
    List<ClickArgument> a = element.arguments();
    switch (element.className()) {
      case "LinkUnqueue" -> {
        if (a.size() < 2) {
          throw element.error("LinkUnqueue takes a latency and a bandwidth");
        }
        double loss = 0;
        for (ClickArgument extra : a.subList(2, a.size())) {
          List<String> words = extra.words();
          if (words.size() != 2 || !words.get(0).equalsIgnoreCase("LOSS")) {
            throw extra.error("expected LOSS probability");
          }
          loss = ClickValues.probability(extra, words.get(1));
        }
        return new Shape(
            ClickValues.durationNs(a.get(0)), ClickValues.bytesPerSecond(a.get(1)), loss, 0);
      }
      case "Queue" -> {
        int capacity = a.isEmpty() ? 1000 : ClickValues.integer(a.get(0), "a queue", 1, 1_000_000);
        return new Shape(0, 0, 0, capacity);
      }
      case "RandomSample" -> {
        if (a.size() != 1) {
          throw element.error("RandomSample takes one probability, as in RandomSample(DROP 0.01)");
        }
        List<String> words = a.get(0).words();
        boolean drop = words.size() == 2 && words.get(0).equalsIgnoreCase("DROP");
        if (!drop && words.size() != 1) {
          throw a.get(0).error("expected DROP probability");
        }
        double p = ClickValues.probability(a.get(0), words.get(words.size() - 1));
        return new Shape(0, 0, drop ? p : 1 - p, 0);
      }
      case "Unqueue" -> {
        return Shape.NONE;
      }
      default -> {
        return null;
      }
    }
  }

  private void pair(ClickScope.End end, Set<ClickScope.End> done) {
    if (!done.add(end)) {
      return;
    }
    Way there = out.get(end);
    Way back = in.get(end);
    if (there == null || back == null) {
      throw unconnected(end, there == null ? "output" : "input");
    }
    String to = there.to.element();
    String from = back.from.element();
    if (isPort(to) && there.to.equals(back.from)) {
      done.add(there.to);
      Way returns = out.get(there.to);
      if (returns == null || !returns.to.equals(end)) {
        throw oneWay(end, there, back);
      }
      links.add(new Link(port(end), port(there.to), there.shape, back.shape));
      return;
    }
    if (className(to).equals("Discard") && className(from).equals("Idle")) {
      return;
    }
    Declaration sink = element(to, graph.connections.get(0));
    Declaration origin = element(from, graph.connections.get(0));
    if (isPort(to) || isPort(from) || !sameKind(sink.className(), origin.className())) {
      throw oneWay(end, there, back);
    }
    attachments.add(new Attachment(port(end), outside(origin, sink), there.shape, back.shape));
  }

  private static boolean sameKind(String sink, String origin) {
    return switch (sink) {
      case "Socket", "RawSocket" -> origin.equals(sink);
      case "ToDevice" -> origin.equals("FromDevice");
      default -> false;
    };
  }

  private ClickParseException unconnected(ClickScope.End end, String side) {
    Declaration element = graph.elements.get(end.element());
    if (element == null) {
      throw new IllegalStateException("no element " + end);
    }
    return element.error(
        side
            + " "
            + shown(end)
            + " is not connected; a port that is not used is written Idle -> ["
            + end.port()
            + "]"
            + end.element()
            + "["
            + end.port()
            + "] -> Discard;");
  }

  private ClickParseException oneWay(ClickScope.End end, Way there, Way back) {
    return there.source.error(
        shown(end)
            + " sends to "
            + shown(there.to)
            + " but receives from "
            + shown(back.from)
            + "; a link leads both ways between the same two",
        there.offset);
  }

  private String shown(ClickScope.End end) {
    return isPort(end.element())
        ? end.element() + "[" + end.port() + "]"
        : "'" + end.element() + "'";
  }

  private static Outside outside(Declaration origin, Declaration sink) {
    switch (sink.className()) {
      case "Socket" -> {
        List<ClickArgument> bind = udp(origin);
        List<ClickArgument> peer = udp(sink);
        return new Outside.Udp(
            bind.get(1).unquoted(),
            ClickValues.integer(bind.get(2), "a UDP port", 0, 65_535),
            peer.get(1).unquoted(),
            ClickValues.integer(peer.get(2), "a UDP port", 1, 65_535));
      }
      case "RawSocket" -> {
        List<ClickArgument> a = origin.arguments();
        if (a.size() < 2 || !a.get(0).unquoted().equalsIgnoreCase("UDP")) {
          throw origin.error("RawSocket takes UDP and a port");
        }
        return new Outside.RawUdp(ClickValues.integer(a.get(1), "a UDP port", 1, 65_535));
      }
      default -> {
        String from = device(origin);
        if (!from.equals(device(sink))) {
          throw sink.error(
              "frames come from device '"
                  + from
                  + "' and go to '"
                  + device(sink)
                  + "'; a port is joined to one device");
        }
        return new Outside.Device(from);
      }
    }
  }

  private static List<ClickArgument> udp(Declaration socket) {
    List<ClickArgument> a = socket.arguments();
    if (a.size() < 3 || !a.get(0).unquoted().equalsIgnoreCase("UDP")) {
      throw socket.error(
          "links between processes are written Socket(\"UDP\", address, port);"
              + " Socket(\"TCP\", …) would not keep frames apart");
    }
    return a;
  }

  private static String device(Declaration element) {
    if (element.arguments().isEmpty() || element.arguments().get(0).unquoted().isEmpty()) {
      throw element.error(element.className() + " takes the name of a network interface");
    }
    return element.arguments().get(0).unquoted();
  }

  private static End port(ClickScope.End end) {
    return new End(end.element(), end.port());
  }

  /** A learning switch cannot tell ports with the same Ethernet address apart. */
  private void checkMacsOnSwitches() {
    Map<String, Map<Long, End>> seen = new HashMap<>();
    for (Link link : links) {
      note(seen, link.a(), link.b());
      note(seen, link.b(), link.a());
    }
  }

  private void note(Map<String, Map<Long, End>> seen, End switchEnd, End nodeEnd) {
    Node node = nodes.get(nodeEnd.element());
    if (!switchPorts.containsKey(switchEnd.element()) || node == null) {
      return;
    }
    long mac = node.ports().get(nodeEnd.port()).mac();
    End old = seen.computeIfAbsent(switchEnd.element(), name -> new HashMap<>()).put(mac, nodeEnd);
    Declaration declared = graph.elements.get(nodeEnd.element());
    if (old != null && declared != null) {
      throw declared.error(
          nodeEnd
              + " and "
              + old
              + " have the same Ethernet address on switch '"
              + switchEnd.element()
              + "'");
    }
  }
}
