package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Hosts joined by one bottleneck each way on virtual time: just enough of a network to put the
 * chunk transport, and nothing else, under load. The packets are real XIP packets.
 */
final class ChunkNet {
  private record Event(long atNs, long order, Runnable task, boolean[] cancelled)
      implements Comparable<Event> {
    @Override
    public int compareTo(Event o) {
      return atNs != o.atNs ? Long.compare(atNs, o.atNs) : Long.compare(order, o.order);
    }
  }

  final Random random;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final Map<Xid, Host> hosts = new HashMap<>();
  private long now;
  private long order;

  ChunkNet(long seed) {
    this.random = new Random(seed);
  }

  long now() {
    return now;
  }

  EventLoop.Timer at(long atNs, Runnable task) {
    boolean[] cancelled = new boolean[1];
    events.add(new Event(Math.max(now, atNs), order++, task, cancelled));
    return () -> cancelled[0] = true;
  }

  /** Runs events until the time is over or nothing is left to do. */
  void run(long untilNs) {
    while (!events.isEmpty() && events.peek().atNs <= untilNs) {
      Event e = events.poll();
      if (!e.cancelled[0]) {
        now = e.atNs;
        e.task.run();
      }
    }
    now = Math.max(now, untilNs);
  }

  /** Runs until {@code done} or the time is over. */
  boolean runUntil(java.util.function.BooleanSupplier done, long untilNs) {
    while (!done.getAsBoolean() && !events.isEmpty() && events.peek().atNs <= untilNs) {
      Event e = events.poll();
      if (!e.cancelled[0]) {
        now = e.atNs;
        e.task.run();
      }
    }
    return done.getAsBoolean();
  }

  /** One direction of a shaped link: a queue of limited length, a rate, a delay and mishaps. */
  final class Pipe {
    double bytesPerSecond = Double.MAX_VALUE;
    long delayNs = 50_000;
    long queueBytes = Long.MAX_VALUE;
    double loss;
    double duplicate;
    double reorder;
    long reorderNs;
    double corrupt;
    boolean cut;
    int mtu = 65_535;
    Predicate<ByteBuffer> drop = p -> false;
    private long freeAtNs;
    long delivered;
    long dropped;
    long maxQueued;

    Pipe rate(double megabitPerSecond) {
      bytesPerSecond = megabitPerSecond * 1e6 / 8;
      return this;
    }

    void send(byte[] packet, Consumer<byte[]> to) {
      if (cut
          || packet.length > mtu
          || random.nextDouble() < loss
          || drop.test(ByteBuffer.wrap(packet))) {
        dropped++;
        return;
      }
      long start = Math.max(now, freeAtNs);
      double queued = (start - now) * bytesPerSecond / 1e9;
      maxQueued = Math.max(maxQueued, bytesPerSecond == Double.MAX_VALUE ? 0 : (long) queued);
      if (bytesPerSecond != Double.MAX_VALUE && queued + packet.length > queueBytes) {
        dropped++;
        return;
      }
      freeAtNs = start + (long) (packet.length * 1e9 / bytesPerSecond);
      long arrival = freeAtNs + delayNs;
      if (random.nextDouble() < reorder) {
        arrival += (long) (random.nextDouble() * reorderNs);
      }
      if (corrupt > 0 && random.nextDouble() < corrupt && packet.length > 200) {
        packet[packet.length - 1 - random.nextInt(20)] ^= (byte) (1 + random.nextInt(255));
      }
      delivered++;
      at(arrival, () -> to.accept(packet));
      if (random.nextDouble() < duplicate) {
        byte[] copy = packet.clone();
        at(arrival + random.nextInt(1_000_000), () -> to.accept(copy));
      }
    }
  }

  /** A host: address, transport, and the pipes to and from the core of the network. */
  final class Host implements TransportContext {
    LocalAddress address;
    final Pipe up = new Pipe();
    Pipe down = new Pipe();
    int mtu = 1500;
    boolean routeKnown = true;
    final Set<Xid> announced = new HashSet<>();
    private final Map<Xid, PacketReceiver> bound = new HashMap<>();
    private final List<Consumer<LocalAddress>> listeners = new ArrayList<>();
    private final ByteBuffer packet = ByteBuffer.allocateDirect(65_535);
    private Dag destination;
    private ContentReceiver content;
    long sent;
    long sentBytes;
    final List<byte[]> log = new ArrayList<>();
    boolean logging;

    Host(int ad, int hid) {
      this(new LocalAddress(xid(XidType.AD, ad), xid(XidType.HID, hid), null));
    }

    Host(LocalAddress address) {
      this.address = address;
      hosts.put(address.hid(), this);
    }

    void moveTo(int ad) {
      address = new LocalAddress(xid(XidType.AD, ad), address.hid(), null);
      List.copyOf(listeners).forEach(l -> l.accept(address));
    }

    @Override
    public long nowNs() {
      return now;
    }

    @Override
    public RandomGenerator random() {
      return random;
    }

