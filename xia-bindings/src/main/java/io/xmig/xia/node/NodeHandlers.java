package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.click.HandlerException;
import io.xmig.xia.click.HandlerRegistry;
import io.xmig.xia.click.RouteTableHandlers;
import io.xmig.xia.wire.EthernetFlyweight;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A node's handlers under the names they have in the prototype, to be mounted in a process's tree
 * under the node's name.
 *
 * <pre>
 *  xrc                      counters, drops, redirects (ours)
 *  xrc/xtransport           local_addr
 *  xrc/cache                local_addr, stats and flows (ours)
 *  xrc/n/proc/rt_AD …       routing tables; rt_HID also learn (ours)
 *  xlc or xlc0, xlc1 …      line cards: xlc/xarpq, xlc/xarpr
 * </pre>
 *
 * @threading on the node's loop
 * @source XIA prototype v1.1, docs/click.md
 */
public final class NodeHandlers {
  private NodeHandlers() {}

  /**
   * The handlers of a node.
   *
   * @param names what the Click file's XIAXIDInfo calls an XID, {@code null} for other words
   */
  public static HandlerRegistry of(XiaNode node, Function<String, @Nullable Xid> names) {
    HandlerRegistry tree = new HandlerRegistry();
    String address = "RE " + node.config().address().ad() + " " + node.config().address().hid();
    tree.element("xrc", "XIARoutingCore", address)
        .read("counters", () -> node.counters().toString())
        .read("drops", () -> Long.toString(node.counters().drops()))
        .readWrite(
            "redirects",
            () -> node.acceptsRedirects() ? "1" : "0",
            text -> node.acceptRedirects(flag(text)));
    for (XidType type : XidType.values()) {
      HandlerRegistry.Element element =
          tree.element(
              "xrc/n/proc/rt_" + type,
              RouteTableHandlers.CLASS_NAME,
              address + ", " + node.config().ports().size());
      RouteTableHandlers.register(element, new Routes(node.routes(type)), names);
      if (type == XidType.HID) {
        element.readWrite(
            "learn",
            () -> node.learnsFromBroadcast() ? "1" : "0",
            text -> node.learnFromBroadcast(flag(text)));
      }
    }
    tree.element("xrc/xtransport", "XTRANSPORT", address)
        .readWrite(
            "local_addr",
            () -> node.localAddress().host().toString(),
            text -> moveTo(node, text, names))
        .read("stats", () -> node.streams().counters().toString());
    tree.element("xrc/cache", "XIACache", address)
        .readWrite(
            "local_addr",
            () -> node.localAddress().host().toString(),
            // The cache answers with the node's own address, so there is nothing to set.
            text -> parse(text, names))
        .read("stats", () -> lines(node.chunks().snapshot()))
        .read("flows", () -> node.chunks().flows());
    boolean host = node.config().role() == NodeConfig.Role.HOST;
    for (int i = 0; i < node.config().ports().size(); i++) {
      lineCard(tree, host && i == 0 ? "xlc" : "xlc" + i, node.port(i), names);
    }
    return tree;
  }

  private static void lineCard(
      HandlerRegistry tree, String name, LinkPort port, Function<String, @Nullable Xid> names) {
    XarpTable xarp = port.xarp;
    String config = xarp.responder().strip();
    tree.element(name, "XIALineCard", config + ", " + port.number);
    tree.element(name + "/xarpq", "XARPQuerier", config)
        .read("table", xarp::table)
        .write("insert", text -> insert(xarp, text, names))
        .write("delete", text -> delete(xarp, text, names))
        .write("clear", text -> xarp.clear())
        .read("stats", () -> stats(xarp))
        .read("count", () -> Integer.toString(xarp.count()))
        .read("length", () -> Integer.toString(xarp.length()))
        .read("queries", () -> Long.toString(xarp.queries()))
        .read("responses", () -> Long.toString(xarp.replies()))
        .read("drops", () -> Long.toString(xarp.drops()));
    tree.element(name + "/xarpr", "XARPResponder", config)
        .read("table", xarp::responder)
        .write("add", text -> answerFor(port, text, names))
        .write("remove", text -> answerNoLonger(port, text, names))
        .readWithArguments("lookup", text -> lookup(xarp, text, names));
  }

  private static long mac(String text) {
    long mac;
    try {
      mac = EthernetFlyweight.parseMac(text.strip());
    } catch (IllegalArgumentException e) {
      throw new HandlerException("bad Ethernet address");
    }
    if (mac == 0 || EthernetFlyweight.isGroup(mac)) {
      throw new HandlerException("not the address of one station");
    }
    return mac;
  }

