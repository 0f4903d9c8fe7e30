package io.xmig.xia.host;

import io.xmig.xia.click.HandlerException;
import io.xmig.xia.click.Topology;
import io.xmig.xia.link.EthernetSwitch;
import io.xmig.xia.link.Link;
import io.xmig.xia.link.LinkOptions;
import io.xmig.xia.link.LinkShape;
import io.xmig.xia.link.MemoryLink;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.PacketLink;
import io.xmig.xia.link.ShapedLink;
import io.xmig.xia.link.UdpLink;
import io.xmig.xia.link.UnixHub;
import io.xmig.xia.link.UnixLink;
import io.xmig.xia.link.posix.NetDevice;
import io.xmig.xia.node.XiaNode;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** Makes the links of a topology and joins nodes and switches to them. */
final class Wiring {
  private static final String PLUG_PREFIX = "plug-";
  private static final String LINK_PREFIX = "link-";
  private static final String SUFFIX = ".sock";

  private final NodeHost host;
  private final NodeLoop loop;
  private final Placement placement;
  private final SplittableRandom random;
  private final LinkOptions sizes;

  Wiring(NodeHost host, Placement placement, SplittableRandom random) {
    this.host = host;
    this.loop = host.loop();
    this.placement = placement;
    this.random = random;
    this.sizes = LinkOptions.ofMtu(host.options().mtu());
  }

  /** Where VMs are plugged into a switch. */
  static Path plug(Path directory, String lan) {
    return directory.resolve(PLUG_PREFIX + lan + SUFFIX);
  }

  void connect() {
    String devices = host.options().devices();
    if (devices != null) {
      host.names().forEach(node -> openPorts(node, devices));
      return;
    }
    for (Topology.Link link : host.topology().links()) {
      connect(link);
    }
    for (Topology.Attachment attachment : host.topology().attachments()) {
      if (placement.isHere(attachment.at().element()) && host.options().attachments()) {
        attach(attachment);
      }
    }
    for (Topology.Switch lan : host.topology().switches()) {
      EthernetSwitch here = host.lan(lan.name());
      if (here != null) {
        openPlug(lan.name(), here);
      }
    }
  }

  /** VMs become ports when they first speak; {@code SWITCH/plug.expect} makes one a port before. */
  private void openPlug(String name, EthernetSwitch lan) {
    Path path = plug(host.options().directory(), name);
    UnixHub hub = new UnixHub(loop, sizes, path, lan::attach, lan::detach);
    loop.own(hub);
    host.tree()
        .element(name + "/plug", "Plug", path.toString())
        .write(
            "expect",
            text -> {
              try {
                hub.expect(Path.of(text.strip()));
              } catch (IllegalArgumentException e) { // an InvalidPathException too
                throw new HandlerException(String.valueOf(e.getMessage()));
              }
            });
  }

  /** Every port that the file joins to something is an interface; shapes are the interface's. */
  private void openPorts(String node, String prefix) {
    List<Topology.Port> ports = host.topology().node(node).ports();
    for (int port = 0; port < ports.size(); port++) {
      Topology.End end = new Topology.End(node, port);
      if (host.topology().links().stream().anyMatch(l -> l.a().equals(end) || l.b().equals(end))) {
        openPort(end, prefix + port, ports.get(port).mac());
      }
    }
  }

  private void openPort(Topology.End end, String device, long mac) {
    // listening to every address costs a bridge, which then hands over what it only forwards
    boolean foreign = NetDevice.named(device).mac() != mac;
    PacketLink link = PacketLink.open(loop, device, foreign);
    join(end, link);
    host.watch(link.device().index(), host.node(end.element()), end.port());
  }

  private void connect(Topology.Link link) {
    boolean a = placement.isHere(link.a().element());
    boolean b = placement.isHere(link.b().element());
    if (a && b) {
      MemoryLink[] ends = MemoryLink.pair(loop, link.a() + "-" + link.b(), sizes);
      join(link.a(), shaped(ends[0], link.aToB()));
      join(link.b(), shaped(ends[1], link.bToA()));
    } else if (a) {
      join(link.a(), shaped(toOtherProcess(link.a(), link.b()), link.aToB()));
    } else if (b) {
      join(link.b(), shaped(toOtherProcess(link.b(), link.a()), link.bToA()));
    }
  }

