package io.xmig.xia.bench;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.link.LinkOptions;
import io.xmig.xia.link.MemoryLink;
import io.xmig.xia.node.FrameSink;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.RoutePort;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XarpFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A router with its routes and neighbours, and packets for it to forward, from the frame that comes
 * in to the frame that goes out.
 *
 * @threading one thread
 */
public final class ForwardingRig {
  /** Packets that go through the router one after the other in {@link #forwardBatch}. */
  public static final int BATCH = 64;

  private static final int HOP_LIMIT_OFFSET = 4;
  private static final int LAST_NODE_OFFSET = 7;
  private static final long ROUTER_MAC = 0x0200_0000_0120L;
  private static final long NEXT_MAC = 0x0200_0000_0221L;

  /** What the router finds for a packet. */
  public enum Path {
    /** The AD is another one: one lookup. */
    OTHER_DOMAIN,
    /** The AD is the router's own, the host is on a link: two lookups. */
    OWN_DOMAIN,
    /** No route for the CID, the fallback leads to the host: three lookups. */
    FALLBACK
  }

  /** What is at the router's ports. */
  public enum Links {
    /** Nothing: only the router's work. */
    NONE,
    /** In-memory links: each frame is copied into a queue on its way in and on its way out. */
    MEMORY
  }

  private final TaskQueue loop = new TaskQueue();
  private final XiaNode node;
  private final FrameSink entry;
  private final ByteBuffer[] frames = new ByteBuffer[BATCH];
  private int next;
  private long sent;

  /**
   * @param routes in the tables besides those in use
   * @param packetBytes length of each packet from the XIP header on
   */
  public ForwardingRig(Path path, Links links, int routes, int packetBytes) {
    Xid ad = xid(XidType.AD, 1);
    NodeConfig config =
        NodeConfig.router(
            "router", new LocalAddress(ad, xid(XidType.HID, 1), null), ROUTER_MAC, ROUTER_MAC + 1);
    node = new XiaNode(config, loop, new SplittableRandom(1));
    entry = attach(links);
    Xid nextHop = xid(XidType.HID, 2);
    for (XidType type : List.of(XidType.AD, XidType.HID)) {
      for (int i = 0; i < routes; i++) {
        node.routes(type).set(xid(type, 1000 + i), RoutePort.FALLBACK, null, 0);
      }
    }
    for (int i = 0; i < BATCH; i++) {
      node.routes(XidType.AD).set(xid(XidType.AD, 100_000 + i), 1, nextHop, 0);
      node.routes(XidType.HID).set(xid(XidType.HID, 100_000 + i), 1, nextHop, 0);
    }
    Dag source = Dag.path(xid(XidType.AD, 7), xid(XidType.HID, 7), xid(XidType.SID, 7));
    for (int i = 0; i < BATCH; i++) {
      frames[i] = frame(destination(path, ad, i), source, packetBytes);
    }
    forwardOne();
    resolve(nextHop);
  }

  private FrameSink attach(Links links) {
    FrameSink sink = frame -> sent++;
    if (links == Links.NONE) {
      node.attach(0, frame -> {});
      node.attach(1, sink);
      return frame -> node.receive(0, frame);
    }
    LinkOptions sizes = LinkOptions.ofMtu(NodeConfig.Port.MAX_MTU);
    MemoryLink[] in = MemoryLink.pair(loop, "in", sizes);
    MemoryLink[] out = MemoryLink.pair(loop, "out", sizes);
    in[1].receiver(frame -> node.receive(0, frame));
    node.attach(0, in[1]);
    node.attach(1, out[0]);
    out[1].receiver(sink);
    return in[0];
  }

  private static Dag destination(Path path, Xid own, int i) {
    Xid host = xid(XidType.HID, 100_000 + i);
    return switch (path) {
      case OTHER_DOMAIN -> Dag.path(xid(XidType.AD, 100_000 + i), host, xid(XidType.SID, i));
      case OWN_DOMAIN -> Dag.path(own, host, xid(XidType.SID, i));
      case FALLBACK -> Dag.withFallback(List.of(own, host), xid(XidType.CID, i));
    };
  }

  private static ByteBuffer frame(Dag destination, Dag source, int packetBytes) {
    int payload = packetBytes - XipFlyweight.lengthOf(destination, source);
    ByteBuffer frame = ByteBuffer.allocateDirect(EthernetFlyweight.LENGTH + packetBytes);
    EthernetFlyweight.write(frame, 0, ROUTER_MAC, NEXT_MAC + 1, EthernetFlyweight.TYPE_XIP);
    XipFlyweight.write(
        frame,
        EthernetFlyweight.LENGTH,
        XipFlyweight.NEXT_TRANSPORT,
        payload,
        XipFlyweight.DEFAULT_HOP_LIMIT,
        destination,
        source);
    return frame;
  }

  /** The answer to the question that the first packet made the router ask. */
  private void resolve(Xid nextHop) {
    ByteBuffer reply = ByteBuffer.allocate(EthernetFlyweight.LENGTH + XarpFlyweight.LENGTH);
    EthernetFlyweight.write(reply, 0, ROUTER_MAC + 1, NEXT_MAC, EthernetFlyweight.TYPE_XARP);
    XarpFlyweight.write(
        reply,
        EthernetFlyweight.LENGTH,
        XarpFlyweight.REPLY,
        NEXT_MAC,
        nextHop,
        ROUTER_MAC + 1,
        xid(XidType.HID, 1));
    node.receive(1, reply);
    loop.run();
    if (sent < 2) {
      throw new IllegalStateException("the next hop is not known: " + node.counters());
    }
  }

  /** One packet goes through the router. Undoing what the last time changed in it is included. */
  public long forwardOne() {
    offer();
    loop.run();
    return sent;
  }

  /** {@value #BATCH} packets go through the router, as one turn of a busy loop would have it. */
  public long forwardBatch() {
    for (int i = 0; i < BATCH; i++) {
      offer();
    }
    loop.run();
    return sent;
  }

  private void offer() {
    ByteBuffer frame = frames[next];
    next = (next + 1) % BATCH;
    EthernetFlyweight.putMac(frame, 0, ROUTER_MAC);
    frame.put(EthernetFlyweight.LENGTH + HOP_LIMIT_OFFSET, (byte) XipFlyweight.DEFAULT_HOP_LIMIT);
    frame.put(EthernetFlyweight.LENGTH + LAST_NODE_OFFSET, (byte) -1);
    entry.frame(frame.clear());
  }

  /** Frames that have left the router. */
  public long sent() {
    return sent;
  }

  private static Xid xid(XidType type, long n) {
    SplittableRandom random = new SplittableRandom(n * 31 + type.code());
    return Xid.of(type.code(), random.nextLong(), random.nextLong(), random.nextInt());
  }
}
