package io.xmig.testbed.report;

import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One or two flows from one host through a router to hosts of their own, in virtual time: whole
 * nodes, every packet real. The link between server and router is the bottleneck.
 */
final class CongestionRun {
  /** What carries the bytes. */
  enum Transport {
    CHUNK,
    STREAM
  }

  /**
   * A path.
   *
   * @param megabit rate of the bottleneck
   * @param rttMs round trip without queues
   * @param loss share of the frames lost on the bottleneck, each way
   * @param buffer before the bottleneck, in bandwidth-delay products
   */
  record Path(double megabit, double rttMs, double loss, double buffer) {
    double bytesPerSecond() {
      return megabit * 1e6 / 8;
    }

    int mtu() {
      return megabit >= 1000 ? 9000 : 1500;
    }

    double bdpBytes() {
      return bytesPerSecond() * rttMs / 1e3;
    }

    int queueBytes() {
      return (int) Math.max(20 * mtu(), buffer * bdpBytes());
    }
  }

  private static final int CHUNK_BYTES = 256 << 10;
  private static final Xid SERVICE = Topologies.sid(7);

  private final SimNetwork net = new SimNetwork(42);
  private final Path path;
  private final NodeStack server;
  private final List<NodeStack> clients = new ArrayList<>();
  private final long[] received;

  private CongestionRun(Path path, int flows) {
    this.path = path;
    this.received = new long[flows];
    Xid ad = Topologies.ad(0);
    long[] macs = new long[flows + 1];
    for (int i = 0; i < macs.length; i++) {
      macs[i] = Topologies.mac(0, 0x20 + i);
    }
    XiaNode router = net.add(Topologies.routerConfig("router", ad, Topologies.rhid(0), macs));
    LinkProfile bottleneck =
        LinkProfile.delay(Duration.ofNanos((long) (path.rttMs() * 5e5)))
            .withRate((long) (path.megabit() * 1e6), path.queueBytes())
            .withLoss(path.loss())
            .withMtu(path.mtu());
    server = join("server", 1, router, 0, bottleneck);
    for (int i = 0; i < flows; i++) {
      LinkProfile free = LinkProfile.delay(Duration.ZERO).withMtu(path.mtu());
      clients.add(join("client" + i, 2 + i, router, 1 + i, free));
    }
  }

  private NodeStack join(String name, int number, XiaNode router, int port, LinkProfile profile) {
    XiaNode host =
        net.add(
            Topologies.hostConfig(
                name, Topologies.ad(0), Topologies.hid(number), Topologies.mac(number, 0x10)));
    Topologies.join(host, router);
    Topologies.host(router, host, port);
    net.link(host, 0, router, port, profile);
    return net.stack(host);
  }

  /**
   * Shares of the link's rate that reach each flow's application once all have settled; the second
   * flow begins a second after the first.
   */
  static double[] shares(Transport transport, Path path, int flows) {
    CongestionRun run = new CongestionRun(path, flows);
    for (int i = 0; i < flows; i++) {
      if (i > 0) {
        run.net.run(Duration.ofSeconds(1));
      }
      if (transport == Transport.CHUNK) {
        run.fetch(i);
      } else {
        run.read(i);
      }
    }
    long settleMs = (long) Math.max(flows > 1 ? 4000 : 1000, 30 * path.rttMs());
    long measureMs = (long) Math.max(2000, 60 * path.rttMs());
    run.net.run(Duration.ofMillis(settleMs));
    long[] before = run.received.clone();
    run.net.run(Duration.ofMillis(measureMs));
    double[] shares = new double[flows];
    for (int i = 0; i < flows; i++) {
      shares[i] = (run.received[i] - before[i]) / (path.bytesPerSecond() * measureMs / 1e3);
    }
    return shares;
  }

  /** The client asks for as many chunks at once as fill path and buffer, again and again. */
  private void fetch(int client) {
    int parallel = (int) Math.max(8, 3 * (path.bdpBytes() + path.queueBytes()) / CHUNK_BYTES);
    CacheSlice slice = net.await(server.allocateSlice(SliceOptions.unlimited()));
    SplittableRandom random = new SplittableRandom(client);
    List<Dag> chunks = new ArrayList<>();
    byte[] bytes = new byte[CHUNK_BYTES];
    for (int i = 0; i < 2 * parallel; i++) {
      random.nextBytes(bytes);
      ByteBuffer data = ByteBuffer.allocateDirect(CHUNK_BYTES).put(bytes).flip();
      Xid cid = Cid.of(data.duplicate());
      net.await(slice.put(cid, data));
      chunks.add(slice.dagOf(cid));
    }
    ChunkSocket socket = net.await(clients.get(client).openChunks());
    Fetcher fetcher = new Fetcher(client, socket, chunks);
    net.loop()
        .execute(
            () -> {
              for (int i = 0; i < parallel; i++) {
                fetcher.next();
              }
            });
  }

  private final class Fetcher implements ChunkHandler {
    private final int client;
    private final ChunkSocket socket;
    private final List<Dag> chunks;
    private int asked;

    Fetcher(int client, ChunkSocket socket, List<Dag> chunks) {
      this.client = client;
      this.socket = socket;
      this.chunks = chunks;
    }

    void next() {
      socket.request(chunks.get(asked++ % chunks.size()), CHUNK_BYTES, this);
    }

    @Override
    public void onChunk(Xid cid, ByteBuffer data) {
      received[client] += data.remaining();
      socket.recycle(data);
      next();
    }

    @Override
    public void onFailed(Xid cid, XiaSocketException cause) {
      throw new AssertionError(cause);
    }
  }

  /** The server writes to the client without end. */
  private void read(int client) {
    if (client == 0) {
      net.await(server.listen(SERVICE, 8, connection -> new Writer().begin(connection)));
    }
    Reader reader = new Reader(client);
    net.await(
        clients
            .get(client)
            .connect(server.localAddress().service(SERVICE), Duration.ofSeconds(20), reader));
  }

  private final class Writer implements StreamHandler {
    private final ByteBuffer zeroes = ByteBuffer.allocate(64 << 10);

    StreamHandler begin(StreamConnection connection) {
      net.loop().execute(() -> onWritable(connection));
      return this;
    }

    @Override
    public void onWritable(StreamConnection connection) {
      do {
        connection.write(zeroes.clear());
      } while (!zeroes.hasRemaining());
    }
  }

  private final class Reader implements StreamHandler {
    private final int client;
    private final ByteBuffer into = ByteBuffer.allocate(64 << 10);

    Reader(int client) {
      this.client = client;
    }

    @Override
    public void onReadable(StreamConnection connection) {
      for (int n = connection.read(into.clear()); n > 0; n = connection.read(into.clear())) {
        received[client] += n;
      }
    }
  }

  /** Jain's index of fairness. */
  static double jain(double[] shares) {
    double sum = 0;
    double squares = 0;
    for (double share : shares) {
      sum += share;
      squares += share * share;
    }
    return sum * sum / (shares.length * squares);
  }
}
