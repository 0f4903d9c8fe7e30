package io.xmig.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.lab.Domains;
import io.xmig.adapt.lab.TestKeys;
import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimLink;
import io.xmig.xia.testkit.SimNetwork;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Connections, datagrams and chunks go on when a machine, or both machines, wake up elsewhere. */
class MovingConnectionsTest {
  private static final Xid SID = Xid.parse("SID:" + "c".repeat(40));
  private static final long LOCAL_NS = 100_000;
  private static final int WAN_MS = 10;
  private static final int FRIENDS_PORT = 10;
  private static final Duration MARGIN = Duration.ofMillis(5);

  /** Far less than the pause that a sender has come to after half a second of silence. */
  private static final Duration BACKED_OFF = Duration.ofMillis(200);

  /** One end of a connection: writes a growing pattern all the time, checks what it reads. */
  private static final class End implements StreamHandler {
    final SimNetwork net;
    final ByteBuffer in = ByteBuffer.allocate(64 << 10);
    @Nullable StreamConnection connection;
    long written;
    long read;
    long awaited = Long.MAX_VALUE;
    long resumedNs;
    boolean broken;

    End(SimNetwork net) {
      this.net = net;
    }

    void begin(StreamConnection opened) {
      connection = opened;
      net.loop().schedule(0, this::write);
    }

    private void write() {
      if (connection != null && !broken) {
        ByteBuffer out = ByteBuffer.allocate(200);
        for (int i = 0; i < out.capacity(); i++) {
          out.put(i, pattern(written + i));
        }
        written += connection.write(out);
        net.loop().schedule(1_000_000, this::write);
      }
    }

    /** Notes when more than this has been read. */
    void awaits(long bytes) {
      awaited = bytes;
      resumedNs = 0;
    }

    private static byte pattern(long at) {
      return (byte) (at * 31 + (at >>> 11));
    }

    @Override
    public void onReadable(StreamConnection from) {
      in.clear();
      for (int n = from.read(in); n > 0; n = from.read(in.clear())) {
        for (int i = 0; i < n; i++) {
          assertThat(in.get(i)).isEqualTo(pattern(read + i));
        }
        read += n;
      }
      if (read > awaited) {
        awaited = Long.MAX_VALUE;
        resumedNs = net.loop().nanoTime();
      }
    }

    @Override
    public void onClosed(StreamConnection closed, @Nullable XiaSocketException cause) {
      broken = true;
    }
  }

  private final SimNetwork net;
  private final Domains lab;
  private final End atVm;
  private final End atFriend;
  private XiaNode friend;
  private Agent friendAgent;
  private SimLink friendLink;

  MovingConnectionsTest() {
    net = new SimNetwork(11);
    lab = new Domains(net, 4, LinkProfile.delay(Duration.ofNanos(LOCAL_NS)));
    lab.chain(LinkProfile.delayMs(WAN_MS));
    atVm = new End(net);
    atFriend = new End(net);
  }

  /** The machine in AD 0 and its friend in AD 3 are connected, and both talk. */
  private void connect() {
    Signer key = TestKeys.signer("friend");
    friend =
        net.add(
            NodeConfig.host(
                "friend",
                new LocalAddress(Xid.parse("AD:" + "9".repeat(40)), key.identity().hid(), null),
                0x525400777777L));
    plugFriend(3, false);
    lab.plugVm(0);
    lab.start();
    XiaStack stack = net.stack(friend);
    friendAgent =
        new Agent(
            stack,
            AgentConfig.signed(key, lab.trust).withMac(0x525400777777L),
            TestKeys.verifier(),
            net.newRandom(),
            lab::epochMicros);
    net.await(friendAgent.start());
    assertThat(lab.settle(Duration.ofSeconds(5))).isTrue();
    net.run(Duration.ofSeconds(2));
    net.await(
        lab.vmStack.listen(
            SID,
            4,
            opened -> {
              atVm.begin(opened);
              return atVm;
            }));
    atFriend.begin(
        net.await(stack.connect(lab.vmDag(0).withIntent(SID), Duration.ofSeconds(5), atFriend)));
    net.run(Duration.ofSeconds(2));
    assertThat(atVm.read).isGreaterThan(100_000);
    assertThat(atFriend.read).isGreaterThan(100_000);
  }

  private void plugFriend(int domain, boolean resumed) {
    if (friendLink != null) {
      friendLink.unplug();
    }
    friendLink = net.link(friend, 0, lab.domains.get(domain).router, FRIENDS_PORT, lab.local);
    if (resumed) {
      XiaNode router = lab.domains.get(domain).router;
      net.loop()
          .schedule(
              LOCAL_NS,
              () ->
                  router.linkEvent(
                      new LinkEvent(LinkEvent.Kind.RARP, FRIENDS_PORT, 0x525400777777L)));
    }
  }

