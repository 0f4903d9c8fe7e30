package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** A chunk server and a content cache on a context that throws packets away, for benchmarks. */
public final class BenchSupport {
  private static final int CHUNK_BYTES = 1 << 20;

  private final Sink context;
  private final ContentCache cache;
  private final ContentCache.Slice slice;
  private final ByteBuffer data = ByteBuffer.allocate(1024);
  private final ContentCache.Slice turning;
  private final Xid[] cids;
  private final ContentCache serving;
  private final ChunkServer server;
  private final ContentHeader header = new ContentHeader();
  private final Request request;
  private int next;

  /**
   * @param mtu largest packet
   * @param chunks number of chunks in the cache
   */
  public BenchSupport(int mtu, int chunks) {
    context = new Sink(mtu);
    ChunkOptions options = ChunkOptions.defaults();
    cache = new ContentCache(context, Long.MAX_VALUE, CHUNK_BYTES);
    slice = cache.allocate(slice(SliceOptions.Policy.LRU, 0));
    turning = cache.allocate(slice(SliceOptions.Policy.FIFO, 1000L * data.limit()));
    cids = new Xid[chunks];
    for (int i = 0; i < chunks; i++) {
      cids[i] = Xid.of(XidType.CID.code(), i * 0x9E3779B97F4A7C15L, i, i);
      slice.put(cids[i], data);
    }
    serving = new ContentCache(context, Long.MAX_VALUE, CHUNK_BYTES);
    serving.allocate(SliceOptions.unlimited()).put(cids[0], ByteBuffer.allocate(CHUNK_BYTES));
    server = new ChunkServer(context, serving, options, new ChunkCounters());
    request = new Request(cids[0], context.localAddress());
  }

  private static SliceOptions slice(SliceOptions.Policy policy, long bytes) {
    return new SliceOptions(policy, bytes, java.time.Duration.ZERO, false);
  }

  /** Looks up the next chunk of the cache; counts as a use. */
  public Object lookup() {
    next = (next + 7919) % cids.length;
    return cache.lookup(cids[next]);
  }

  /** Puts a chunk into a full FIFO slice, which evicts one. */
  public void putAndEvict() {
    turning.put(Xid.of(XidType.CID.code(), 1, 1, next++), data);
  }

  /**
   * Answers a request for 64 KiB.
   *
   * @return packets sent
   */
  public long answerRange() {
    long before = context.sent;
    if (!header.read(request.buffer, request.payloadOffset(), request.end())) {
      throw new IllegalStateException("the request is malformed");
    }
    server.request(request, header);
    return context.sent - before;
  }

  private static final class Request implements PacketView {
    final ByteBuffer buffer = ByteBuffer.allocate(512);
    private final Xid cid;
    private final Dag source;
    private final Dag destination;

    Request(Xid cid, LocalAddress from) {
      this.cid = cid;
      this.source = from.host();
      this.destination = from.chunk(cid);
      int bytes =
          new ContentHeader()
              .putRequest(buffer, 1, 0, 64 << 10, 65_535, ContentHeader.FLAG_COMPACT, true);
      buffer.limit(bytes);
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
      return 0;
    }

    @Override
    public int end() {
      return buffer.limit();
    }

    @Override
    public int nextHeader() {
      return XipFlyweight.NEXT_CONTENT;
    }

    @Override
    public Xid deliveredTo() {
      return cid;
    }

    @Override
    public Xid sourceIntent() {
      return source.intent();
    }

    @Override
    public Dag source() {
      return source;
    }

    @Override
    public Dag destination() {
      return destination;
    }

    @Override
    public int inPort() {
      return 0;
    }
  }

  private static final class Sink implements TransportContext {
    private final int mtu;
    private final ByteBuffer packet = ByteBuffer.allocateDirect(65_535);
    private final LocalAddress address =
        new LocalAddress(
            Xid.of(XidType.AD.code(), 1, 1, 1), Xid.of(XidType.HID.code(), 2, 2, 2), null);
    long sent;

    Sink(int mtu) {
      this.mtu = mtu;
    }

    @Override
    public long nowNs() {
      return 1;
    }

    @Override
    public RandomGenerator random() {
      return new SplittableRandom(1);
    }

    @Override
    public EventLoop.Timer schedule(long delayNs, Runnable task) {
      return () -> {};
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
    public ByteBuffer begin(Dag to, Dag from, int nextHeader, int hopLimit) {
      packet.clear().limit(mtu);
      packet.put((byte) 1).put((byte) nextHeader).putShort((short) 0).put((byte) hopLimit);
      packet.put((byte) to.size()).put((byte) from.size()).put((byte) -1);
      return packet.put(to.wireBytes()).put(from.wireBytes());
    }

    @Override
    public boolean send(int payloadLength) {
      sent++;
      return true;
    }

    @Override
    public int maxPacketBytes(Dag to) {
      return mtu;
    }

    @Override
    public boolean isBound(Xid sid) {
      return false;
    }

    @Override
    public void bind(Xid sid, PacketReceiver receiver) {}

    @Override
    public void unbind(Xid sid) {}

    @Override
    public void announce(Xid cid) {}

    @Override
    public void withdraw(Xid cid) {}

    @Override
    public void serveContent(ContentReceiver receiver) {}
  }
}