    @Override
    public EventLoop.Timer schedule(long delayNs, Runnable task) {
      return at(now + Math.max(0, delayNs), task);
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
    public ByteBuffer begin(Dag to, Dag from, int nextHeader, int hopLimit) {
      destination = to;
      packet.clear().limit(mtu);
      packet.put((byte) 1).put((byte) nextHeader).putShort((short) 0).put((byte) hopLimit);
      packet.put((byte) to.size()).put((byte) from.size()).put((byte) -1);
      packet.put(to.wireBytes()).put(from.wireBytes());
      return packet;
    }

    @Override
    public boolean send(int payloadLength) {
      packet.putShort(2, (short) payloadLength);
      byte[] bytes = new byte[packet.position()];
      packet.get(0, bytes);
      if (!routeKnown) {
        return false;
      }
      sent++;
      sentBytes += bytes.length;
      if (logging) {
        log.add(bytes);
      }
      Dag to = destination;
      Host target = hosts.get(to.host());
      if (target == null) {
        return false;
      }
      up.send(bytes, p -> target.down.send(p, target::arrive));
      return true;
    }

    @Override
    public int maxPacketBytes(Dag to) {
      return mtu;
    }

    @Override
    public boolean isBound(Xid sid) {
      return bound.containsKey(sid);
    }

    @Override
    public void bind(Xid sid, PacketReceiver receiver) {
      if (bound.putIfAbsent(sid, receiver) != null) {
        throw new IllegalStateException("bound twice " + sid);
      }
    }

    @Override
    public void unbind(Xid sid) {
      bound.remove(sid);
    }

    @Override
    public void announce(Xid cid) {
      if (!announced.add(cid)) {
        throw new IllegalStateException("announced twice " + cid);
      }
    }

    @Override
    public void withdraw(Xid cid) {
      if (!announced.remove(cid)) {
        throw new IllegalStateException("not announced " + cid);
      }
    }

    @Override
    public void serveContent(ContentReceiver receiver) {
      content = receiver;
    }

    void arrive(byte[] bytes) {
      View view = new View(bytes);
      Xid intent = view.destination().intent();
      Xid ad = view.destination().first(XidType.AD);
      if (ad != null && !ad.equals(address.ad())) {
        return; // this host has moved away from there
      }
      if (intent.is(XidType.CID)) {
        if (announced.contains(intent)) {
          content.request(view);
        } else {
          report(view);
        }
        return;
      }
      PacketReceiver receiver = intent.equals(address.hid()) ? content : bound.get(intent);
      if (receiver != null) {
        receiver.packet(view);
      }
    }

    private void report(View packet) {
      Dag to = packet.source();
      Dag undeliverable = packet.destination();
      Host target = hosts.get(to.host());
      if (target == null) {
        return;
      }
      DeliveryReport report =
          new DeliveryReport(
              DeliveryReport.Reason.UNREACHABLE,
              undeliverable.intent(),
              undeliverable,
              address.host(),
              0,
              quoted(packet));
      byte[] placeholder = new byte[150];
      up.send(
          placeholder,
          p ->
              target.down.send(
                  p,
                  q -> {
                    PacketReceiver receiver =
                        to.intent().equals(target.address.hid())
                            ? target.content
                            : target.bound.get(to.intent());
                    if (receiver != null) {
                      receiver.undeliverable(report);
                    }
                  }));
    }

    private long quoted(View packet) {
      int at = packet.payloadOffset();
      if (at + 1 < packet.end()) {
        at += Byte.toUnsignedInt(packet.buffer().get(at + 1));
      }
      return at + Long.BYTES <= packet.end() ? packet.buffer().getLong(at) : 0;
    }

    /** A packet as a router on the way would show it to its content store. */
    void seePassing(byte[] bytes) {
      content.passing(new View(bytes));
    }
  }

  /** A packet in an array. */
  static final class View implements PacketView {
    private final ByteBuffer buffer;
    private final int destinationNodes;
    private final int sourceNodes;

    View(byte[] bytes) {
      buffer = ByteBuffer.wrap(bytes);
      destinationNodes = bytes[5];
      sourceNodes = bytes[6];
    }

    private Dag dag(int offset, int size) {
      List<Xid> nodes = new ArrayList<>();
      List<int[]> edges = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        nodes.add(Xid.read(buffer, offset + i * Dag.NODE_LENGTH));
        int[] out = new int[4];
        for (int k = 0; k < 4; k++) {
          out[k] = buffer.get(offset + i * Dag.NODE_LENGTH + Xid.LENGTH + k) & 0x7f;
        }
        edges.add(out);
      }
      return Dag.of(nodes, edges);
    }

    @Override
    public ByteBuffer buffer() {
      return buffer;
    }

    @Override
    public int xipOffset() {
      return 0;
    }

    @Override
    public int payloadOffset() {
      return 8 + (destinationNodes + sourceNodes) * Dag.NODE_LENGTH;
    }

    @Override
    public int end() {
      return buffer.limit();
    }

    @Override
    public int nextHeader() {
      return buffer.get(1);
    }

    @Override
    public Xid deliveredTo() {
      return destination().intent();
    }

    @Override
    public Xid sourceIntent() {
      return source().intent();
    }

    @Override
    public Dag source() {
      return dag(8 + destinationNodes * Dag.NODE_LENGTH, sourceNodes);
    }

    @Override
    public Dag destination() {
      return dag(8, destinationNodes);
    }

    @Override
    public int inPort() {
      return 0;
    }
  }

  static Xid xid(XidType type, int number) {
    return Xid.of(type.code(), 0x1234567800000000L, 0, number);
  }
}