  static java.util.stream.IntStream stops() {
    return java.util.stream.IntStream.of(30, 150, 700, 2500); // also when timers have backed off
  }

  @ParameterizedTest(name = "stopped for {0} ms")
  @MethodSource("stops")
  void aStreamGoesOnOneRoundTripAfterTheMachineRunsElsewhere(int stopMs) {
    connect();
    int at = 0;
    for (int to : new int[] {1, 2, 0}) {
      lab.stopVm();
      net.run(Duration.ofMillis(stopMs));
      long readByFriend = atFriend.read;
      long readByVm = atVm.read;
      long startNs = net.loop().nanoTime();
      lab.resumeVm(to);
      int hops = 3 - to;
      atFriend.awaits(readByFriend);
      atVm.awaits(readByVm);
      assertThat(
              net.runUntil(
                  () -> atFriend.resumedNs != 0 && atVm.resumedNs != 0, Duration.ofSeconds(20)))
          .isTrue();
      Duration out = Duration.ofNanos(atFriend.resumedNs - startNs);
      Duration in = Duration.ofNanos(atVm.resumedNs - startNs);
      Duration roundTrip = Duration.ofMillis(2L * WAN_MS * hops);
      // the machine sends again what it had sent as soon as its new address is confirmed
      assertThat(out)
          .as("from the machine, %d to %d", at, to)
          .isLessThan(
              roundTrip.multipliedBy(3).dividedBy(2).plus(stopMs < 500 ? MARGIN : BACKED_OFF));
      assertThat(in)
          .as("to the machine, %d to %d", at, to)
          .isLessThan(roundTrip.plus(stopMs < 500 ? MARGIN : BACKED_OFF));
      net.run(Duration.ofSeconds(3));
      assertThat(atVm.broken || atFriend.broken).isFalse();
      assertThat(atVm.connection.remoteDag()).isEqualTo(atFriend.connection.localDag());
      assertThat(atFriend.connection.remoteDag()).isEqualTo(atVm.connection.localDag());
      at = to;
    }
  }

  @ParameterizedTest(name = "stopped for {0} ms")
  @MethodSource("stops")
  void bothEndsMayMoveAtOnce(int stopMs) {
    connect();
    int[][] moves = {{1, 2}, {2, 1}, {0, 3}};
    for (int[] move : moves) {
      lab.stopVm();
      friendLink.unplug();
      net.run(Duration.ofMillis(stopMs));
      long readByFriend = atFriend.read;
      long readByVm = atVm.read;
      long startNs = net.loop().nanoTime();
      lab.resumeVm(move[0]);
      plugFriend(move[1], true);
      assertThat(
              net.runUntil(
                  () -> atFriend.read > readByFriend && atVm.read > readByVm,
                  Duration.ofSeconds(20)))
          .isTrue();
      assertThat(Duration.ofNanos(net.loop().nanoTime() - startNs))
          .isLessThan(Duration.ofMillis(8L * WAN_MS + 105).plus(BACKED_OFF));
      net.run(Duration.ofSeconds(3));
      assertThat(atVm.broken || atFriend.broken).isFalse();
      assertThat(atVm.connection.remoteDag()).isEqualTo(atFriend.connection.localDag());
    }
  }

  @Test
  void chunksOfAMachineAreFetchedByTheirOldAddressAndThroughAMove() {
    connect();
    byte[] data = new byte[400_000];
    new SplittableRandom(1).nextBytes(data);
    Xid cid = Cid.of(data);
    CacheSlice slice = net.await(lab.vmStack.allocateSlice(SliceOptions.unlimited()));
    net.await(slice.put(cid, ByteBuffer.wrap(data)));
    Dag before = slice.dagOf(cid);
    ChunkSocket chunks = net.await(net.stack(friend).openChunks());
    Fetched through = new Fetched();
    chunks.request(before, data.length, through);
    net.run(Duration.ofMillis(70)); // some of it is under way
    assertThat(through.bytes).isZero();
    lab.stopVm();
    net.run(Duration.ofMillis(100));
    lab.resumeVm(1);
    assertThat(net.runUntil(() -> through.bytes != 0, Duration.ofSeconds(10))).isTrue();
    Fetched after = new Fetched();
    chunks.request(before, data.length, after);
    assertThat(net.runUntil(() -> after.bytes != 0, Duration.ofSeconds(10))).isTrue();
    assertThat(List.of(through.bytes, after.bytes)).containsOnly(data.length);
    assertThat(slice.dagOf(cid)).as("its address now").isNotEqualTo(before);
  }

  private static final class Fetched implements ChunkHandler {
    int bytes;

    @Override
    public void onChunk(Xid cid, ByteBuffer chunk) {
      bytes = Cid.matches(cid, chunk) ? chunk.remaining() : -1;
    }

    @Override
    public void onFailed(Xid cid, XiaSocketException cause) {
      bytes = -2;
    }
  }
}
