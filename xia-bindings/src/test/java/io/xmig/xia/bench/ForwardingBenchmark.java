package io.xmig.xia.bench;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.RoutePort;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XarpFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long a router takes for one packet, from the frame that comes in to the frame that goes out,
 * without what a link costs. Run it with {@code -prof gc}: nothing may be allocated.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ForwardingBenchmark {
  private static final int PACKETS = 64;
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

  @Param Path path;

  /** Routes in the tables besides those in use. */
  @Param({"10", "10000"})
  int routes;

  private XiaNode node;
  private final ByteBuffer[] frames = new ByteBuffer[PACKETS];
  private int next;

  /** Frames sent, so that sending is not optimised away. */
  public long sent;

  /** A router with its routes and neighbours, and the packets to forward. */
  @Setup
  public void prepare() {
    SplittableRandom random = new SplittableRandom(1);
    Xid ad = xid(XidType.AD, 1);
    NodeConfig config =
        NodeConfig.router(
            "router", new LocalAddress(ad, xid(XidType.HID, 1), null), ROUTER_MAC, ROUTER_MAC + 1);
    node = new XiaNode(config, new Clock(), random);
    node.attach(0, frame -> {});
    node.attach(1, frame -> sent++);
    Xid nextHop = xid(XidType.HID, 2);
    for (XidType type : List.of(XidType.AD, XidType.HID)) {
      for (int i = 0; i < routes; i++) {
        node.routes(type).set(xid(type, 1000 + i), RoutePort.FALLBACK, null, 0);
      }
    }
    for (int i = 0; i < PACKETS; i++) {
      node.routes(XidType.AD).set(xid(XidType.AD, 100_000 + i), 1, nextHop, 0);
      node.routes(XidType.HID).set(xid(XidType.HID, 100_000 + i), 1, nextHop, 0);
    }
    Dag source = Dag.path(xid(XidType.AD, 7), xid(XidType.HID, 7), xid(XidType.SID, 7));
    for (int i = 0; i < PACKETS; i++) {
      frames[i] = frame(destination(ad, i), source);
    }
    forwardOne();
    resolve(nextHop);
  }

  private Dag destination(Xid own, int i) {
    Xid host = xid(XidType.HID, 100_000 + i);
    return switch (path) {
      case OTHER_DOMAIN -> Dag.path(xid(XidType.AD, 100_000 + i), host, xid(XidType.SID, i));
      case OWN_DOMAIN -> Dag.path(own, host, xid(XidType.SID, i));
      case FALLBACK -> Dag.withFallback(List.of(own, host), xid(XidType.CID, i));
    };
  }

  private static ByteBuffer frame(Dag destination, Dag source) {
    int length = EthernetFlyweight.LENGTH + XipFlyweight.lengthOf(destination, source) + 1000;
    ByteBuffer frame = ByteBuffer.allocateDirect(length);
    EthernetFlyweight.write(frame, 0, ROUTER_MAC, NEXT_MAC + 1, EthernetFlyweight.TYPE_XIP);
    XipFlyweight.write(
        frame,
        EthernetFlyweight.LENGTH,
        XipFlyweight.NEXT_TRANSPORT,
        1000,
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
    if (sent < 2) {
      throw new IllegalStateException("the next hop is not known: " + node.counters());
    }
  }

  /** One packet of 1168 to 1176 bytes; undoing the last forwarding is included. */
  @Benchmark
  public long forwardOne() {
    ByteBuffer frame = frames[next];
    next = (next + 1) % PACKETS;
    EthernetFlyweight.putMac(frame, 0, ROUTER_MAC);
    frame.put(EthernetFlyweight.LENGTH + 4, (byte) XipFlyweight.DEFAULT_HOP_LIMIT);
    frame.put(EthernetFlyweight.LENGTH + 7, (byte) -1);
    node.receive(0, frame);
    return sent;
  }

  private static Xid xid(XidType type, long n) {
    SplittableRandom random = new SplittableRandom(n * 31 + type.code());
    return Xid.of(type.code(), random.nextLong(), random.nextLong(), random.nextInt());
  }

  /** The clock of the machine; nothing is scheduled once the next hop is known. */
  private static final class Clock implements EventLoop {
    @Override
    public long nanoTime() {
      return System.nanoTime();
    }

    @Override
    public Timer schedule(long delayNs, Runnable task) {
      return () -> {};
    }

    @Override
    public boolean inLoop() {
      return true;
    }

    @Override
    public void execute(Runnable task) {
      task.run();
    }
  }
}
