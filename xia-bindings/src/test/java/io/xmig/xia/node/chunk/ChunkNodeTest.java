package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Chunks between real nodes: routers, caches on the way, error messages, packet sizes. */
class ChunkNodeTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final LinkProfile LAN = LinkProfile.delayMs(1).withRate(1_000_000_000, 500_000);

  private static byte[] random(int length, long seed) {
    byte[] data = new byte[length];
    new Random(seed).nextBytes(data);
    return data;
  }

  private static Topologies.Chain chain(SimNetwork net, UnaryOperator<NodeConfig> change) {
    return Topologies.chain(net, 2, LAN, change);
  }

  private record Outcome(List<ByteBuffer> chunks, List<XiaSocketException> failures)
      implements ChunkHandler {
    Outcome() {
      this(new ArrayList<>(), new ArrayList<>());
    }

    @Override
    public void onChunk(Xid cid, ByteBuffer data) {
      chunks.add(data);
    }

    @Override
    public void onFailed(Xid cid, XiaSocketException cause) {
      failures.add(cause);
    }

    boolean isOver() {
      return !chunks.isEmpty() || !failures.isEmpty();
    }
  }

  private static Outcome fetch(SimNetwork net, ChunkSocket socket, Dag dag, int length) {
    Outcome outcome = new Outcome();
    socket.request(dag, length, outcome);
    assertThat(net.runUntil(outcome::isOver, LIMIT)).isTrue();
    return outcome;
  }

  @Test
  void answersToAKnownHostLeaveOutServiceAndSource() {
    SimNetwork net = new SimNetwork(1);
    Topologies.TwoHosts hosts = Topologies.twoHosts(net, LAN);
    byte[] data = random(300_000, 1);
    CacheSlice slice = hosts.host0().chunks().allocateSlice(SliceOptions.unlimited());
    slice.put(Cid.of(data), ByteBuffer.wrap(data));
    int[] shortest = {Integer.MAX_VALUE};
    int[] longest = {0};
    net.tap(
        (link, from, frame) -> {
          boolean content = frame.getShort(12) == (short) 0xC0DE && frame.get(15) == 12;
          if (content && frame.remaining() > 1000) {
            int nodes = frame.get(19) + frame.get(20);
            shortest[0] = Math.min(shortest[0], nodes);
            longest[0] = Math.max(longest[0], nodes);
          }
        });
    Outcome outcome =
        fetch(net, hosts.host1().chunks().openChunks(), slice.dagOf(Cid.of(data)), data.length);
    assertThat(outcome.chunks()).containsExactly(ByteBuffer.wrap(data));
    assertThat(longest[0]).as("before the host is known").isEqualTo(6);
    assertThat(shortest[0]).as("host and CID").isEqualTo(2);
  }

  @Test
  void anAbsentChunkOfAReachableHostIsNotFoundAlsoWhenTheHostIsKnown() {
    SimNetwork net = new SimNetwork(2);
    Topologies.Chain chain = chain(net, UnaryOperator.identity());
    byte[] data = random(50_000, 1);
    CacheSlice slice = chain.host0().chunks().allocateSlice(SliceOptions.unlimited());
    slice.put(Cid.of(data), ByteBuffer.wrap(data));
    ChunkSocket socket = chain.host1().chunks().openChunks();
    Dag absent = slice.dagOf(Cid.of(new byte[] {1}));
    for (int i = 0; i < 2; i++) {
      long before = net.loop().nanoTime();
      Outcome outcome = fetch(net, socket, absent, ChunkSocket.UNKNOWN_LENGTH);
      assertThat(outcome.failures())
          .singleElement()
          .satisfies(e -> assertThat(e.kind()).isEqualTo(XiaSocketException.Kind.NOT_FOUND));
      assertThat(net.loop().nanoTime() - before).isLessThan(Duration.ofMillis(20).toNanos());
      assertThat(fetch(net, socket, slice.dagOf(Cid.of(data)), data.length).chunks()).hasSize(1);
    }
  }

  @Test
  void aLateErrorDoesNotReachTheNextFetchOfTheChunk() {
    SimNetwork net = new SimNetwork(6);
    Topologies.Chain chain = chain(net, UnaryOperator.identity());
    byte[] data = random(50_000, 1);
    Xid cid = Cid.of(data);
    CacheSlice slice = chain.host0().chunks().allocateSlice(SliceOptions.unlimited());
    ChunkSocket socket = chain.host1().chunks().openChunks();
    Dag dag = slice.dagOf(cid);
    fetch(net, socket, slice.dagOf(Cid.of(new byte[] {1})), 1); // the nodes know their neighbours
    Outcome early = new Outcome();
    socket.request(dag, data.length, early);
    net.run(Duration.ofMillis(4)); // it takes 3 ms each way
    socket.cancel(cid);
    slice.put(cid, ByteBuffer.wrap(data));
    Outcome outcome = fetch(net, socket, dag, data.length);
    assertThat(outcome.failures()).isEmpty();
    assertThat(outcome.chunks()).containsExactly(ByteBuffer.wrap(data));
    assertThat(chain.host1().chunks().snapshot()).containsEntry("strange", 1L);
    assertThat(early.isOver()).isFalse();
  }

  @Test
  void aRouterServesWhatHasPassedItAfterTheSourceIsGone() {
    SimNetwork net = new SimNetwork(3);
    Topologies.Chain chain =
        chain(net, c -> c.role() == NodeConfig.Role.ROUTER ? c.withCacheContent(true) : c);
    byte[] data = random(400_000, 1);
    Xid cid = Cid.of(data);
    CacheSlice slice = chain.host0().chunks().allocateSlice(SliceOptions.unlimited());
    slice.put(cid, ByteBuffer.wrap(data));
    Dag dag = slice.dagOf(cid);
    ChunkSocket socket = chain.host1().chunks().openChunks();
    assertThat(fetch(net, socket, dag, data.length).chunks()).hasSize(1);
    slice.remove(cid);
    net.run(Duration.ofMillis(100));
    long served = chain.host0().chunks().snapshot().get("bytesServed");
    Outcome again = fetch(net, socket, dag, ChunkSocket.UNKNOWN_LENGTH);
    assertThat(again.chunks()).containsExactly(ByteBuffer.wrap(data));
    assertThat(chain.host0().chunks().snapshot()).containsEntry("bytesServed", served);
    assertThat(chain.routers().get(1).chunks().snapshot()).containsEntry("bytesServed", 400_000L);
  }

  @Test
  void aLinkOnTheWayThatIsSmallerThanBothEndsIsFoundOut() {
    SimNetwork net = new SimNetwork(4);
    Topologies.Chain chain =
        chain(net, c -> c.role() == NodeConfig.Role.HOST ? c.withMtu(9000) : c);
    byte[] data = random(2_000_000, 1);
    CacheSlice slice = chain.host0().chunks().allocateSlice(SliceOptions.unlimited());
    slice.put(Cid.of(data), ByteBuffer.wrap(data));
    Outcome outcome =
        fetch(net, chain.host1().chunks().openChunks(), slice.dagOf(Cid.of(data)), data.length);
    assertThat(outcome.chunks()).containsExactly(ByteBuffer.wrap(data));
    assertThat(net.loop().nanoTime()).isLessThan(Duration.ofSeconds(3).toNanos());
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void aHostThatMovesKeepsFetching(long seed) {
    SimNetwork net = new SimNetwork(seed);
    Topologies.Chain chain = Topologies.chain(net, 2, LAN.withLoss(0.01));
    List<byte[]> chunks = new ArrayList<>();
    CacheSlice slice = chain.host0().chunks().allocateSlice(SliceOptions.unlimited());
    ChunkSocket socket = chain.host1().chunks().openChunks();
    Outcome outcome = new Outcome();
    for (int i = 0; i < 10; i++) {
      byte[] data = random(100_000, seed * 10 + i);
      chunks.add(data);
      slice.put(Cid.of(data), ByteBuffer.wrap(data));
      socket.request(slice.dagOf(Cid.of(data)), data.length, outcome);
    }
    net.run(Duration.ofMillis(new Random(seed).nextInt(10)));
    // The same link, another name of the domain: both routers learn it a moment later.
    Xid ad = Topologies.ad(5);
    chain.host1().moveTo(ad, null);
    net.run(Duration.ofMillis(200));
    chain.routers().get(1).moveTo(ad, null);
    chain
        .routers()
        .get(0)
        .routes(io.xmig.xia.addr.XidType.AD)
        .set(ad, 1, chain.routers().get(1).localAddress().hid(), 0);
    assertThat(net.runUntil(() -> outcome.chunks().size() == 10, LIMIT))
        .as("%s", outcome.failures())
        .isTrue();
    for (ByteBuffer got : outcome.chunks()) {
      assertThat(chunks).anyMatch(c -> ByteBuffer.wrap(c).equals(got));
    }
  }
}
