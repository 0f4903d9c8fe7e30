package io.xmig.xia.click;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a Click file with the prototype's compound elements describes: nodes, Ethernet switches, and
 * how their ports are joined to each other and to the world outside.
 *
 * <p>Every port of a node is either an end of a {@link Link}, or has an {@link Attachment}, or is
 * left alone ({@code Idle} and {@code Discard}).
 *
 * @param file the file as it was named
 * @param nodes in the order of the file
 * @param switches in the order of the file
 * @param links joints between ports of this topology
 * @param attachments joints to the world outside
 * @param controls where Click's ControlSocket listens
 * @param writes handler calls that the file's {@code Script}s make at the start
 * @param nameServer name of the node of the comment {@code // host0 :: nameserver}, if there is one
 * @param names the XIDs of {@code XIAXIDInfo}, built-in ones included
 * @source XIA prototype v1.1, docs/click.md
 */
public record Topology(
    String file,
    List<Node> nodes,
    List<Switch> switches,
    List<Link> links,
    List<Attachment> attachments,
    List<Control> controls,
    List<HandlerWrite> writes,
    @Nullable String nameServer,
    Map<String, Xid> names) {

  public Topology {
    nodes = List.copyOf(nodes);
    switches = List.copyOf(switches);
    links = List.copyOf(links);
    attachments = List.copyOf(attachments);
    controls = List.copyOf(controls);
    writes = List.copyOf(writes);
    names = Map.copyOf(names);
  }

  /** The compound elements of the prototype. */
  public enum Kind {
    /** {@code XIAEndHost}, one port. */
    HOST(1),
    /** {@code XIARouter2Port}. */
    ROUTER2(2),
    /** {@code XIARouter4Port}. */
    ROUTER4(4),
    /** {@code XIADualRouter4Port}: ports may carry XIP in UDP in IPv4. */
    DUAL4(4);

    private final int ports;

    Kind(int ports) {
      this.ports = ports;
    }

    /** Number of ports. */
    public int ports() {
      return ports;
    }

    /** Whether it forwards packets of others. */
    public boolean isRouter() {
      return this != HOST;
    }
  }

  /**
   * A node.
   *
   * @param name its element's name, by which handlers are reached
   * @param address its address at the start, e.g. {@code RE AD0 HID0}
   * @param ad its administrative domain: the argument of a router, the AD in a host's address, or
   *     {@code null} if a host's address has none
   * @param hid its HID
   * @param fourId its 4ID, {@link Xid#NULL_4ID} if it has none
   * @param apiPort UDP port of the prototype's API
   * @param cache the argument {@code enable_local_cache} of a host (which the prototype ignores);
   *     true for routers
   * @param ports its ports in order
   */
  public record Node(
      String name,
      Kind kind,
      Dag address,
      @Nullable Xid ad,
      Xid hid,
      Xid fourId,
      int apiPort,
      boolean cache,
      List<Port> ports) {
    public Node {
      ports = List.copyOf(ports);
    }
  }

  /**
   * A port of a node.
   *
   * @param mac its Ethernet address
   * @param fourId of a port that carries IPv4 packets its 4ID, else {@code null}
   */
  public record Port(long mac, @Nullable Xid fourId) {}

  /**
   * {@code EtherSwitch}: a learning Ethernet switch.
   *
   * @param ports one more than the highest port that the file connects
   */
  public record Switch(String name, int ports) {}

  /** A port of a node or switch. */
  public record End(String element, int port) {
    @Override
    public String toString() {
      return element + "[" + port + "]";
    }
  }

  /**
   * What a way does to frames: {@code LinkUnqueue}, {@code Queue} and {@code RandomSample} on it.
   *
   * @param latencyNs delay of each frame, besides the time that its bytes take
   * @param bytesPerSecond rate, 0 for as fast as can be
   * @param loss probability that a frame is lost
   * @param queuePackets frames that may wait, 0 if the file does not say
   */
  public record Shape(long latencyNs, long bytesPerSecond, double loss, int queuePackets) {
    /** Does nothing. */
    public static final Shape NONE = new Shape(0, 0, 0, 0);

    /** Both, one after the other. */
    Shape then(Shape next) {
      return new Shape(
          latencyNs + next.latencyNs,
          bytesPerSecond == 0 || next.bytesPerSecond == 0
              ? Math.max(bytesPerSecond, next.bytesPerSecond)
              : Math.min(bytesPerSecond, next.bytesPerSecond),
          1 - (1 - loss) * (1 - next.loss),
          Math.max(queuePackets, next.queuePackets));
    }
  }

  /** A joint between two ports, with what happens on the way there and back. */
  public record Link(End a, End b, Shape aToB, Shape bToA) {}

  /** A joint between a port and the world outside. */
  public record Attachment(End at, Outside outside, Shape out, Shape in) {}

  /** What a port can be attached to. */
  public sealed interface Outside {
    /** Frames in UDP datagrams: {@code Socket("UDP", …)} on both sides of the port. */
    record Udp(String bindHost, int bindPort, String peerHost, int peerPort) implements Outside {}

    /** A network interface: {@code FromDevice} and {@code ToDevice}. */
    record Device(String name) implements Outside {}

    /** IPv4 packets of a UDP port, captured and sent raw: {@code RawSocket(UDP, port)}. */
    record RawUdp(int port) implements Outside {}
  }

  /**
   * {@code ControlSocket(type, place)}.
   *
   * @param type {@code tcp} or {@code unix}
   * @param place a port or a path
   */
  public record Control(String type, String place) {}

  /** {@code Script(write handler value)}. */
  public record HandlerWrite(String handler, String value) {}

  /**
   * Reads a file; libraries it requires are looked for beside it, the prototype's own are built in.
   *
   * @throws ClickParseException with file, line and column
   * @throws io.xmig.xia.XiaException if the file cannot be read
   */
  public static Topology load(Path file) {
    Path directory = file.toAbsolutePath().normalize().getParent();
    ClickSource source = ClickFiles.read(file);
    return new TopologyBuilder(source, new ClickFiles(directory).parse(source)).build();
  }

  /**
   * Reads a text; only built-in libraries can be required.
   *
   * @param name what messages call it
   * @throws ClickParseException with name, line and column
   */
  public static Topology parse(String name, String text) {
    ClickSource source = new ClickSource(name, text);
    return new TopologyBuilder(source, new ClickFiles(null).parse(source)).build();
  }

  /**
   * The node of a name.
   *
   * @throws IllegalArgumentException naming those there are
   */
  public Node node(String name) {
    return nodes.stream()
        .filter(n -> n.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no node '"
                        + name
                        + "' in "
                        + file
                        + ", only "
                        + nodes.stream().map(Node::name).toList()));
  }
}