  private static boolean flag(String text) {
    return switch (text.strip()) {
      case "1", "true" -> true;
      case "0", "false" -> false;
      default -> throw new HandlerException("expected 0 or 1");
    };
  }

  /**
   * {@code XID ETH}: answers for another host. Packets in frames to that address are taken, and
   * their destination is looked at from its beginning, since their sender is elsewhere than it
   * believes.
   */
  private static void answerFor(LinkPort port, String text, Function<String, @Nullable Xid> names) {
    String[] words = text.strip().split("\\s+");
    if (words.length != 2) {
      throw new HandlerException("expected XID ETH");
    }
    long mac = mac(words[1]);
    Xid xid = xid(words[0], names);
    if (mac == port.mac || !port.accept(mac) || !port.xarp.answerFor(xid, mac)) {
      throw new HandlerException(
          "answering for too many hosts already, or with the port's own address");
    }
  }

  private static void answerNoLonger(
      LinkPort port, String text, Function<String, @Nullable Xid> names) {
    Long mac = port.xarp.answerNoLonger(xid(text.strip(), names));
    if (mac != null) {
      port.acceptNoLonger(mac);
    }
  }

  private static String stats(XarpTable xarp) {
    return xarp.drops()
        + " packets killed\n"
        + xarp.queries()
        + " XARP queries sent\n"
        + xarp.replies()
        + " XARP replies received\n";
  }

  private static void insert(XarpTable xarp, String text, Function<String, @Nullable Xid> names) {
    String[] words = text.strip().split("\\s+");
    if (words.length != 2) {
      throw new HandlerException("expected XID ETH");
    }
    try {
      xarp.insert(xid(words[0], names), EthernetFlyweight.parseMac(words[1]));
    } catch (IllegalArgumentException e) {
      throw new HandlerException("bad Ethernet address");
    }
  }

  private static void delete(XarpTable xarp, String text, Function<String, @Nullable Xid> names) {
    xarp.delete(xid(text.strip(), names));
  }

  private static String lookup(XarpTable xarp, String text, Function<String, @Nullable Xid> names) {
    Long mac = xarp.answer(xid(text.strip(), names));
    return mac == null ? "" : EthernetFlyweight.formatMac(mac);
  }

  private static Xid xid(String text, Function<String, @Nullable Xid> names) {
    Xid named = names.apply(text);
    try {
      return named != null ? named : Xid.parseLenient(text);
    } catch (DagParseException e) {
      throw new HandlerException("invalid XID: ");
    }
  }

  private static Dag parse(String text, Function<String, @Nullable Xid> names) {
    try {
      return Dag.parse(text, names);
    } catch (DagParseException e) {
      throw new HandlerException(e.getMessage());
    }
  }

  private static void moveTo(XiaNode node, String text, Function<String, @Nullable Xid> names) {
    Dag dag = parse(text, names);
    Xid ad = dag.first(XidType.AD);
    Xid hid = dag.host();
    if (ad == null || (hid != null && !hid.equals(node.localAddress().hid()))) {
      throw new HandlerException(
          "expected an AD and this node's own HID " + node.localAddress().hid());
    }
    node.moveTo(ad, dag.first(XidType.IP));
  }

  private static String lines(Map<String, Long> values) {
    StringBuilder text = new StringBuilder();
    values.forEach((name, value) -> text.append(name).append(' ').append(value).append('\n'));
    return text.toString();
  }

  /** A routing table as its handlers see it. */
  private record Routes(RouteTable table) implements RouteTableHandlers.Routes {
    @Override
    public boolean contains(Xid xid) {
      return table.find(xid) != null;
    }

    @Override
    public int defaultPort() {
      return table.defaultRoute().port();
    }

    @Override
    public void set(@Nullable Xid xid, int port, @Nullable Xid nextHop, int flags) {
      if (xid == null) {
        table.setDefault(port, nextHop, flags);
      } else {
        table.set(xid, port, nextHop, flags);
      }
    }

    @Override
    public void remove(Xid xid) {
      table.remove(xid);
    }

    @Override
    public String list() {
      return table.list();
    }

    @Override
    public boolean enabled() {
      return table.enabled();
    }

    @Override
    public void enabled(boolean on) {
      table.enabled(on);
    }
  }
}
