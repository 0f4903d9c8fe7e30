package io.xmig.xia.click;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.Topology.End;
import io.xmig.xia.click.Topology.Kind;
import io.xmig.xia.click.Topology.Link;
import io.xmig.xia.click.Topology.Node;
import io.xmig.xia.click.Topology.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;

/**
 * One topology in two files: some of its nodes for the Click of the prototype, the rest for nodes
 * of ours. A link between the two becomes a pair of UDP sockets that carry a frame per datagram,
 * which both know; its shape stays on our side. Links between two nodes in Click keep their {@code
 * LinkUnqueue} there. What the file attaches to the world outside is left out.
 *
 * <p>The file for Click has nothing but what release 1.1 has: the compound elements with their
 * arguments in order, XIDs written out, {@code Socket}, {@code LinkUnqueue}, {@code Queue}, {@code
 * RandomSample}, {@code Idle}, {@code Discard}, {@code ControlSocket}, and every port connected.
 *
 * @param forClick the configuration for Click
 * @param forNodes the topology for our nodes
 * @param control TCP port of Click's ControlSocket
 * @param apiPorts UDP ports on which Click serves programs, by node
 * @source XIA prototype v1.1, docs/click.md sections 1 to 3
 */
public record ClickSplit(
    String forClick, String forNodes, int control, Map<String, Integer> apiPorts) {
  /** What Click's UDP sockets read of a datagram unless told otherwise. */
  private static final int SNAPLEN = 2048;

  private static final int ETHERNET_HEADER = 14;

  /** The most a {@code LinkUnqueue} can say, for links without a rate. */
  private static final long FASTEST = 4_000_000_000L;

  private static final String HEAD =
      """
      require(library xia_router_lib.click);
      require(library xia_address.click);

      """;

  public ClickSplit {
    apiPorts = Map.copyOf(apiPorts);
  }

  /**
   * Splits a topology.
   *
   * @param inClick names of the nodes for Click
   * @param mtu of the links, which Click's sockets must not cut
   * @param udpPorts gives UDP ports that are free on this host
   * @param control TCP port for Click's ControlSocket
   * @throws IllegalArgumentException for a name that is no node, or a link that cannot be cut
   */
  public static ClickSplit of(
      Topology topology, Set<String> inClick, int mtu, IntSupplier udpPorts, int control) {
    inClick.forEach(topology::node);
    return new Writer(topology, inClick, mtu, udpPorts).write(control);
  }

  private static final class Writer {
    private final Topology topology;
    private final Set<String> inClick;
    private final int mtu;
    private final IntSupplier udpPorts;
    private final StringBuilder click = new StringBuilder(HEAD);
    private final StringBuilder nodes = new StringBuilder(HEAD);
    private final Map<String, Integer> apiPorts = new HashMap<>();
    private final Set<End> joined = new HashSet<>();

    Writer(Topology topology, Set<String> inClick, int mtu, IntSupplier udpPorts) {
      this.topology = topology;
      this.inClick = inClick;
      this.mtu = mtu;
      this.udpPorts = udpPorts;
    }

    ClickSplit write(int control) {
      click.insert(0, "// " + inClick + " of " + topology.file() + ", for Click\n\n");
      nodes.insert(0, "// " + topology.file() + " without " + inClick + "\n\n");
      for (Node node : topology.nodes()) {
        boolean here = inClick.contains(node.name());
        int apiPort = here ? udpPorts.getAsInt() : node.apiPort();
        if (here) {
          apiPorts.put(node.name(), apiPort);
        }
        (here ? click : nodes).append(declaration(node, apiPort));
      }
      for (Topology.Switch lan : topology.switches()) {
        nodes.append(lan.name()).append(" :: EtherSwitch;\n");
      }
      if (topology.nameServer() != null && !inClick.contains(topology.nameServer())) {
        nodes.append("// ").append(topology.nameServer()).append(" :: nameserver\n");
      }
      click.append('\n');
      nodes.append('\n');
      topology.links().forEach(this::link);
      for (Node node : topology.nodes()) {
        for (int port = 0; port < node.ports().size(); port++) {
          unused(node, new End(node.name(), port));
        }
      }
      click.append("\nControlSocket(tcp, ").append(control).append(");\n");
      return new ClickSplit(click.toString(), nodes.toString(), control, apiPorts);
    }

    private void unused(Node node, End end) {
      if (!joined.contains(end)) {
        (inClick.contains(node.name()) ? click : nodes)
            .append(String.format("Idle -> %s -> Discard;%n", both(end)));
      }
    }

    private void link(Link link) {
      boolean a = inClick.contains(link.a().element());
      boolean b = inClick.contains(link.b().element());
      joined.add(link.a());
      joined.add(link.b());
      if (a && b) {
        shaped(click, link);
      } else if (a) {
        cut(link.a(), link.b(), link.bToA(), link.aToB());
      } else if (b) {
        cut(link.b(), link.a(), link.aToB(), link.bToA());
      } else {
        shaped(nodes, link);
      }
    }

    /** A link within one of the two. */
    private void shaped(StringBuilder out, Link link) {
      out.append(way(out(link.a()), link.aToB(), in(link.b()), isSwitch(link.a())));
      out.append(way(out(link.b()), link.bToA(), in(link.a()), isSwitch(link.b())));
    }

    private void cut(End clicks, End ours, Shape toClick, Shape toUs) {
      int clickPort = udpPorts.getAsInt();
      int ourPort = udpPorts.getAsInt();
      click.append(
          String.format("%s -> %s -> %s;%n", socket(clickPort), both(clicks), socket(ourPort)));
      nodes.append(way(socket(ourPort), toUs, in(ours), true));
      nodes.append(way(out(ours), toClick, socket(clickPort), isSwitch(ours)));
    }

    private String socket(int port) {
      int frame = mtu + ETHERNET_HEADER;
      String length = frame > SNAPLEN ? ", SNAPLEN " + frame : "";
      return "Socket(\"UDP\", 127.0.0.1, " + port + length + ")";
    }

    private boolean isSwitch(End end) {
      return topology.switches().stream().anyMatch(s -> s.name().equals(end.element()));
    }

    /**
     * Frames leave a node when they are fetched, and a switch or socket whenever they come: the
     * latter takes a queue before whatever fetches, and the former something that fetches.
     */
    private static String way(String from, Shape shape, String to, boolean pushes) {
      List<String> words = new ArrayList<>();
      words.add(from);
      boolean delayed = shape.latencyNs() > 0 || shape.bytesPerSecond() > 0;
      if (pushes && delayed || shape.queuePackets() > 0) {
        words.add("Queue(" + (shape.queuePackets() > 0 ? shape.queuePackets() : 1000) + ")");
      }
      if (delayed) {
        long rate = shape.bytesPerSecond() == 0 ? FASTEST : shape.bytesPerSecond();
        words.add(
            String.format(
                Locale.ROOT,
                "LinkUnqueue(%.9f, %d)",
                shape.latencyNs() / 1e9,
                Math.min(rate, FASTEST)));
      } else if (!pushes || shape.queuePackets() > 0) {
        words.add("Unqueue");
      }
      if (shape.loss() > 0) {
        words.add(String.format(Locale.ROOT, "RandomSample(DROP %.6f)", shape.loss()));
      }
      words.add(to);
      return String.join(" -> ", words) + ";\n";
    }

    private static String in(End end) {
      return "[" + end.port() + "]" + end.element();
    }

    private static String out(End end) {
      return end.element() + "[" + end.port() + "]";
    }

    private static String both(End end) {
      return "[" + end.port() + "]" + end.element() + "[" + end.port() + "]";
    }

    private static String declaration(Node node, int apiPort) {
      List<String> arguments = new ArrayList<>();
      arguments.add(node.address().toString());
      if (node.kind() != Kind.HOST) {
        arguments.add(String.valueOf(node.ad()));
      }
      arguments.add(node.hid().toString());
      if (node.kind() != Kind.HOST) {
        arguments.add(dotted(node.fourId()));
      }
      arguments.add(Integer.toString(apiPort));
      if (node.kind() == Kind.HOST) {
        arguments.add(node.cache() ? "1" : "0");
      }
      for (Topology.Port port : node.ports()) {
        if (node.kind() == Kind.DUAL4) {
          Xid four = port.fourId();
          arguments.add(four == null ? "0" : "1");
          arguments.add(four == null ? "0.0.0.0" : dotted(four));
        }
        arguments.add(mac(port.mac()));
      }
      return node.name()
          + " :: "
          + className(node.kind())
          + "("
          + String.join(", ", arguments)
          + ");\n";
    }

    private static String className(Kind kind) {
      return switch (kind) {
        case HOST -> "XIAEndHost";
        case ROUTER2 -> "XIARouter2Port";
        case ROUTER4 -> "XIARouter4Port";
        case DUAL4 -> "XIADualRouter4Port";
      };
    }

    /** The IPv4 address in the last bytes of a 4ID. */
    private static String dotted(Xid fourId) {
      String hex = fourId.idHex();
      List<String> parts = new ArrayList<>();
      for (int at = hex.length() - 8; at < hex.length(); at += 2) {
        parts.add(Integer.toString(Integer.parseInt(hex.substring(at, at + 2), 16)));
      }
      return String.join(".", parts);
    }

    private static String mac(long mac) {
      List<String> parts = new ArrayList<>();
      for (int shift = 40; shift >= 0; shift -= 8) {
        parts.add(String.format("%02x", mac >>> shift & 0xff));
      }
      return String.join(":", parts);
    }
  }
}
