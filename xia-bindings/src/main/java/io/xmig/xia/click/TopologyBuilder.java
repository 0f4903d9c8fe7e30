package io.xmig.xia.click;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.click.ClickScope.Declaration;
import io.xmig.xia.click.Topology.Control;
import io.xmig.xia.click.Topology.HandlerWrite;
import io.xmig.xia.click.Topology.Kind;
import io.xmig.xia.click.Topology.Node;
import io.xmig.xia.click.Topology.Port;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the elements of a configuration as nodes and lets {@link TopologyWiring} join them. */
final class TopologyBuilder {
  private final ClickSource source;
  private final ClickGraph graph;
  private final Map<String, Xid> names = new HashMap<>(ClickNames.XIDS);
  private final Map<String, Node> nodes = new LinkedHashMap<>();
  private final List<Control> controls = new ArrayList<>();
  private final List<HandlerWrite> writes = new ArrayList<>();

  TopologyBuilder(ClickSource source, ClickScope scope) {
    this.source = source;
    this.graph = ClickGraph.expand(scope);
  }

  Topology build() {
    for (Declaration element : graph.elements.values()) {
      if (!ClickClasses.OURS.contains(element.className())) {
        throw element.error(
            "element class '"
                + element.className()
                + "' cannot be used here; "
                + ClickClasses.unknown(element.className()));
      }
      if (element.className().equals("XIAXIDInfo")) {
        element.arguments().forEach(this::name);
      }
    }
    for (Declaration element : graph.elements.values()) {
      switch (element.className()) {
        case "XIAEndHost" -> host(element);
        case "XIARouter2Port" -> router(element, Kind.ROUTER2);
        case "XIARouter4Port" -> router(element, Kind.ROUTER4);
        case "XIADualRouter4Port" -> dualRouter(element);
        case "ControlSocket" -> control(element);
        case "Script" -> element.arguments().forEach(this::script);
        default -> {} // wiring, or XIAXIDInfo
      }
    }
    TopologyWiring wiring = new TopologyWiring(graph, nodes);
    wiring.join();
    return new Topology(
        source.name(),
        List.copyOf(nodes.values()),
        wiring.switches(),
        wiring.links,
        wiring.attachments,
        controls,
        writes,
        nameServer(),
        names);
  }

  private @Nullable String nameServer() {
    String found = null;
    for (ClickLexer.Token hint : ClickLexer.nameServerHints(source)) {
      if (!nodes.containsKey(hint.text())) {
        throw source.error(
            "the name server is to run on '" + hint.text() + "', which is no node of this file",
            hint.offset());
      }
      if (found != null && !found.equals(hint.text())) {
        throw source.error(
            "a second node for the name server, after '" + found + "'", hint.offset());
      }
      found = hint.text();
    }
    return found;
  }

  private void name(ClickArgument argument) {
    List<String> words = argument.words();
    if (words.size() != 2) {
      throw argument.error("expected NAME TYPE:hex");
    }
    int at = argument.text().indexOf(words.get(1), words.get(0).length());
    ClickArgument xid =
        new ClickArgument(words.get(1), argument.source(), argument.offset() + Math.max(at, 0));
    try {
      names.put(words.get(0), Xid.parse(xid.text()));
    } catch (DagParseException e) {
      throw argument
          .source()
          .error("'" + xid.text() + "' is not an XID", xid.offset() + e.column());
    }
  }

  private void host(Declaration element) {
    List<ClickArgument> a = arguments(element, "addr, HID, API port, enable_local_cache, mac", 5);
    Dag address = ClickValues.address(a.get(0), names);
    add(
        new Node(
            element.name(),
            Kind.HOST,
            address,
            address.first(XidType.AD),
            ClickValues.xid(a.get(1), XidType.HID, names),
            Xid.NULL_4ID,
            apiPort(a.get(2)),
            ClickValues.flag(a.get(3), "enable_local_cache"),
            List.of(new Port(ClickValues.mac(a.get(4)), null))));
  }

  private void router(Declaration element, Kind kind) {
    List<ClickArgument> a =
        arguments(
            element,
            "addr, AD, HID, external IP, API port, "
                + (kind == Kind.ROUTER2 ? "mac0, mac1" : "mac0, mac1, mac2, mac3"),
            5 + kind.ports());
    List<Port> ports = new ArrayList<>();
    for (ClickArgument mac : a.subList(5, a.size())) {
      ports.add(new Port(ClickValues.mac(mac), null));
    }
    add(router(element, kind, a, ports));
  }

  private void dualRouter(Declaration element) {
    List<ClickArgument> a =
        arguments(
            element,
            "addr, AD, HID, external IP, API port, then for each of 4 ports ip_active, IP, mac",
            17);
    List<Port> ports = new ArrayList<>();
    for (int i = 5; i < 17; i += 3) {
      boolean isIp = ClickValues.flag(a.get(i), "ip_active");
      Xid fourId = ClickValues.fourId(a.get(i + 1), names);
      ports.add(new Port(ClickValues.mac(a.get(i + 2)), isIp ? fourId : null));
    }
    add(router(element, Kind.DUAL4, a, ports));
  }

  private Node router(Declaration element, Kind kind, List<ClickArgument> a, List<Port> ports) {
    return new Node(
        element.name(),
        kind,
        ClickValues.address(a.get(0), names),
        ClickValues.xid(a.get(1), XidType.AD, names),
        ClickValues.xid(a.get(2), XidType.HID, names),
        ClickValues.fourId(a.get(3), names),
        apiPort(a.get(4)),
        true,
        ports);
  }

  private static int apiPort(ClickArgument argument) {
    return ClickValues.integer(argument, "the API port", 0, 65_535);
  }

  private void add(Node node) {
    nodes.put(node.name(), node);
  }

  private static List<ClickArgument> arguments(Declaration element, String what, int count) {
    List<ClickArgument> arguments = element.arguments();
    if (arguments.size() != count) {
      throw element.error(
          element.className()
              + " takes "
              + count
              + " arguments ("
              + what
              + "), found "
              + arguments.size());
    }
    return arguments;
  }

  private void control(Declaration element) {
    List<ClickArgument> a = element.arguments();
    if (a.size() < 2) {
      throw element.error("ControlSocket takes a type and a port or path");
    }
    String type = a.get(0).unquoted().toLowerCase(Locale.ROOT);
    switch (type) {
      case "tcp" -> ClickValues.integer(a.get(1), "the port of a ControlSocket", 0, 65_535);
      case "unix" -> {}
      default -> throw a.get(0).error("a ControlSocket is of type tcp or unix, not '" + type + "'");
    }
    controls.add(new Control(type, a.get(1).unquoted()));
  }

  private void script(ClickArgument argument) {
    String[] words = argument.text().split("\\s+", 3);
    if (words.length < 2 || !words[0].equals("write")) {
      throw argument.error("of Script only 'write handler value' is read, not '" + words[0] + "'");
    }
    writes.add(new HandlerWrite(words[1], words.length > 2 ? words[2] : ""));
  }
}
