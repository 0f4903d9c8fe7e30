package io.xmig.xia.socket.api;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
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
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.testkit.VirtualLoop;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A stack that notes what it is asked to do and does as the test says: the node of a recording. */
final class GoldenStack implements XiaStack {
  final List<String> calls = new ArrayList<>();
  final Map<Xid, StreamAcceptor> listeners = new HashMap<>();
  final Map<Xid, ChunkHandler> requests = new HashMap<>();
  final VirtualLoop loop = new VirtualLoop();
  LocalAddress address;
  @Nullable Dag nameServer;
  @Nullable StreamHandler connecting;
  @Nullable CompletableFuture<StreamConnection> connected;
  @Nullable DatagramHandler datagrams;
  @Nullable XcmpHandler xcmp;

  GoldenStack(LocalAddress address) {
    this.address = address;
  }

  static String hex(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    return HexFormat.of().formatHex(copy);
  }

  /** A connection with given names; collects what is written, gives what the test puts in. */
  static final class Connection implements StreamConnection {
    final StringBuilder written = new StringBuilder();
    private final Dag local;
    private final Dag remote;
    ByteBuffer readable = ByteBuffer.allocate(0);

    Connection(Dag local, Dag remote) {
      this.local = local;
      this.remote = remote;
    }

    @Override
    public Dag localDag() {
      return local;
    }

    @Override
    public Dag remoteDag() {
      return remote;
    }

    @Override
    public int write(ByteBuffer source) {
      int count = source.remaining();
      written.append(hex(source));
      source.position(source.limit());
      return count;
    }

    @Override
    public int read(ByteBuffer target) {
      int count = Math.min(target.remaining(), readable.remaining());
      target.put(readable.slice().limit(count));
      readable.position(readable.position() + count);
      return count;
    }

    @Override
    public long unacknowledged() {
      return 0;
    }

    @Override
    public void shutdownOutput() {}

    @Override
    public void abort() {}

    @Override
    public void close() {}
  }

  @Override
  public EventLoop loop() {
    return loop;
  }

  @Override
  public StackCapabilities capabilities() {
    return new StackCapabilities("golden", 1 << 20, 1300, true, true, true);
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
  public Runnable onLinkEvent(Consumer<LinkEvent> listener) {
    return () -> {};
  }

  @Override
  public CompletableFuture<Void> updateAd(Xid ad, @Nullable Xid fourId) {
    calls.add("updateAd " + ad + " " + fourId);
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletableFuture<@Nullable Dag> nameServer() {
    return CompletableFuture.completedFuture(nameServer);
  }

  @Override
  public CompletableFuture<Void> updateNameServer(Dag server) {
    nameServer = server;
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletableFuture<StreamListener> listen(Xid sid, int backlog, StreamAcceptor acceptor) {
    listeners.put(sid, acceptor);
    return CompletableFuture.completedFuture(
        new StreamListener() {
          @Override
          public Dag localDag() {
            return address.service(sid);
          }

          @Override
          public void close() {
            calls.add("close " + sid);
          }
        });
  }

  @Override
  public CompletableFuture<StreamConnection> connect(
      Dag remote, Duration timeout, StreamHandler handler) {
    calls.add("connect " + remote);
    connecting = handler;
    connected = new CompletableFuture<>();
    return connected;
  }

  @Override
  public CompletableFuture<DatagramSocket> openDatagram(
      @Nullable Xid sid, DatagramHandler handler) {
    datagrams = handler;
    return CompletableFuture.completedFuture(
        new DatagramSocket() {
          @Override
          public Dag localDag() {
            return sid == null ? address.host() : address.service(sid);
          }

          @Override
          public void send(Dag destination, ByteBuffer payload) {
            calls.add("send " + destination + " " + hex(payload));
          }

          @Override
          public void close() {}
        });
  }

  @Override
  public CompletableFuture<XcmpSocket> openXcmp(XcmpHandler handler) {
    xcmp = handler;
    return CompletableFuture.completedFuture(
        new XcmpSocket() {
          @Override
          public void echo(Dag destination, int id, int sequence, ByteBuffer data, int hopLimit) {
            calls.add("echo " + destination + " " + id + " " + sequence + " " + hopLimit);
          }

          @Override
          public void close() {}
        });
  }

  @Override
  public CompletableFuture<CacheSlice> allocateSlice(SliceOptions options) {
    calls.add("slice " + options.maxBytes() + " " + options.ttl().toSeconds());
    return CompletableFuture.completedFuture(
        new CacheSlice() {
          @Override
          public CompletableFuture<Void> put(Xid cid, ByteBuffer data) {
            calls.add("put " + cid.idHex());
            return CompletableFuture.completedFuture(null);
          }

          @Override
          public void remove(Xid cid) {
            calls.add("remove " + cid.idHex());
          }

          @Override
          public Dag dagOf(Xid cid) {
            return address.chunk(cid);
          }

          @Override
          public void close() {}
        });
  }

  @Override
  public CompletableFuture<ChunkSocket> openChunks() {
    return CompletableFuture.completedFuture(
        new ChunkSocket() {
          @Override
          public void request(Dag chunk, int length, ChunkHandler handler) {
            requests.put(chunk.intent(), handler);
          }

          @Override
          public void cancel(Xid cid) {}

          @Override
          public void close() {}
        });
  }

  @Override
  public CompletableFuture<String> readHandler(String path) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Void> writeHandler(String path, String value) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
