package io.xmig.xia.node.stream;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * A few hosts, their transports' contexts and one link between them, on virtual time: just enough
 * of a node to test the stream transport alone. Everything random comes from one seed.
 */
final class PairNet {
  /** What the link does to packets in one direction. */
  static final class Link {
    long delayNs = 1_000_000;
    long jitterNs;
    long bytesPerSecond = Long.MAX_VALUE;
    long queueBytes = Long.MAX_VALUE;
    double loss;
    double reorder;
    double duplicate;
    double corrupt;
    int mtu = 65_535;
    boolean cut;
    private long busyUntilNs;
    long packets;
    long bytes;
    long dropped;
  }

  /** A packet seen on its way: who sent it and its bytes from the XIP header on. */
  interface Tap {
    /** Returns the packet to deliver instead, or null to drop it. */
    byte[] pass(Host from, byte[] packet);
  }

  private record Event(long atNs, long order, Runnable task, boolean[] cancelled)
      implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      int byTime = Long.compare(atNs, other.atNs);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  final Random random;
  final Link link = new Link(); // applies to both directions separately
  final List<Host> hosts = new ArrayList<>();
  Tap tap = (from, packet) -> packet;
  long nowNs = 1_000_000_000L;
  private long order;
  private final PriorityQueue<Event> events = new PriorityQueue<>();

  PairNet(long seed) {
    random = new Random(seed);
  }

  Host host(int number) {
    Host host = new Host(number);
    hosts.add(host);
    return host;
  }

  static Xid ad(int n) {
    return Xid.parse("AD:1" + String.format("%039d", n));
  }

  static Xid hid(int n) {
    return Xid.parse("HID:" + String.format("%040d", n));
  }

  static Xid sid(int n) {
    return Xid.parse("SID:0f" + String.format("%038d", n));
  }

  EventLoop.Timer at(long delayNs, Runnable task) {
    boolean[] cancelled = {false};
    events.add(new Event(nowNs + Math.max(0, delayNs), order++, task, cancelled));
    return () -> cancelled[0] = true;
  }

  /** Runs until nothing is left to do or the time is over; false if there was still something. */
  boolean run(long forNs) {
    long end = nowNs + forNs;
    while (!events.isEmpty()) {
      if (events.peek().atNs > end) {
        nowNs = end;
        return false;
      }
      Event next = events.poll();
      nowNs = next.atNs;
      if (!next.cancelled[0]) {
        next.task.run();
      }
    }
    nowNs = end;
    return true;
  }

  /** Runs until the condition holds; false if it does not hold in time. */
  boolean runUntil(long forNs, java.util.function.BooleanSupplier condition) {
    long end = nowNs + forNs;
    while (!condition.getAsBoolean()) {
      if (events.isEmpty() || events.peek().atNs > end) {
        return false;
      }
      Event next = events.poll();
      nowNs = next.atNs;
      if (!next.cancelled[0]) {
        next.task.run();
      }
    }
    return true;
  }

  /** A host, as far as its stream transport can tell. */
  final class Host implements TransportContext {
    final int number;
    final Link out = new Link();
    final Map<Xid, PacketReceiver> bound = new HashMap<>();
    final List<Xid> formerAds = new ArrayList<>();
    private final List<Consumer<LocalAddress>> listeners = new ArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(70_000);
    private final Random chance;
    private LocalAddress address;
    private int payloadStart;
    int maxPacket = 1_500;
    boolean forwardsFromFormerAds;

    Host(int number) {
      this.number = number;
      this.chance = new Random(random.nextLong());
      this.address = new LocalAddress(ad(number), hid(number), null);
    }

    void move(int toAd) {
      formerAds.add(address.ad());
      address = new LocalAddress(ad(toAd), address.hid(), null);
      for (Consumer<LocalAddress> each : List.copyOf(listeners)) {
        each.accept(address);
      }
    }

    @Override
    public long nowNs() {
      return nowNs;
    }

    @Override
    public RandomGenerator random() {
      return chance;
    }

    @Override
    public EventLoop.Timer schedule(long delayNs, Runnable task) {
      return at(delayNs, task);
    }

    @Override
    public LocalAddress localAddress() {
      return address;
    }

    @Override
    public Runnable onAddressChange(Consumer<LocalAddress> listener) {
      listeners.add(listener);
      return () -> listeners.remove(listener);
    }

    @Override
    public ByteBuffer begin(Dag destination, Dag source, int nextHeader, int hopLimit) {
      buffer.clear().limit(maxPacket);
      buffer.put((byte) 1).put((byte) nextHeader).putShort((short) 0).put((byte) hopLimit);
      buffer.put((byte) destination.size()).put((byte) source.size()).put((byte) -1);
      buffer.put(destination.wireBytes()).put(source.wireBytes());
      payloadStart = buffer.position();
      return buffer;
    }

    @Override
    public boolean send(int payloadLength) {
      if (payloadLength != buffer.position() - payloadStart) {
        throw new AssertionError("payload length " + payloadLength);
      }
      buffer.putShort(2, (short) payloadLength);
      byte[] packet = new byte[buffer.position()];
      buffer.get(0, packet);
      transmit(this, packet);
      return true;
    }

    @Override
    public int maxPacketBytes(Dag destination) {
      return maxPacket;
    }

    @Override
    public boolean isBound(Xid sid) {
      return bound.containsKey(sid);
    }

