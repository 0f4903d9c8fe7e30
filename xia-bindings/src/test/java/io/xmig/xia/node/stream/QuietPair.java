package io.xmig.xia.node.stream;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * Two transports joined by two rings of buffers, with a clock that ticks a fixed time per packet:
 * nothing here allocates per packet, so that what is measured is the transport's.
 */
final class QuietPair {
  private static final int RING = 4096;
  private static final long TICK_NS = 1_000;
  private static final int HEADER = 8 + 6 * Dag.NODE_LENGTH;

  private final Side client = new Side(1);
  private final Side server = new Side(2);
  private final byte[] bytes = new byte[64 << 10];
  private final ByteBuffer source = ByteBuffer.wrap(bytes);
  private final ByteBuffer target = ByteBuffer.allocateDirect(256 << 10);
  private final StreamConnection writer;
  private final StreamTransport clientTransport;
  private long nowNs = 1_000_000_000L;
  private long read;

  QuietPair(int maxPacket, StreamOptions options) {
    client.maxPacket = maxPacket;
    server.maxPacket = maxPacket;
    client.peer = server;
    server.peer = client;
    StreamTransport serving = new StreamTransport(server, options);
    clientTransport = new StreamTransport(client, options);
    serving.listen(
        PairNet.sid(1),
        1,
        connection ->
            new StreamHandler() {
              @Override
              public void onReadable(StreamConnection from) {
                int n;
                while ((n = from.read(target.clear())) > 0) {
                  read += n;
                }
              }
            });
    var connecting =
        clientTransport.connect(
            PairNet.sid(2),
            server.localAddress().service(PairNet.sid(1)),
            Duration.ofSeconds(1),
            new StreamHandler() {});
    while (!connecting.isDone()) {
      step();
    }
    writer = connecting.join();
  }

  long packets() {
    return clientTransport.counters().packetsOut;
  }

  long read() {
    return read;
  }

  /** Writes and carries until this many bytes more have been read at the other end. */
  void transfer(long count) {
    long goal = read + count;
    while (read < goal) {
      if (!source.hasRemaining()) {
        source.clear();
      }
      writer.write(source);
      step();
    }
  }

  /** Lets a tick pass, or the time until the next timer if no packet is under way. */
  private void step() {
    nowNs += TICK_NS;
    if (client.head == client.tail && server.head == server.tail) {
      long next = Math.min(client.nextTimerNs(), server.nextTimerNs());
      nowNs = next == Long.MAX_VALUE ? nowNs : Math.max(nowNs, next);
    }
    client.step();
    server.step();
  }

  private static final class OneTimer implements EventLoop.Timer {
    long atNs = Long.MAX_VALUE;
    Runnable task = () -> {};

    @Override
    public void cancel() {
      atNs = Long.MAX_VALUE;
    }
  }

  private final class Side implements TransportContext, PacketView {
    private final LocalAddress address;
    private final ByteBuffer[] ring = new ByteBuffer[RING];
    private final ByteBuffer building = ByteBuffer.allocateDirect(66_000);
    private final OneTimer[] timers = new OneTimer[16];
    private final Random random = new Random(1);
    private int head;
    private int tail;
    private int maxPacket;
    private Side peer;
    private ByteBuffer arrived;
    private PacketReceiver receiver;
    private Xid sid;
    private Dag peerDag;

    Side(int number) {
      address = new LocalAddress(PairNet.ad(number), PairNet.hid(number), null);
      for (int i = 0; i < RING; i++) {
        ring[i] = ByteBuffer.allocateDirect(9_100);
      }
      for (int i = 0; i < timers.length; i++) {
        timers[i] = new OneTimer();
      }
    }

    long nextTimerNs() {
      long next = Long.MAX_VALUE;
      for (OneTimer each : timers) {
        next = Math.min(next, each.atNs);
      }
      return next;
    }

    void step() {
      for (OneTimer each : timers) {
        if (each.atNs <= nowNs) {
          each.atNs = Long.MAX_VALUE;
          each.task.run();
        }
      }
      while (head != tail) {
        arrived = ring[head++ & (RING - 1)];
        nowNs += TICK_NS;
        receiver.packet(this);
      }
    }

    @Override
    public long nowNs() {
      return nowNs;
    }

    @Override
    public RandomGenerator random() {
      return random;
    }

    @Override
    public EventLoop.Timer schedule(long delayNs, Runnable task) {
      for (OneTimer each : timers) {
        if (each.atNs == Long.MAX_VALUE) {
          each.atNs = nowNs + delayNs;
          each.task = task;
          return each;
        }
      }
      throw new AssertionError("more timers than a connection has");
    }

    @Override
    public LocalAddress localAddress() {
      return address;
    }

    @Override
    public Runnable onAddressChange(Consumer<LocalAddress> listener) {
      return () -> {};
    }

    @Override
    public ByteBuffer begin(Dag destination, Dag source, int nextHeader, int hopLimit) {
      building.clear().limit(maxPacket);
      building.put((byte) 1).put((byte) nextHeader).putShort((short) 0).put((byte) hopLimit);
      building.put((byte) destination.size()).put((byte) source.size()).put((byte) -1);
      building.put(destination.wireBytes()).put(source.wireBytes());
      peer.peerDag = source;
      return building;
    }

    @Override
    public boolean send(int payloadLength) {
      building.putShort(2, (short) payloadLength);
      int length = building.position();
      if (peer.tail - peer.head < RING) {
        ByteBuffer to = peer.ring[peer.tail++ & (RING - 1)];
        to.clear().limit(length);
        to.put(0, building, 0, length);
      }
      return true;
    }

    @Override
    public int maxPacketBytes(Dag destination) {
      return maxPacket;
    }

    @Override
    public boolean isBound(Xid wanted) {
      return wanted.equals(sid);
    }

    @Override
    public void bind(Xid wanted, PacketReceiver by) {
      sid = wanted;
      receiver = by;
    }

    @Override
    public void unbind(Xid wanted) {}

    @Override
    public void announce(Xid cid) {}

    @Override
    public void withdraw(Xid cid) {}

    @Override
    public void serveContent(ContentReceiver by) {}

    @Override
    public ByteBuffer buffer() {
      return arrived;
    }

    @Override
    public int xipOffset() {
      return 0;
    }

    @Override
    public int payloadOffset() {
      return HEADER;
    }

    @Override
    public int end() {
      return arrived.limit();
    }

    @Override
    public int nextHeader() {
      return arrived.get(1);
    }

    @Override
    public Xid deliveredTo() {
      return sid;
    }

    @Override
    public Xid sourceIntent() {
      return peer.sid;
    }

    @Override
    public Dag source() {
      return peerDag;
    }

    @Override
    public Dag destination() {
      return address.service(sid);
    }

    @Override
    public int inPort() {
      return 0;
    }
  }
}
