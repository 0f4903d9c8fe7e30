package io.xmig.xia.socket.ipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class IpcStackTest {
  @TempDir Path dir;
  private TwoNodes net;
  private final List<IpcStack> stacks = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    net = new TwoNodes(dir, 9000);
  }

  @AfterEach
  void stop() {
    stacks.forEach(IpcStack::close);
    net.close();
  }

  private IpcStack connect(int node) {
    IpcStack stack = net.connect(node);
    stacks.add(stack);
    return stack;
  }

  static Xid cidOf(byte[] data) throws Exception {
    return Xid.of(XidType.CID, MessageDigest.getInstance("SHA-1").digest(data));
  }

  static byte[] random(int length, long seed) {
    byte[] data = new byte[length];
    new Random(seed).nextBytes(data);
    return data;
  }

  /** Collects what a connection receives. */
  static final class Collector implements StreamHandler {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    final CompletableFuture<Integer> ended = new CompletableFuture<>();
    final CompletableFuture<String> closed = new CompletableFuture<>();
    private final ByteBuffer part = ByteBuffer.allocate(50_000);

    @Override
    public void onReadable(StreamConnection c) {
      int n;
      while ((n = c.read(part.clear())) > 0) {
        bytes.write(part.array(), 0, n);
      }
      if (n < 0) {
        ended.complete(bytes.size());
      }
    }

    @Override
    public void onClosed(StreamConnection c, @Nullable XiaSocketException cause) {
      closed.complete(cause == null ? "orderly" : cause.kind().name());
    }
  }

  /** Writes bytes as room comes. */
  static final class Writer implements StreamHandler {
    private final ByteBuffer data;
    final CompletableFuture<String> closed = new CompletableFuture<>();

    Writer(byte[] data) {
      this.data = ByteBuffer.wrap(data);
    }

    void go(StreamConnection c) {
      c.write(data);
      if (!data.hasRemaining()) {
        c.shutdownOutput();
      }
    }

    @Override
    public void onWritable(StreamConnection c) {
      go(c);
    }

    @Override
    public void onClosed(StreamConnection c, @Nullable XiaSocketException cause) {
      closed.complete(cause == null ? "orderly" : cause.kind().name());
    }
  }

  @Test
  void carriesAStreamBetweenTwoProcessesByteForByte() throws Exception {
    IpcStack server = connect(0);
    IpcStack client = connect(1);
    Collector collector = new Collector();
    var listener = TwoNodes.await(server, () -> server.listen(TwoNodes.SID, 5, c -> collector));
    byte[] data = random(5_000_000, 1);
    Writer writer = new Writer(data);
    StreamConnection connection =
        TwoNodes.await(
            client, () -> client.connect(listener.localDag(), Duration.ofSeconds(30), writer));
    TwoNodes.run(client, () -> writer.go(connection));
    assertThat(collector.ended.get(60, TimeUnit.SECONDS)).isEqualTo(data.length);
    assertThat(collector.bytes.toByteArray()).isEqualTo(data);
    await()
        .until(
            () ->
                TwoNodes.await(
                        client,
                        () -> CompletableFuture.completedFuture(connection.unacknowledged()))
                    == 0);
  }

  @Test
  void deliversWhatWasWrittenBeforeAnOrderlyEndEvenIfTheClientLeavesAtOnce() throws Exception {
    IpcStack server = connect(0);
    Collector collector = new Collector();
    var listener = TwoNodes.await(server, () -> server.listen(TwoNodes.SID, 5, c -> collector));
    IpcStack client = net.connect(1);
    byte[] data = random(200_000, 2);
    StreamConnection connection =
        TwoNodes.await(
            client,
            () ->
                client.connect(
                    listener.localDag(), Duration.ofSeconds(30), new StreamHandler() {}));
    TwoNodes.run(
        client,
        () -> {
          assertThat(connection.write(ByteBuffer.wrap(data))).isEqualTo(data.length);
          connection.close();
        });
    client.close();
    assertThat(collector.ended.get(60, TimeUnit.SECONDS)).isEqualTo(data.length);
    assertThat(collector.bytes.toByteArray()).isEqualTo(data);
  }

  @Test
  void aReaderThatDoesNotReadHoldsTheWriterBackAndTheNodesMemoryStaysBounded() throws Exception {
    IpcStack server = connect(0);
    IpcStack client = connect(1);
    AtomicReference<StreamConnection> accepted = new AtomicReference<>();
    var listener =
        TwoNodes.await(
            server,
            () ->
                server.listen(
                    TwoNodes.SID,
                    5,
                    c -> {
                      accepted.set(c);
                      return new StreamHandler() {};
                    }));
    StreamConnection connection =
        TwoNodes.await(
            client,
            () ->
                client.connect(
                    listener.localDag(), Duration.ofSeconds(30), new StreamHandler() {}));
    long[] written = new long[1];
    ByteBuffer part = ByteBuffer.allocate(64 << 10);
    long[] before = {-1};
    await()
        .pollInterval(Duration.ofMillis(100))
        .until(
            () -> {
              TwoNodes.run(
                  client,
                  () -> {
                    for (int i = 0; i < 100; i++) {
                      written[0] += connection.write(part.clear());
                    }
                  });
              boolean stuck = before[0] == written[0];
              before[0] = written[0];
              return stuck;
            });
    assertThat(written[0]).isBetween(256L << 10, 40L << 20);
    long[] read = new long[1];
    await()
        .pollInterval(Duration.ofMillis(5))
        .until(
            () -> {
              TwoNodes.run(server, () -> read[0] += Math.max(0, accepted.get().read(part.clear())));
              return read[0] == written[0];
            });
  }

  @Test
  void aClientThatDiesResetsItsConnectionsAndFreesItsService() throws Exception {
    IpcStack server = connect(0);
    AtomicReference<Collector> collector = new AtomicReference<>(new Collector());
    var listener =
        TwoNodes.await(server, () -> server.listen(TwoNodes.SID, 5, c -> collector.get()));
    IpcStack client = net.connect(1);
    TwoNodes.await(
        client,
        () -> client.connect(listener.localDag(), Duration.ofSeconds(30), new StreamHandler() {}));
    Xid service = Xid.parse("SID:0f00000000000000000000000000000000000099");
    TwoNodes.await(client, () -> client.openDatagram(service, (s, p, i) -> {}));
    TwoNodes.run(client, () -> client.channel().close("as after kill -9"));
    assertThat(collector.get().closed.get(60, TimeUnit.SECONDS)).isEqualTo("RESET");
    IpcStack next = connect(1);
    await()
        .untilAsserted(
            () ->
                assertThat(TwoNodes.await(next, () -> next.openDatagram(service, (s, p, i) -> {})))
                    .isNotNull());
    client.close();
  }

  @Test
  void connectionRefusedAndTimeOutArriveWithTheirKind() throws Exception {
    IpcStack client = connect(1);
    Dag nobody = Dag.path(TwoNodes.AD, Xid.parse("HID:" + "0".repeat(40)), TwoNodes.SID);
    assertThatThrownBy(
            () ->
                TwoNodes.await(
                    client,
                    () -> client.connect(nobody, Duration.ofMillis(800), new StreamHandler() {})))
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(XiaSocketException.class);
    TwoNodes.await(client, () -> client.openDatagram(TwoNodes.SID, (s, p, i) -> {}));
    assertThatThrownBy(
            () -> TwoNodes.await(client, () -> client.openDatagram(TwoNodes.SID, (s, p, i) -> {})))
        .cause()
        .isInstanceOfSatisfying(
            XiaSocketException.class, e -> assertThat(e.kind()).isEqualTo(Kind.ADDRESS_IN_USE));
  }

  @Test
  void sendsDatagramsAndEchoRequestsThroughTheNode() throws Exception {
    IpcStack a = connect(0);
    IpcStack b = connect(1);
    List<String> heard = Collections.synchronizedList(new ArrayList<>());
    DatagramSocket service =
        TwoNodes.await(
            a,
            () ->
                a.openDatagram(
                    TwoNodes.SID, (s, p, port) -> heard.add(p.remaining() + " by " + port)));
    DatagramSocket sender = TwoNodes.await(b, () -> b.openDatagram(null, (s, p, i) -> {}));
    TwoNodes.run(b, () -> sender.send(service.localDag(), ByteBuffer.allocate(1234)));
    await().until(() -> heard.equals(List.of("1234 by 0")));
    assertThat(sender.links()).isEqualTo(1);
    Dag everybody = Dag.path(Xid.BHID, TwoNodes.SID);
    TwoNodes.run(b, () -> sender.sendOn(0, everybody, ByteBuffer.allocate(7)));
    TwoNodes.run(b, () -> sender.sendOn(5, everybody, ByteBuffer.allocate(8))); // no such link
    await().until(() -> heard.equals(List.of("1234 by 0", "7 by 0")));
    assertThatThrownBy(
            () ->
                TwoNodes.run(b, () -> sender.send(service.localDag(), ByteBuffer.allocate(70_000))))
        .cause()
        .isInstanceOfSatisfying(
            XiaSocketException.class, e -> assertThat(e.kind()).isEqualTo(Kind.MESSAGE_TOO_LONG));
    List<Integer> replies = Collections.synchronizedList(new ArrayList<>());
    XcmpSocket ping =
        TwoNodes.await(b, () -> b.openXcmp((source, message) -> replies.add(message.remaining())));
    Dag host = TwoNodes.await(a, () -> CompletableFuture.completedFuture(a.localAddress().host()));
    TwoNodes.run(b, () -> ping.echo(host, 7, 1, ByteBuffer.allocate(56), 100));
    await().until(() -> !replies.isEmpty());
  }

  @Test
  void putsAndFetchesChunksAndRemovesThem() throws Exception {
    IpcStack a = connect(0);
    IpcStack b = connect(1);
    CacheSlice slice = TwoNodes.await(a, () -> a.allocateSlice(SliceOptions.unlimited()));
    ChunkSocket fetch = TwoNodes.await(b, b::openChunks);
    Map<Xid, byte[]> fetched = new ConcurrentHashMap<>();
    List<Xid> failed = Collections.synchronizedList(new ArrayList<>());
    ChunkHandler handler =
        new ChunkHandler() {
          @Override
          public void onChunk(Xid cid, ByteBuffer data) {
            byte[] bytes = new byte[data.remaining()];
            data.get(bytes);
            fetch.recycle(data);
            fetched.put(cid, bytes);
          }

          @Override
          public void onFailed(Xid cid, XiaSocketException cause) {
            failed.add(cid);
          }
        };
    int[] sizes = {0, 1, 1000, 70_000, 1 << 20, 1_500_000};
    for (int i = 0; i < 40; i++) {
      byte[] data = random(sizes[i % sizes.length], i);
      Xid cid = cidOf(data);
      ByteBuffer source =
          i % 2 == 0
              ? ByteBuffer.wrap(data)
              : ByteBuffer.allocateDirect(data.length).put(data).flip();
      TwoNodes.await(a, () -> slice.put(cid, source));
      Dag address = TwoNodes.await(a, () -> CompletableFuture.completedFuture(slice.dagOf(cid)));
      TwoNodes.run(b, () -> fetch.request(address, data.length, handler));
      await().until(() -> fetched.containsKey(cid) || failed.contains(cid));
      if (data.length > 0) { // what the node makes of an empty chunk is its own affair
        assertThat(fetched.get(cid)).as("chunk of %s bytes", data.length).isEqualTo(data);
      }
      TwoNodes.run(a, () -> slice.remove(cid));
    }
    assertThatThrownBy(
            () ->
                TwoNodes.await(
                    a, () -> slice.put(cidOf(new byte[0]), ByteBuffer.allocate(65 << 20))))
        .cause()
        .isInstanceOfSatisfying(
            XiaSocketException.class, e -> assertThat(e.kind()).isEqualTo(Kind.MESSAGE_TOO_LONG));
  }

  @Test
  void everyPendingOperationFailsWhenTheNodeStopsAndNamesTheSocket() throws Exception {
    IpcStack a = connect(0);
    IpcStack b = connect(1);
    ChunkSocket fetch = TwoNodes.await(b, b::openChunks);
    CompletableFuture<XiaSocketException> failure = new CompletableFuture<>();
    Xid nowhere = Xid.parse("CID:" + "7".repeat(40));
    TwoNodes.run(
        b,
        () ->
            fetch.request(
                b.localAddress()
                    .chunk(nowhere)
                    .replace(b.localAddress().hid(), Xid.parse("HID:" + "5".repeat(40))),
                100,
                new ChunkHandler() {
                  @Override
                  public void onChunk(Xid cid, ByteBuffer data) {}

                  @Override
                  public void onFailed(Xid cid, XiaSocketException cause) {
                    failure.complete(cause);
                  }
                }));
    Collector collector = new Collector();
    var listener = TwoNodes.await(a, () -> a.listen(TwoNodes.SID, 5, c -> new Collector()));
    TwoNodes.await(b, () -> b.connect(listener.localDag(), Duration.ofSeconds(30), collector));
    net.on(
        () -> {
          net.servers[1].close();
          return 0;
        });
    assertThat(failure.get(60, TimeUnit.SECONDS).kind()).isEqualTo(Kind.NODE);
    assertThat(failure.get()).hasMessageContaining("host1.api");
    assertThat(collector.closed.get(60, TimeUnit.SECONDS)).isEqualTo("NODE");
    assertThatThrownBy(() -> TwoNodes.await(b, () -> b.openChunks()))
        .cause()
        .isInstanceOfSatisfying(
            XiaSocketException.class, e -> assertThat(e.kind()).isEqualTo(Kind.NODE));
    assertThat(net.sockets[1]).doesNotExist();
  }

  @Test
  void saysWhatToStartWhenNobodyListens() throws Exception {
    assertThatThrownBy(() -> IpcStack.connect(dir.resolve("nobody.api")))
        .isInstanceOfSatisfying(
            XiaSocketException.class, e -> assertThat(e.kind()).isEqualTo(Kind.NODE))
        .hasMessageContaining("nobody.api")
        .hasMessageContaining("xmig node");
    assertThatThrownBy(() -> NodeStackProvider.onlyNode(dir.resolve("missing")))
        .hasMessageContaining("no XIA node is running");
    assertThatThrownBy(() -> NodeStackProvider.onlyNode(dir))
        .hasMessageContaining("several")
        .hasMessageContaining("host0.api");
    Files.createFile(dir.resolve("x"));
    assertThatThrownBy(() -> IpcStack.connect(dir.resolve("x")))
        .hasMessageContaining("ECONNREFUSED");
  }

  @Test
  void hearsOfMovesAndLinkEventsAndCallsHandlers() throws Exception {
    IpcStack client = connect(0);
    List<LinkEvent> events = Collections.synchronizedList(new ArrayList<>());
    List<Xid> domains = Collections.synchronizedList(new ArrayList<>());
    TwoNodes.run(
        client,
        () -> {
          client.onLinkEvent(events::add);
          client.onAddressChange(address -> domains.add(address.ad()));
        });
    DatagramSocket socket =
        TwoNodes.await(client, () -> client.openDatagram(TwoNodes.SID, (s, p, i) -> {}));
    LinkEvent rarp = new LinkEvent(LinkEvent.Kind.RARP, 0, 0x5254_0012_3456L);
    net.on(
        () -> {
          net.nodes[0].linkEvent(rarp);
          return 0;
        });
    await().until(() -> events.equals(List.of(rarp)));
    Xid elsewhere = Xid.parse("AD:" + "2".repeat(40));
    TwoNodes.await(client, () -> client.updateAd(elsewhere, null));
    await().until(() -> domains.equals(List.of(elsewhere)));
    await()
        .until(
            () ->
                TwoNodes.await(client, () -> CompletableFuture.completedFuture(socket.localDag()))
                    .nodes()
                    .contains(elsewhere));
    Dag nameServer = Dag.path(TwoNodes.AD, Xid.SID_NS);
    assertThat(TwoNodes.await(client, client::nameServer)).isNull();
    TwoNodes.await(client, () -> client.updateNameServer(nameServer));
    assertThat(TwoNodes.await(client, client::nameServer)).isEqualTo(nameServer);
    TwoNodes.await(
        client, () -> client.writeHandler("./xrc/n/proc/rt_AD.set", "AD:" + "3".repeat(40) + " 0"));
    assertThat(TwoNodes.await(client, () -> client.readHandler("./xrc/n/proc/rt_AD.list")))
        .contains("3".repeat(40));
  }
}
