package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.chunk.ChunkOptions;
import io.xmig.xia.node.chunk.ChunkTransport;
import io.xmig.xia.node.stream.StreamOptions;
import io.xmig.xia.node.stream.StreamTransport;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.IpEncapsulation;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * An XIA node, host or router: frames, calls and the passing of time go in, frames and calls come
 * out. It does no input or output of its own and owns no thread; links, a simulation or a benchmark
 * drive the same code.
 *
 * <pre>
 *  receive ─▶ Ethernet type ─▶ XARP
 *                    │    └──▶ RARP ─▶ link event
 *                    ▼
 *              (content store) ─▶ routing ─▶ link port ─▶ XARP table ─▶ frame sink
 *                                    │
 *                                    └─▶ here: XCMP, transport bound to the SID, content store
 * </pre>
 *
 * <p>Nothing that comes from a link is trusted: a packet that is malformed, too big or for nobody
 * is dropped and counted by name ({@link #counters}), never an exception.
 *
 * @threading everything on the loop given at construction
 * @source XIA prototype v1.1, docs/wire.md sections 4, 5, 7 and 8; docs/node.md
 */
public final class XiaNode {
  /** HID routes beyond which broadcasts teach nothing more; local choice. */
  static final int MAX_LEARNED_ROUTES = 65_536;

  /** Largest packet that is handed from one socket to another on the same node. */
  static final int MAX_PACKET = 65_535;

  /** Port of a dual-stack router by which unknown 4IDs leave. */
  private static final int DUAL_DEFAULT_PORT = 3;

  private static final int TYPE_RARP = 0x8035;
  private static final int RARP_LENGTH = 28;
  private static final int RARP_SENDER_OFFSET = 8;

  private final NodeConfig config;
  private final EventLoop loop;
  private final RandomGenerator random;
  private final NodeCounters counters = new NodeCounters();
  private final RouteTable[] tables;
  private final LinkPort[] ports;
  private final int largestMtu;
  private final PathMtus pathMtus = new PathMtus();
  private final Forwarder forwarder;
  private final Xcmp xcmp;
  private final LocalQueue local;
  private final XipFlyweight inbound = new XipFlyweight();
  private final ArrivedPacket arrived = new ArrivedPacket();
  private final ArrivedPacket passing = new ArrivedPacket();
  private final XidMap<Binding> bindings = new XidMap<>();
  private final List<Consumer<LocalAddress>> addressListeners = new CopyOnWriteArrayList<>();
  private final List<Consumer<LinkEvent>> linkListeners = new CopyOnWriteArrayList<>();
  private final NodeContext context;
  private final StreamTransport streams;
  private final ChunkTransport chunks;
  private boolean acceptRedirects;
  private LocalAddress address;
  private Dag hostDag;
  private @Nullable Dag nameServer;
  private TransportContext.@Nullable ContentReceiver content;

  /** A SID and who takes its packets. */
  private record Binding(Xid sid, TransportContext.PacketReceiver receiver) {}

  /** A node whose transports have the default options. */
  public XiaNode(NodeConfig config, EventLoop loop, RandomGenerator random) {
    this(config, loop, random, StreamOptions.defaults(), ChunkOptions.defaults());
  }

  /**
   * A node.
   *
   * @param loop the clock and the thread of this node, real or virtual
   * @param random for identifiers and initial numbers; seeded in a simulation
   * @param chunkOptions without a policy for passing content, a node that is configured to cache
   *     releases the oldest first
   */
  public XiaNode(
      NodeConfig config,
      EventLoop loop,
      RandomGenerator random,
      StreamOptions streamOptions,
      ChunkOptions chunkOptions) {
    this.config = config;
    this.loop = loop;
    this.random = random;
    this.address = config.address();
    this.acceptRedirects = config.acceptRedirects();
    this.hostDag = address.host();
    this.tables = initialRoutes(config);
    this.ports = new LinkPort[config.ports().size()];
    for (int i = 0; i < ports.length; i++) {
      ports[i] = new LinkPort(i, config.ports().get(i), address.hid(), loop, counters);
    }
    this.largestMtu = config.ports().stream().mapToInt(NodeConfig.Port::mtu).max().orElseThrow();
    this.forwarder =
        new Forwarder(
            address.hid(),
            tables,
            ports,
            counters,
            config.learnFromBroadcast(),
            MAX_LEARNED_ROUTES,
            new Exits());
    this.xcmp = new Xcmp(loop, counters, new XcmpNode());
    this.local = new LocalQueue(loop, packet -> deliver(packet, -1));
    this.context = new NodeContext(this);
    this.streams = new StreamTransport(context, streamOptions);
    this.chunks = new ChunkTransport(context, cachingOptions(config, chunkOptions));
  }

  private static ChunkOptions cachingOptions(NodeConfig config, ChunkOptions options) {
    return config.cacheContent() && options.pathPolicy() == null
        ? options.withPathCache(
            SliceOptions.Policy.FIFO, options.pathCacheBytes(), options.verifier())
        : options;
  }

  private static RouteTable[] initialRoutes(NodeConfig config) {
    boolean host = config.role() == NodeConfig.Role.HOST;
    int unknown = host ? 0 : RoutePort.FALLBACK;
    LocalAddress at = config.address();
    RouteTable ad = new RouteTable(XidType.AD, unknown);
    RouteTable hid = new RouteTable(XidType.HID, unknown);
    RouteTable ip = new RouteTable(XidType.IP, unknown);
    if (!host) {
      ad.set(at.ad(), RoutePort.LOCAL, null, 0);
    }
    hid.set(at.hid(), RoutePort.LOCAL, null, 0);
    hid.set(Xid.BHID, RoutePort.BROADCAST, null, 0);
    boolean dual = config.ports().stream().anyMatch(NodeConfig.Port::isIp);
    if (dual) {
      ip.setDefault(Math.min(DUAL_DEFAULT_PORT, config.ports().size() - 1), null, 0);
      ip.set(Xid.NULL_4ID, RoutePort.LOCAL, null, 0);
      for (NodeConfig.Port port : config.ports()) {
        if (port.fourId() != null) {
          ip.set(port.fourId(), RoutePort.LOCAL, null, 0);
        }
      }
    }
    return new RouteTable[] {
      ad,
      hid,
      new RouteTable(XidType.CID, RoutePort.FALLBACK),
      new RouteTable(XidType.SID, RoutePort.FALLBACK),
      ip
    };
  }

  /** What this node was made from. */
  public NodeConfig config() {
    return config;
  }

  /** The node's name. */
  public String name() {
    return config.name();
  }

  /** The loop it runs on. */
  public EventLoop loop() {
    return loop;
  }

  /** The routes of one principal type; changes take effect at once. */
  public RouteTable routes(XidType type) {
    return tables[type.code() - XidType.AD.code()];
  }

  /** Whether the HID of a broadcast's sender becomes a route. */
  public boolean learnsFromBroadcast() {
    return forwarder.learns();
  }

  /** Switches that off, e.g. for a gateway that demands signed registrations, or on. */
  public void learnFromBroadcast(boolean on) {
    forwarder.learns(on);
  }

  /** Whether XCMP redirects change routes. */
  public boolean acceptsRedirects() {
    return acceptRedirects;
  }

  /** Switches that off, e.g. since an agent sets the routes by signed messages, or on. */
  public void acceptRedirects(boolean on) {
    acceptRedirects = on;
  }

  /** What it has counted. */
  public NodeCounters counters() {
    return counters;
  }

  /** What the node offers to transports. */
  public TransportContext context() {
    return context;
  }

  /** The node's streams. */
  public StreamTransport streams() {
    return streams;
  }

  /** The node's content cache and chunk requests. */
  public ChunkTransport chunks() {
    return chunks;
  }

  /** Closes all streams and stops serving chunks; links and routes stay. */
  public void close() {
    streams.close();
    chunks.close();
  }

  /** Connects a port to a link; frames for it go to {@code out} from now on. */
  public void attach(int port, FrameSink out) {
    port(port).attach(out);
  }

  /** Disconnects a port and forgets the Ethernet addresses learned there. */
  public void detach(int port) {
    port(port).attach(null);
    port(port).xarp.clear();
  }

  LinkPort port(int number) {
    if (number < 0 || number >= ports.length) {
      throw new IllegalArgumentException(
          name() + " has ports 0 to " + (ports.length - 1) + ", not " + number);
    }
    return ports[number];
  }

  /**
   * Takes one frame from a link: the bytes from position to limit, an Ethernet frame or, on a port
   * with a 4ID, an IPv4 packet. They may be changed and sent on during the call; afterwards the
   * buffer is the caller's again, with position and limit as before.
   *
   * <p>A frame sink must not call this from within {@link FrameSink#frame}: links deliver later.
   */
  public void receive(int port, ByteBuffer frame) {
    LinkPort from = port(port);
    counters.add(NodeCounter.FRAMES_IN);
    int start = frame.position();
    int end = frame.limit();
    ByteBuffer bytes =
        frame.order() == ByteOrder.BIG_ENDIAN
            ? frame
            : frame.duplicate().order(ByteOrder.BIG_ENDIAN);
    if (from.isIp()) {
      tunnelled(bytes, start, end, port);
    } else if (EthernetFlyweight.fits(bytes, start, end)) {
      ethernet(bytes, start, end, from);
    } else {
      counters.add(NodeCounter.DROP_MALFORMED);
    }
    frame.limit(end).position(start);
  }

  /**
   * Takes a frame if nobody but the node itself has to answer it: a question for its Ethernet
   * address or an echo request. For a link that has other frames as well and shall hand them on
   * later.
   *
   * @param frame as for {@link #receive}
   * @return whether it has been taken; if not, it is as before
   */
  public boolean receiveUrgent(int port, ByteBuffer frame) {
    if (!UrgentFrames.asksTheNode(frame, inbound)) {
      return false;
    }
    receive(port, frame);
    return true;
  }

  private void tunnelled(ByteBuffer bytes, int start, int end, int port) {
    int xip = IpEncapsulation.xipOffset(bytes, start, end);
    if (xip < 0) {
      counters.add(NodeCounter.DROP_NOT_IP);
    } else {
      packet(bytes, xip, IpEncapsulation.xipEnd(bytes, start), port, false);
    }
  }

  private void ethernet(ByteBuffer bytes, int start, int end, LinkPort from) {
    int port = from.number;
    long to = EthernetFlyweight.destination(bytes, start);
    // a guest that was moved to another port of its router still sends to the address of the former
    boolean forAnother = to != from.mac && !EthernetFlyweight.isGroup(to) && !isOwn(to);
    if (forAnother && !from.accepts(to)) {
      counters.add(NodeCounter.DROP_OTHER_STATION);
      return;
    }
    int payload = start + EthernetFlyweight.LENGTH;
    switch (EthernetFlyweight.type(bytes, start)) {
      case EthernetFlyweight.TYPE_XIP -> packet(bytes, payload, end, port, forAnother);
      case EthernetFlyweight.TYPE_XARP -> from.xarp.receive(bytes, payload, end);
      case TYPE_RARP -> rarp(bytes, payload, end, port);
      default -> counters.add(NodeCounter.DROP_ETHERTYPE);
    }
  }

  private boolean isOwn(long mac) {
    for (LinkPort port : ports) {
      if (port.mac == mac) {
        return true;
      }
    }
    return false;
  }

  /**
   * @param startOver whether the sender believes to be in a domain that it has left: the steps of
   *     the address that it took for done are taken again from here
   */
  private void packet(ByteBuffer bytes, int offset, int end, int port, boolean startOver) {
    XipFlyweight packet = inbound;
    if (!packet.tryWrap(bytes, offset, end)) {
      counters.add(NodeCounter.DROP_MALFORMED);
      return;
    }
    if (config.cacheContent()
        && content != null
        && packet.nextHeader() == XipFlyweight.NEXT_CONTENT
        && packet.sourceType(packet.sourceCount() - 1) == XidType.CID.code()
        && passing.wrap(packet, port)) {
      counters.add(NodeCounter.CONTENT_PASSING);
      content.passing(passing);
    }
    if (startOver) {
      packet.last(-1);
    }
    forwarder.route(packet, port);
  }

  private void rarp(ByteBuffer frame, int payload, int end, int port) {
    if (end - payload < RARP_LENGTH) {
      counters.add(NodeCounter.DROP_MALFORMED);
      return;
    }
    counters.add(NodeCounter.RARP_IN);
    long mac = EthernetFlyweight.mac(frame, payload + RARP_SENDER_OFFSET);
    linkEvent(new LinkEvent(LinkEvent.Kind.RARP, port, mac));
  }

  /** Tells the node's listeners what a link noticed. */
  public void linkEvent(LinkEvent event) {
    boolean elsewhere =
        event.kind() == LinkEvent.Kind.NOTIFY_PEERS || event.kind() == LinkEvent.Kind.UP;
    if (elsewhere && event.port() >= 0 && event.port() < config.ports().size()) {
      // the neighbours may be other ones, or the same router by another of its ports
      port(event.port()).xarp.clear();
    }
    for (Consumer<LinkEvent> listener : linkListeners) {
      listener.accept(event);
    }
  }

  /** Calls {@code listener} for every link event; the result undoes this. */
  public Runnable onLinkEvent(Consumer<LinkEvent> listener) {
    linkListeners.add(listener);
    return () -> linkListeners.remove(listener);
  }

  /** Where the node is. */
  public LocalAddress localAddress() {
    return address;
  }

  /**
   * Moves the node to another domain: from now on this is its address, and the new AD is routed to
   * the node itself instead of the old one.
   *
   * @param ad the domain; {@code fourId} its 4ID or {@code null}
   */
  public void moveTo(Xid ad, @Nullable Xid fourId) {
    if (!ad.is(XidType.AD)) {
      throw new IllegalArgumentException("expected an AD, not " + ad);
    }
    if (fourId != null && !fourId.is(XidType.IP)) {
      throw new IllegalArgumentException("expected a 4ID, not " + fourId);
    }
    RouteTable domains = routes(XidType.AD);
    Route old = domains.find(address.ad());
    if (!ad.equals(address.ad()) && old != null && old.port() == RoutePort.LOCAL) {
      domains.remove(address.ad());
    }
    domains.set(ad, RoutePort.LOCAL, null, 0);
    LocalAddress now = new LocalAddress(ad, address.hid(), fourId);
    if (now.equals(address)) {
      return;
    }
    address = now;
    hostDag = now.host();
    for (Consumer<LocalAddress> listener : addressListeners) {
      listener.accept(now);
    }
  }

  Runnable onAddressChange(Consumer<LocalAddress> listener) {
    addressListeners.add(listener);
    return () -> addressListeners.remove(listener);
  }

  /** The DAG of the name server, if one is known. */
  public @Nullable Dag nameServer() {
    return nameServer;
  }

  /** Sets the DAG of the name server. */
  public void nameServer(@Nullable Dag dag) {
    nameServer = dag;
  }

  RandomGenerator random() {
    return random;
  }

  Xcmp xcmp() {
    return xcmp;
  }

  boolean isBound(Xid sid) {
    return bindings.get(sid) != null;
  }

  boolean bind(Xid sid, TransportContext.PacketReceiver receiver) {
    if (isBound(sid)) {
      return false;
    }
    bindings.put(sid, new Binding(sid, receiver));
    routes(XidType.SID).set(sid, RoutePort.LOCAL, null, 0);
    return true;
  }

  void unbind(Xid sid) {
    if (bindings.remove(sid)) {
      routes(XidType.SID).remove(sid);
    }
  }

  void serveContent(TransportContext.ContentReceiver receiver) {
    content = receiver;
  }

  boolean send(XipFlyweight packet) {
    counters.add(NodeCounter.ORIGINATED);
    return forwarder.route(packet, Forwarder.FROM_THIS_NODE);
  }

  boolean sendOn(int link, XipFlyweight packet) {
    counters.add(NodeCounter.ORIGINATED);
    return forwarder.broadcastOn(packet, link);
  }

  int largestPacketTo(Dag destination) {
    int bytes = forwarder.largestPacketTo(destination);
    return pathMtus.limit(destination, bytes > 0 ? bytes : largestMtu, loop.nanoTime());
  }

  private void deliver(XipFlyweight packet, int inPort) {
    if (!arrived.wrap(packet, inPort)) {
      counters.add(NodeCounter.DROP_MALFORMED);
      return;
    }
    int here = packet.current();
    if (packet.nextHeader() == XipFlyweight.NEXT_XCMP) {
      counters.add(NodeCounter.DELIVERED);
      xcmp.receive(arrived);
    } else if (packet.destinationType(here) == XidType.CID.code()) {
      if (content == null || packet.nextHeader() != XipFlyweight.NEXT_CONTENT) {
        counters.add(NodeCounter.DROP_NO_RECEIVER);
      } else {
        counters.add(NodeCounter.DELIVERED);
        content.request(arrived);
      }
    } else {
      Binding binding = bindings.get(packet.buffer(), packet.destinationNodeOffset(here));
      if (binding == null
          && content != null
          && packet.nextHeader() == XipFlyweight.NEXT_CONTENT
          && address.hid().matches(packet.buffer(), packet.destinationNodeOffset(here))) {
        counters.add(NodeCounter.DELIVERED);
        content.packet(arrived);
      } else if (binding == null) {
        counters.add(NodeCounter.DROP_NO_RECEIVER);
      } else {
        counters.add(NodeCounter.DELIVERED);
        arrived.deliveredTo(binding.sid());
        binding.receiver().packet(arrived);
      }
    }
  }

  /** The ends of the forwarding path. */
  private final class Exits implements Forwarder.Exits {
    @Override
    public void deliver(XipFlyweight packet, int inPort) {
      if (inPort != Forwarder.FROM_THIS_NODE) {
        XiaNode.this.deliver(packet, inPort);
      } else if (!local.add(packet)) {
        counters.add(NodeCounter.DROP_LOCAL_QUEUE);
      }
    }

    @Override
    public void unroutable(XipFlyweight packet) {
      xcmp.unreachable(packet);
    }

    @Override
    public void expired(XipFlyweight packet) {
      xcmp.timeExceeded(packet);
    }

    @Override
    public void tooBig(XipFlyweight packet, int mtu) {
      xcmp.tooBig(packet, mtu);
    }

    @Override
    public void backWhereItCame(XipFlyweight packet, Route route) {
      xcmp.redirect(packet, route);
    }
  }

  /** What XCMP needs of the node. */
  private final class XcmpNode implements Xcmp.Node {
    @Override
    public Dag address() {
      return hostDag;
    }

    @Override
    public int largestPacketTo(Dag destination) {
      return XiaNode.this.largestPacketTo(destination);
    }

    @Override
    public void send(XipFlyweight packet) {
      XiaNode.this.send(packet);
    }

    @Override
    public TransportContext.@Nullable PacketReceiver receiver(ByteBuffer buffer, int offset) {
      Binding binding = bindings.get(buffer, offset);
      if (binding != null) {
        return binding.receiver();
      }
      return address.hid().matches(buffer, offset) ? content : null;
    }

    @Override
    public void tooBig(Dag destination, int maxPacketBytes) {
      pathMtus.reported(destination, maxPacketBytes, loop.nanoTime());
    }

    /** Only the host that now is the next hop may say so, and never for what is on this node. */
    @Override
    public boolean redirect(Xid destination, Xid nextHop, @Nullable Xid reporter) {
      XidType type = destination.type();
      if (!acceptRedirects
          || type == null
          || !nextHop.is(XidType.HID)
          || nextHop.equals(Xid.BHID)
          || nextHop.equals(address.hid())) {
        return false;
      }
      RouteTable table = routes(type);
      Route now = table.lookup(destination);
      boolean full = table.find(destination) == null && table.size() >= MAX_LEARNED_ROUTES;
      if (now.port() < 0 || now.nextHop() == null || !now.nextHop().equals(reporter) || full) {
        return false;
      }
      table.set(destination, now.port(), nextHop, now.flags());
      return true;
    }
  }
}