  private Link toOtherProcess(Topology.End here, Topology.End there) {
    return UnixLink.pair(loop, sizes, socketOf(here), socketOf(there));
  }

  private Path socketOf(Topology.End end) {
    return host.options()
        .directory()
        .resolve(LINK_PREFIX + end.element() + "." + end.port() + SUFFIX);
  }

  private void attach(Topology.Attachment attachment) {
    Topology.Outside outside = attachment.outside();
    if (outside instanceof Topology.Outside.Udp udp) {
      LinkOptions fits = LinkOptions.ofMtu(Math.min(sizes.mtu(), UdpLink.MAX_UDP_MTU));
      Link link =
          UdpLink.open(
              loop,
              attachment.at().toString(),
              fits,
              address(udp.bindHost(), attachment),
              udp.bindPort(),
              address(udp.peerHost(), attachment),
              udp.peerPort());
      join(attachment, link);
    } else if (outside instanceof Topology.Outside.Device device) {
      PacketLink link = PacketLink.open(loop, device.name(), true);
      join(attachment, link);
      if (host.lan(attachment.at().element()) == null) {
        host.watch(
            link.device().index(), host.node(attachment.at().element()), attachment.at().port());
      }
    } else {
      throw new IllegalArgumentException(
          host.topology().file()
              + ": "
              + attachment.at()
              + " is attached to a RawSocket, which this node does not have; use FromDevice and"
              + " ToDevice, or Socket(\"UDP\", …)");
    }
  }

  private static Inet4Address address(String name, Topology.Attachment attachment) {
    try {
      for (InetAddress address : InetAddress.getAllByName(name)) {
        if (address instanceof Inet4Address v4) {
          return v4;
        }
      }
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(
          attachment.at() + ": unknown host '" + name + "' of a UDP socket", e);
    }
    throw new IllegalArgumentException(attachment.at() + ": '" + name + "' has no IPv4 address");
  }

  private void join(Topology.Attachment attachment, Link link) {
    Link out = shaped(link, attachment.out());
    if (attachment.in().equals(Topology.Shape.NONE)) {
      join(attachment.at(), out);
      return;
    }
    ReceiverLink end = new ReceiverLink(link);
    Link in = shaped(end, attachment.in());
    link.receiver(in);
    join(attachment.at(), new TwoWays(out, in));
  }

  /** The shape of the file, or what the options put in its place. */
  private Link shaped(Link link, Topology.Shape inFile) {
    LinkShape shape = shapeOf(inFile, link.mtu());
    return new ShapedLink(loop, link, shape, random.split());
  }

  private LinkShape shapeOf(Topology.Shape inFile, int mtu) {
    boolean shapedInFile =
        inFile.latencyNs() > 0 || inFile.bytesPerSecond() > 0 || inFile.loss() > 0;
    LinkShape instead = host.options().shape();
    if (shapedInFile && instead != null) {
      return instead;
    }
    int frame = mtu + Link.ETHERNET_HEADER_LENGTH;
    long queue = shapedInFile ? (long) inFile.queuePackets() * frame : 0;
    return new LinkShape(
        inFile.bytesPerSecond(),
        inFile.latencyNs(),
        inFile.loss(),
        0,
        0,
        (int) Math.min(16 << 20, queue));
  }

  private void join(Topology.End at, Link link) {
    loop.own(link);
    offerHandlers(at, link);
    EthernetSwitch lan = host.lan(at.element());
    if (lan != null) {
      lan.attach(link);
      return;
    }
    XiaNode node = host.node(at.element());
    int port = at.port();
    node.attach(port, link);
    link.receiver(frame -> node.receive(port, frame));
  }

  /** {@code HOST_A/link0.shape} and others, by which a running link is looked at and changed. */
  private void offerHandlers(Topology.End at, Link link) {
    var element =
        host.tree()
            .element(at.element() + "/link" + at.port(), "Link", link.name())
            .read("counters", () -> link.counters().toString())
            .read("mtu", () -> Integer.toString(link.mtu()));
    Link outward = link instanceof TwoWays both ? both.out() : link;
    if (outward instanceof ShapedLink shapedLink) {
      element.readWrite(
          "shape",
          () -> shapedLink.shape().toString(),
          text -> {
            try {
              shapedLink.shape(LinkShape.parse(text.strip()));
            } catch (IllegalArgumentException e) {
              throw new HandlerException(String.valueOf(e.getMessage()));
            }
          });
    }
  }
}
