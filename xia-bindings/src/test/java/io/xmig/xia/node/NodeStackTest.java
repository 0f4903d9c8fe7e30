package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.chunk.ChunkBuffers;
import io.xmig.xia.node.chunk.ChunkOptions;
import io.xmig.xia.node.stream.StreamOptions;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import io.xmig.xia.testkit.ByteFlow;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import io.xmig.xia.wire.XcmpFlyweight;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NodeStackTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Xid SERVICE = Topologies.sid(7);

  private final SimNetwork net = new SimNetwork(1);
  private final Topologies.TwoHosts at = Topologies.twoHosts(net, LinkProfile.delayMs(2));
  private final NodeStack stack0 = net.stack(at.host0());
  private final NodeStack stack1 = net.stack(at.host1());

  /** A profile that a seed determines: from clean to nasty. */
  private static LinkProfile nasty(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    return LinkProfile.delayMs(random.nextInt(1, 40))
        .withJitter(Duration.ofMillis(random.nextInt(10)))
        .withLoss(random.nextInt(4) * 0.02)
        .withReorder(random.nextInt(3) * 0.03, Duration.ofMillis(20))
        .withDuplicate(random.nextInt(3) * 0.02);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void streamsArriveWholeOverABadNetwork(long seed) {
    SimNetwork bad = new SimNetwork(seed);
    Topologies.Chain chain = Topologies.chain(bad, 3, nasty(seed).withCorrupt(seed % 3 * 0.01));
    ByteFlow[] server = new ByteFlow[1];
    StreamListener listener =
        bad.await(
            bad.stack(chain.host1())
                .listen(
                    SERVICE,
                    16,
                    connection -> server[0] = new ByteFlow(2, 50_000, 1).start(connection)));
    ByteFlow client = new ByteFlow(1, 120_000, 2);
    StreamConnection connection =
        bad.await(bad.stack(chain.host0()).connect(listener.localDag(), MINUTE, client));
    client.start(connection);
    boolean done =
        bad.runUntil(
            () -> client.sawEnd() && server[0] != null && server[0].sawEnd(),
            Duration.ofMinutes(10));
    assertThat(done).isTrue();
    assertThat(client.isIntact()).isTrue();
    assertThat(client.bytesRead()).isEqualTo(50_000);
    assertThat(server[0].isIntact()).isTrue();
    assertThat(server[0].bytesRead()).isEqualTo(120_000);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void chunksArriveWholeOverABadNetwork(long seed) {
    SimNetwork bad = new SimNetwork(seed);
    Topologies.Chain chain =
        Topologies.chain(bad, 2, nasty(seed), config -> config.withCacheContent(seed % 2 == 0));
    CacheSlice slice = bad.await(bad.stack(chain.host0()).allocateSlice(SliceOptions.unlimited()));
    ChunkSocket socket = bad.await(bad.stack(chain.host1()).openChunks());
    List<Dag> dags = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 8; i++) {
      byte[] data = new byte[1 + random.nextInt(60_000)];
      random.nextBytes(data);
      Xid cid = Cid.of(data);
      bad.await(slice.put(cid, ByteBuffer.wrap(data)));
      dags.add(slice.dagOf(cid));
    }
    Fetched fetched = new Fetched();
    dags.forEach(dag -> socket.request(dag, ChunkSocket.UNKNOWN_LENGTH, fetched));
    assertThat(bad.runUntil(() -> fetched.good + fetched.failed == 8, Duration.ofMinutes(10)))
        .isTrue();
    assertThat(fetched.good).isEqualTo(8);
  }

  private static final class Fetched implements ChunkHandler {
    int good;
    int failed;

    @Override
    public void onChunk(Xid cid, ByteBuffer data) {
      assertThat(Cid.matches(cid, data)).isTrue();
      good++;
    }

    @Override
    public void onFailed(Xid cid, XiaSocketException cause) {
      failed++;
    }
  }

  @Test
  void aSeedReplaysToTheSameTrace() {
    assertThat(digestOfARun(5)).isEqualTo(digestOfARun(5)).isNotEqualTo(digestOfARun(6));
  }

  private static long digestOfARun(long seed) {
    SimNetwork run = new SimNetwork(seed);
    Topologies.TwoHosts on = Topologies.twoHosts(run, nasty(seed));
    StreamListener listener =
        run.await(
            run.stack(on.host1())
                .listen(SERVICE, 4, connection -> new ByteFlow(2, 20_000, 1).start(connection)));
    ByteFlow client = new ByteFlow(1, 20_000, 2);
    run.stack(on.host0()).connect(listener.localDag(), MINUTE, client).thenAccept(client::start);
    run.run(Duration.ofSeconds(20));
    return run.digest();
  }

  @Test
  void datagramsTravelBetweenSocketsOfOneNodeWithoutALink() {
    List<String> heard = new ArrayList<>();
    DatagramSocket[] echo = new DatagramSocket[1];
    echo[0] =
        net.await(
            stack0.openDatagram(SERVICE, (source, payload, port) -> echo[0].send(source, payload)));
    DatagramSocket client =
        net.await(
            stack0.openDatagram(null, (source, payload, port) -> heard.add(text(payload) + port)));
    client.send(echo[0].localDag(), bytes("here"));
    assertThat(heard).isEmpty();
    net.run(Duration.ofMillis(1));
    assertThat(heard).containsExactly("here-1");
    assertThat(at.host0().counters().get(NodeCounter.FRAMES_OUT)).isZero();
  }

  @Test
  void aBufferThatIsGivenBackReachesTheNodesMemory() {
    List<ByteBuffer> back = new ArrayList<>();
    ChunkBuffers memory =
        new ChunkBuffers() {
          @Override
          public ByteBuffer apply(int length) {
            return ByteBuffer.allocate(length);
          }

          @Override
          public void release(ByteBuffer buffer) {
            back.add(buffer);
          }
        };
    XiaNode node =
        new XiaNode(
            NodeConfig.host("host", at.host0().localAddress(), 0x0200_0000_0009L),
            at.host0().loop(),
            new Random(1),
            StreamOptions.defaults(),
            ChunkOptions.defaults().withAllocator(memory));
    ByteBuffer used = ByteBuffer.allocate(10);
    net.await(new NodeStack(node).openChunks()).recycle(used);
    assertThat(back).containsExactly(used);
  }

  @Test
  void refusesADatagramThatTheLinkCannotCarry() {
    DatagramSocket socket = net.await(stack0.openDatagram(null, (source, payload, port) -> {}));
    Dag far = at.host1().localAddress().service(SERVICE);
    ByteBuffer fits = ByteBuffer.allocate(stack0.capabilities().maxDatagramBytes());
    socket.send(far, fits);
    assertThatThrownBy(() -> socket.send(far, ByteBuffer.allocate(1500)))
        .isInstanceOfSatisfying(
            XiaSocketException.class, e -> assertThat(e.kind()).isEqualTo(Kind.MESSAGE_TOO_LONG));
  }

  @Test
  void refusesASecondBindingOfAServiceAndAllowsItAfterClose() {
    DatagramSocket first = net.await(stack0.openDatagram(SERVICE, (source, payload, port) -> {}));
    assertThatThrownBy(
            () -> net.await(stack0.listen(SERVICE, 1, connection -> new ByteFlow(1, 0, 1))))
        .isInstanceOfSatisfying(
            XiaSocketException.class, e -> assertThat(e.kind()).isEqualTo(Kind.ADDRESS_IN_USE));
    first.close();
    net.await(stack0.listen(SERVICE, 1, connection -> new ByteFlow(1, 0, 1))).close();
  }

  @Test
  void everyXcmpSocketHearsEveryReply() {
    List<List<Integer>> heard = new ArrayList<>();
    List<XcmpSocket> sockets = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      List<Integer> mine = new ArrayList<>();
      heard.add(mine);
      sockets.add(
          net.await(
              stack0.openXcmp(
                  (source, message) ->
                      mine.add(new XcmpFlyweight().wrap(message, 0, message.limit()).sequence()))));
    }
    for (int i = 0; i < 3; i++) {
      sockets.get(i).echo(at.host1().localAddress().host(), i, i, bytes("12345678"), 250);
    }
    net.run(Duration.ofSeconds(1));
    assertThat(heard).allSatisfy(mine -> assertThat(mine).containsExactly(0, 1, 2));
  }

  @Test
  void answersAnEchoRequestThatJustFitsTheLink() {
    List<Integer> heard = new ArrayList<>();
    XcmpSocket socket =
        net.await(stack0.openXcmp((source, message) -> heard.add(message.remaining())));
    Dag to = at.host1().localAddress().host();
    int headers = 8 + 28 * 5 + 8;
    socket.echo(to, 1, 1, ByteBuffer.allocate(1500 - headers), 250);
    net.run(Duration.ofSeconds(1));
    assertThat(heard).containsExactly(1500 - headers + 8);
  }

  @Test
  void socketsFollowTheHostToAnotherDomain() {
    List<Dag> heard = new ArrayList<>();
    net.await(stack1.openDatagram(SERVICE, (source, payload, port) -> heard.add(source)));
    DatagramSocket mover = net.await(stack0.openDatagram(null, (source, payload, port) -> {}));
    net.await(stack0.updateAd(Topologies.ad(9), null));
    mover.send(at.host1().localAddress().service(SERVICE), bytes("moved"));
    net.run(Duration.ofSeconds(1));
    assertThat(heard).containsExactly(mover.localDag());
    assertThat(mover.localDag().node(0)).isEqualTo(Topologies.ad(9));
    assertThat(net.await(stack0.readHandler("./xrc/n/proc/rt_AD.list")))
        .contains(Topologies.ad(9) + ",-2,,0")
        .doesNotContain(Topologies.ad(0).toString());
  }

  @Test
  void closingAStackClosesWhatItOpenedAndNothingElse() {
    NodeStack other = net.stack(at.host0());
    DatagramSocket stays = net.await(other.openDatagram(SERVICE, (source, payload, port) -> {}));
    net.await(stack0.openDatagram(Topologies.sid(8), (source, payload, port) -> {}));
    net.await(stack0.listen(Topologies.sid(9), 1, connection -> new ByteFlow(1, 0, 1)));
    net.await(stack0.openXcmp((source, message) -> {}));
    stack0.close();
    assertThat(at.host0().routes(XidType.SID).list()).isEqualTo("-,-7,,0\n" + SERVICE + ",-2,,0\n");
    assertThatThrownBy(() -> net.await(stack0.openChunks())).isInstanceOf(XiaSocketException.class);
    stays.close();
  }

  @Test
  void connectingToAServiceThatIsNotThereIsRefused() {
    assertThatThrownBy(
            () ->
                net.await(
                    stack0.connect(
                        at.host1().localAddress().service(SERVICE), MINUTE, new ByteFlow(1, 0, 1))))
        .isInstanceOfSatisfying(
            XiaSocketException.class, e -> assertThat(e.kind()).isEqualTo(Kind.REFUSED));
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static String text(ByteBuffer payload) {
    return StandardCharsets.US_ASCII.decode(payload.duplicate()).toString();
  }
}