    @Override
    public void bind(Xid sid, PacketReceiver receiver) {
      if (bound.putIfAbsent(sid, receiver) != null) {
        throw new XiaSocketException(XiaSocketException.Kind.ADDRESS_IN_USE, "bound");
      }
    }

    @Override
    public void unbind(Xid sid) {
      bound.remove(sid);
    }

    @Override
    public void announce(Xid cid) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void withdraw(Xid cid) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void serveContent(ContentReceiver receiver) {
      throw new UnsupportedOperationException();
    }

    boolean answersTo(Xid ad, Xid hid) {
      return hid.equals(address.hid())
          && (ad.equals(address.ad()) || (forwardsFromFormerAds && formerAds.contains(ad)));
    }

    /** Delivers a packet that has arrived at this host. */
    void deliver(byte[] packet) {
      View view = View.of(packet);
      if (view == null) {
        return;
      }
      PacketReceiver receiver = bound.get(view.deliveredTo());
      if (receiver != null) {
        receiver.packet(view);
      } else if (Byte.toUnsignedInt(packet[1]) == 60) {
        unreachable(view);
      }
    }

    private void unreachable(View view) {
      for (Host to : hosts) {
        Xid host = view.source().host();
        if (host != null && host.equals(to.address.hid())) {
          PacketReceiver receiver = to.bound.get(view.sourceIntent());
          if (receiver != null) {
            DeliveryReport report =
                new DeliveryReport(
                    DeliveryReport.Reason.UNREACHABLE,
                    view.deliveredTo(),
                    view.destination(),
                    address.host(),
                    0,
                    0);
            at(out.delayNs, () -> receiver.undeliverable(report));
          }
        }
      }
    }
  }

  /** Puts a packet on the link of {@code from}. */
  void transmit(Host from, byte[] given) {
    Link way = from.out;
    byte[] packet = tap.pass(from, given);
    way.packets++;
    if (packet == null || way.cut || packet.length > way.mtu || random.nextDouble() < way.loss) {
      way.dropped++;
      return;
    }
    way.bytes += packet.length;
    long cost =
        way.bytesPerSecond == Long.MAX_VALUE
            ? 0
            : (long) (packet.length * 1e9 / way.bytesPerSecond);
    long start = Math.max(nowNs, way.busyUntilNs);
    if (way.queueBytes != Long.MAX_VALUE
        && (start - nowNs) * (way.bytesPerSecond / 1e9) > way.queueBytes) {
      way.dropped++;
      return;
    }
    way.busyUntilNs = start + cost;
    long arrival = way.busyUntilNs - nowNs + way.delayNs;
    if (way.jitterNs > 0) {
      arrival += (long) (random.nextDouble() * way.jitterNs);
    }
    if (random.nextDouble() < way.reorder) {
      arrival += (long) (random.nextDouble() * 2 * way.delayNs);
    }
    if (random.nextDouble() < way.duplicate) {
      byte[] copy = packet.clone();
      at(arrival + 1000, () -> route(copy));
    }
    byte[] carried = packet;
    if (random.nextDouble() < way.corrupt) {
      carried = packet.clone();
      carried[random.nextInt(carried.length)] ^= (byte) (1 << random.nextInt(8));
    }
    byte[] arrives = carried;
    at(arrival, () -> route(arrives));
  }

  private void route(byte[] packet) {
    View view = View.of(packet);
    if (view == null) {
      return;
    }
    Xid ad = view.destination().first(XidType.AD);
    Xid hid = view.destination().host();
    for (Host each : hosts) {
      if (ad != null && hid != null && each.answersTo(ad, hid)) {
        each.deliver(packet);
        return;
      }
    }
  }

  /** A delivered packet, padded in front to show that offsets are respected. */
  record View(ByteBuffer buffer, int xipOffset, int payloadOffset, Dag destination, Dag source)
      implements PacketView {
    static final int FRAME = 14;

    /** Null when the XIP header is nonsense. */
    static View of(byte[] packet) {
      if (packet.length < 8) {
        return null;
      }
      int destinations = Byte.toUnsignedInt(packet[5]);
      int sources = Byte.toUnsignedInt(packet[6]);
      int header = 8 + (destinations + sources) * Dag.NODE_LENGTH;
      if (destinations == 0 || sources == 0 || header > packet.length) {
        return null;
      }
      ByteBuffer frame = ByteBuffer.allocateDirect(FRAME + packet.length);
      frame.put(FRAME, packet);
      Dag destination = Dag.tryRead(frame, FRAME + 8, destinations);
      Dag source = Dag.tryRead(frame, FRAME + 8 + destinations * Dag.NODE_LENGTH, sources);
      if (destination == null || source == null) {
        return null;
      }
      return new View(frame, FRAME, FRAME + header, destination, source);
    }

    @Override
    public int end() {
      return buffer.capacity();
    }

    @Override
    public int nextHeader() {
      return Byte.toUnsignedInt(buffer.get(xipOffset + 1));
    }

    @Override
    public Xid deliveredTo() {
      return destination.intent();
    }

    @Override
    public Xid sourceIntent() {
      return source.intent();
    }

    @Override
    public int inPort() {
      return 0;
    }
  }

  /** Length of a packet's XIP header. */
  static int headerLength(byte[] packet) {
    return 8 + (packet[5] + packet[6]) * Dag.NODE_LENGTH;
  }

  /** The header and payload behind the XIP header of a packet. */
  static byte[] transportOf(byte[] packet) {
    int header = headerLength(packet);
    return Arrays.copyOfRange(packet, header, packet.length);
  }
}
