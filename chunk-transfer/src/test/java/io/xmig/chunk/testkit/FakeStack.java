package io.xmig.chunk.testkit;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.DatagramHandler;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.StackCapabilities;
import io.xmig.xia.socket.StreamAcceptor;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XcmpHandler;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One host of a {@link FakeNetwork}. */
public final class FakeStack implements XiaStack {
  private static final Xid DOMAIN = Xid.of(XidType.AD.code(), 1L << 60, 0, 0);

  final FakeNetwork net;
  private final Xid hid;
  private final int maxChunkBytes;
  private Xid ad = DOMAIN;
  private final Map<Xid, StreamAcceptor> listeners = new HashMap<>();
  private final Map<Xid, ByteBuffer> chunks = new HashMap<>();
  private final Set<FakeConnection> connections = new HashSet<>();
  private final List<Consumer<LocalAddress>> addressListeners = new ArrayList<>();
  private boolean dead;
  private long maxCachedBytes;
  private long cachedBytes;
  private long sliceLimit = Long.MAX_VALUE;

  FakeStack(FakeNetwork net, Xid hid, int maxChunkBytes) {
    this.net = net;
    this.hid = hid;
    this.maxChunkBytes = maxChunkBytes;
  }

  /** Most bytes that were in the cache at once. */
  public long maxCachedBytes() {
    return maxCachedBytes;
  }

  /** Chunks in the cache. */
  public int cachedChunks() {
    return chunks.size();
  }

  /** Puts fail beyond this. */
  public void sliceLimit(long bytes) {
    sliceLimit = bytes;
  }

  /** The process on this host dies: its connections are reset, its chunks and services gone. */
  public void kill() {
    dead = true;
    net.note(3);
    listeners.clear();
    chunks.clear();
    for (FakeConnection connection : List.copyOf(connections)) {
      connection.die();
    }
  }

  /** Whether {@link #kill} was called. */
  public boolean isDead() {
    return dead;
  }

  void onMended() {
    List.copyOf(connections).forEach(FakeConnection::onMended);
  }

  void forget(FakeConnection connection) {
    connections.remove(connection);
  }

  @Override
  public EventLoop loop() {
    return net.loop;
  }

  @Override
  public StackCapabilities capabilities() {
    return new StackCapabilities("fake", maxChunkBytes, 1000, true, true, true);
  }

  @Override
  public LocalAddress localAddress() {
    return new LocalAddress(ad, hid, null);
  }

  @Override
  public Runnable onAddressChange(Consumer<LocalAddress> listener) {
    addressListeners.add(listener);
    return () -> addressListeners.remove(listener);
  }

  @Override
  public Runnable onLinkEvent(Consumer<LinkEvent> listener) {
    return () -> {};
  }

  @Override
  public CompletableFuture<Void> updateAd(Xid newAd, @Nullable Xid fourId) {
    ad = newAd;
    List.copyOf(addressListeners).forEach(l -> l.accept(localAddress()));
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletableFuture<@Nullable Dag> nameServer() {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletableFuture<Void> updateNameServer(Dag nameServer) {
    return CompletableFuture.completedFuture(null);
  }

  private <T> CompletableFuture<T> later(T value) {
    CompletableFuture<T> future = new CompletableFuture<>();
    net.loop.execute(
        () -> {
          if (!dead) {
            future.complete(value);
          }
        });
    return future;
  }

  private static <T> CompletableFuture<T> failed(Kind kind, String what) {
    return CompletableFuture.failedFuture(new XiaSocketException(kind, what));
  }

  @Override
  public CompletableFuture<StreamListener> listen(Xid sid, int backlog, StreamAcceptor acceptor) {
    if (listeners.containsKey(sid)) {
      return failed(Kind.ADDRESS_IN_USE, "the service is bound already");
    }
    listeners.put(sid, acceptor);
    return later(
        new StreamListener() {
          @Override
          public Dag localDag() {
            return localAddress().service(sid);
          }

          @Override
          public void close() {
            listeners.remove(sid);
          }
        });
  }

  @Override
  public CompletableFuture<StreamConnection> connect(
      Dag remote, Duration timeout, StreamHandler handler) {
    CompletableFuture<StreamConnection> result = new CompletableFuture<>();
    long limit = timeout.toNanos();
    net.loop.schedule(
        limit,
        () -> {
          if (!dead) {
            result.completeExceptionally(new XiaSocketException(Kind.TIMED_OUT, "no answer"));
          }
        });
    if (net.partitioned) {
      return result;
    }
    net.loop.schedule(
        net.travelNs(),
        () -> {
          FakeStack peer = net.owner(remote);
          if (net.partitioned || dead) {
            return;
          }
          StreamAcceptor acceptor = peer == null ? null : peer.listeners.get(remote.intent());
          if (peer == null || acceptor == null) {
            net.loop.schedule(
                net.travelNs(),
                () -> {
                  if (!dead) {
                    result.completeExceptionally(
                        new XiaSocketException(Kind.REFUSED, "nobody listens there"));
                  }
                });
            return;
          }
          FakeConnection here = new FakeConnection(this, remote, handler);
          FakeConnection there = new FakeConnection(peer, localAddress().host(), null);
          here.pair(there);
          connections.add(here);
          peer.connections.add(there);
          there.handler(acceptor.accept(there));
          net.loop.schedule(
              net.travelNs(),
              () -> {
                if (!dead && !result.complete(here)) {
                  here.abort();
                }
              });
        });
    return result;
  }

  @Override
  public CompletableFuture<CacheSlice> allocateSlice(SliceOptions options) {
    return later(new Slice());
  }

  private final class Slice implements CacheSlice {
    @Override
    public CompletableFuture<Void> put(Xid cid, ByteBuffer data) {
      if (data.remaining() > maxChunkBytes) {
        return failed(Kind.MESSAGE_TOO_LONG, "chunk too large");
      }
      if (cachedBytes + data.remaining() > sliceLimit) {
        return failed(Kind.NO_SPACE, "slice full");
      }
      if (chunks.put(cid, data.slice()) != null) {
        throw new AssertionError("chunk put twice: " + cid);
      }
      cachedBytes += data.remaining();
      maxCachedBytes = Math.max(maxCachedBytes, cachedBytes);
      return later(null);
    }

    @Override
    public void remove(Xid cid) {
      ByteBuffer gone = chunks.remove(cid);
      if (gone != null) {
        cachedBytes -= gone.remaining();
      }
    }

    @Override
    public Dag dagOf(Xid cid) {
      return localAddress().chunk(cid);
    }

    @Override
    public void close() {
      chunks.clear();
      cachedBytes = 0;
    }
  }

  @Override
  public CompletableFuture<ChunkSocket> openChunks() {
    return later(new Chunks());
  }

  private final class Chunks implements ChunkSocket {
    private final Map<Xid, Object> outstanding = new HashMap<>();

    @Override
    public void request(Dag chunk, int length, ChunkHandler handler) {
      Xid cid = chunk.intent();
      Object token = new Object();
      if (outstanding.put(cid, token) != null) {
        throw new AssertionError("chunk requested twice at once: " + cid);
      }
      net.note(cid.hashCode());
      if (net.random.nextDouble() < net.chunkSilence) {
        return;
      }
      boolean fails = net.random.nextDouble() < net.chunkFailure;
      boolean corrupt = net.random.nextDouble() < net.chunkCorruption;
      if (net.partitioned || fails) {
        fail(cid, token, handler, net.random.nextLong(2_000_000_000L) + 50_000_000L);
        return;
      }
      net.loop.schedule(
          net.travelNs(),
          () -> {
            FakeStack owner = net.owner(chunk);
            ByteBuffer data = owner == null ? null : owner.chunks.get(cid);
            boolean wrongWay = owner != null && !chunk.equals(owner.localAddress().chunk(cid));
            if (data == null || wrongWay || net.partitioned) {
              fail(cid, token, handler, net.travelNs());
              return;
            }
            ByteBuffer copy = ByteBuffer.allocate(data.remaining()).put(data.duplicate()).flip();
            if (corrupt) {
              int at = net.random.nextInt(copy.remaining());
              copy.put(at, (byte) (copy.get(at) ^ 1 << net.random.nextInt(8)));
            }
            net.loop.schedule(
                net.arrivalDelayNs(copy.remaining()),
                () -> {
                  if (net.partitioned) {
                    fail(cid, token, handler, 1_000_000_000L);
                  } else if (!dead && outstanding.remove(cid, token)) {
                    handler.onChunk(cid, copy);
                  }
                });
          });
    }

    private void fail(Xid cid, Object token, ChunkHandler handler, long delayNs) {
      net.loop.schedule(
          delayNs,
          () -> {
            if (!dead && outstanding.remove(cid, token)) {
              handler.onFailed(cid, new XiaSocketException(Kind.TIMED_OUT, "no chunk"));
            }
          });
    }

    @Override
    public void cancel(Xid cid) {
      outstanding.remove(cid);
    }

    /** Spoils the bytes, so that whoever still uses them is found out. */
    @Override
    public void recycle(ByteBuffer data) {
      for (int i = 0; i < data.capacity(); i++) {
        data.put(i, (byte) 0xee);
      }
    }

    @Override
    public void close() {
      outstanding.clear();
    }
  }

  @Override
  public CompletableFuture<DatagramSocket> openDatagram(
      @Nullable Xid sid, DatagramHandler handler) {
    return failed(Kind.UNSUPPORTED, "datagrams");
  }

  @Override
  public CompletableFuture<XcmpSocket> openXcmp(XcmpHandler handler) {
    return failed(Kind.UNSUPPORTED, "XCMP");
  }

  @Override
  public CompletableFuture<String> readHandler(String path) {
    return failed(Kind.UNSUPPORTED, "handlers");
  }

  @Override
  public CompletableFuture<Void> writeHandler(String path, String value) {
    return failed(Kind.UNSUPPORTED, "handlers");
  }

  @Override
  public void close() {}
}
