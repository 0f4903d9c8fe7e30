package io.xmig.xia.node.chunk;

import static io.xmig.xia.node.chunk.Transfer.MS;
import static io.xmig.xia.node.chunk.Transfer.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkRobustnessTest {
  private static final ChunkOptions IMPATIENT =
      ChunkOptions.defaults().withPatience(Duration.ofSeconds(3), Duration.ofSeconds(1));

  /** Everything a network can do, mildly: all chunks arrive. */
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void everyByteArrivesWhateverTheNetworkDoes(long seed) {
    Random random = new Random(seed);
    ChunkNet net = new ChunkNet(seed);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(random.nextInt(3) == 0 ? 1 : 2, 2);
    mishaps(random, a.up);
    mishaps(random, b.up);
    a.mtu = 1100 + random.nextInt(8000);
    b.mtu = 1100 + random.nextInt(8000);
    boolean extended = random.nextInt(4) > 0;
    if (extended && random.nextInt(3) == 0) {
      a.up.mtu = 1300; // smaller than promised
    }
    ChunkOptions plain = ChunkOptions.defaults();
    String control = List.of("bbr", "cubic", "reno", "fixed:200000").get(random.nextInt(4));
    Transfer transfer =
        new Transfer(
            net,
            a,
            b,
            extended ? plain : plain.withoutExtensions(),
            plain
                .withCongestionControl(control)
                .withLimits(1 << 20, 1 << 30, random.nextBoolean() ? 100_000 : 64 << 20));
    transfer.lengthsKnown = random.nextBoolean();
    transfer.parallel = 1 + random.nextInt(20);
    for (int i = 0; i < 12; i++) {
      transfer.put(
          1,
          random.nextInt(random.nextBoolean() ? 3000 : extended ? 150_000 : 15_600),
          seed * 100 + i);
    }
    transfer.start();
    if (random.nextInt(3) == 0) {
      long from = random.nextInt(500) * MS;
      net.at(from, () -> a.up.cut = true);
      net.at(from + random.nextInt(2000) * MS, () -> a.up.cut = false);
    }
    if (random.nextInt(3) == 0) {
      net.at(random.nextInt(300) * MS, () -> b.moveTo(7));
    }
    assertThat(transfer.run(300 * SECOND)).as("%s", transfer.client.snapshot()).isTrue();
    assertThat(transfer.failures.keySet()).as("%s", transfer.client.snapshot()).isEmpty();
    assertThat(transfer.arrived).hasSize(transfer.chunks.size());
    assertThat(transfer.client.snapshot())
        .containsEntry("reassemblyBytes", 0L)
        .containsEntry("fetching", 0L);
    long before = net.now();
    net.run(before + 100 * SECOND);
    assertThat(transfer.client.counters().requestsSent)
        .as("requests when all is done")
        .isEqualTo(transfer.client.snapshot().get("requestsSent"));
  }

  /** A link far smaller than both ends' own; an empty chunk when memory is short. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {6479, 7453, 7731, 8191})
  void seedsThatOnceFailedArrive(long seed) {
    everyByteArrivesWhateverTheNetworkDoes(seed);
  }

  private static void mishaps(Random random, ChunkNet.Pipe pipe) {
    pipe.delayNs = random.nextInt(30) * MS + 10_000;
    pipe.rate(1 + random.nextInt(200));
    pipe.queueBytes = 20_000 + random.nextInt(200_000);
    pipe.loss = random.nextInt(3) == 0 ? 0 : random.nextDouble() * 0.1;
    pipe.reorder = random.nextInt(3) == 0 ? random.nextDouble() * 0.2 : 0;
    pipe.reorderNs = random.nextInt(20) * MS + 1;
    pipe.duplicate = random.nextInt(3) == 0 ? random.nextDouble() * 0.1 : 0;
    pipe.corrupt = random.nextInt(4) == 0 ? random.nextDouble() * 0.01 : 0;
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void aPartitionThatLastsTooLongIsACleanFailure(long seed) {
    ChunkNet net = new ChunkNet(seed);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    a.up.rate(50).delayNs = 5 * MS;
    Transfer transfer = new Transfer(net, a, b, IMPATIENT);
    transfer.put(20, 200_000, seed).start();
    net.at((long) (new Random(seed).nextDouble() * 500 * MS), () -> a.up.cut = true);
    assertThat(transfer.run(20 * SECOND)).isTrue();
    assertThat(transfer.failures).isNotEmpty();
    assertThat(transfer.failures.values()).allMatch(e -> e.kind() == Kind.TIMED_OUT);
    assertThat(transfer.arrived.size() + transfer.failures.size()).isEqualTo(20);
    // and afterwards the same chunks can be had
    a.up.cut = false;
    List<Xid> again = List.copyOf(transfer.failures.keySet());
    transfer.failures.clear();
    again.forEach(transfer::fetch);
    assertThat(transfer.run(20 * SECOND)).isTrue();
    assertThat(transfer.failures).isEmpty();
  }

  @Test
  void anAbsentChunkIsNotFoundWithinARoundTrip() {
    ChunkNet net = new ChunkNet(3);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    a.up.delayNs = 10 * MS;
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    Xid cid = transfer.put(new byte[1000]);
    transfer.slice.remove(cid);
    transfer.start();
    assertThat(transfer.run(30 * MS)).isTrue();
    assertThat(transfer.failures.get(cid).kind()).isEqualTo(Kind.NOT_FOUND);
  }

  @Test
  void anErrorAboutARequestOfAnEarlierFetchDoesNotFailTheNextOne() {
    ChunkNet net = new ChunkNet(3);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    a.up.delayNs = 10 * MS;
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    byte[] data = {1, 2, 3};
    Xid cid = transfer.put(data);
    transfer.slice.remove(cid);
    Ignoring first = new Ignoring();
    transfer.socket.request(transfer.slice.dagOf(cid), data.length, first);
    net.run(5 * MS); // the error is on its way
    transfer.socket.cancel(cid);
    transfer.slice.put(cid, ByteBuffer.wrap(data));
    transfer.start();
    assertThat(transfer.run(SECOND)).isTrue();
    assertThat(transfer.failures).isEmpty();
    assertThat(transfer.arrived).containsExactly(cid);
    assertThat(transfer.client.counters().strange).isEqualTo(1);
  }

  @Test
  void aHostWithoutARouteIsUnreachableAfterTheGrace() {
    ChunkNet net = new ChunkNet(3);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    b.routeKnown = false;
    Transfer transfer = new Transfer(net, a, b, IMPATIENT);
    Xid cid = transfer.put(new byte[1000]);
    transfer.start();
    assertThat(transfer.run(900 * MS)).isFalse();
    assertThat(transfer.run(600 * MS)).isTrue();
    assertThat(transfer.failures.get(cid).kind()).isEqualTo(Kind.UNREACHABLE);
    assertThat(transfer.failures.get(cid)).hasMessageContaining(cid.toString());
  }

  @Test
  void aHostThatIsUnreachableForLessThanTheGraceIsWaitedFor() {
    ChunkNet net = new ChunkNet(3);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    b.routeKnown = false;
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    transfer.put(5, 100_000, 1).start();
    net.at(2 * SECOND, () -> b.routeKnown = true);
    assertThat(transfer.run(4 * SECOND)).isTrue();
    assertThat(transfer.failures).isEmpty();
  }

  @Test
  void aRestartedServerSaysThatItHasNothing() {
    ChunkNet net = new ChunkNet(3);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    a.up.rate(10);
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    transfer.put(10, 100_000, 1).start();
    net.at(
        100 * MS,
        () -> {
          transfer.server.close();
          transfer.slice.close();
          new ChunkTransport(a, ChunkOptions.defaults());
        });
    assertThat(transfer.run(SECOND)).isTrue();
    assertThat(transfer.failures).isNotEmpty();
    assertThat(transfer.failures.values()).allMatch(e -> e.kind() == Kind.NOT_FOUND);
  }

  @Test
  void aCorruptChunkIsDeliveredForItsReaderToReject() {
    ChunkNet net = new ChunkNet(9);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    a.up.corrupt = 0.02;
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    transfer.put(10, 50_000, 1).start();
    assertThat(transfer.run(20 * SECOND)).isTrue();
    assertThat(transfer.corrupt).isPositive();
    assertThat(transfer.arrived).hasSize(10);
  }

  @Test
  void requestsFollowBothEndsToNewAddressesAtOnce() {
    ChunkNet net = new ChunkNet(5);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    a.up.rate(50).delayNs = 5 * MS;
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    transfer.put(30, 100_000, 1).start();
    net.run(200 * MS);
    b.moveTo(3);
    net.run(300 * MS);
    int before = transfer.arrived.size();
    a.moveTo(4);
    // one new request tells the new address for all chunks of that host
    Xid waiting =
        transfer.chunks.keySet().stream()
            .filter(c -> !transfer.arrived.contains(c))
            .findFirst()
            .orElseThrow();
    transfer.socket.request(a.address.chunk(waiting), ChunkSocket.UNKNOWN_LENGTH, new Ignoring());
    net.run(400 * MS);
    assertThat(transfer.arrived.size()).isGreaterThan(before + 2);
    assertThat(transfer.run(5 * SECOND)).isTrue();
    assertThat(transfer.failures).isEmpty();
  }

  @Test
  void aChunkAvailableElsewhereIsFetchedThereInstead() {
    ChunkNet net = new ChunkNet(5);
    ChunkNet.Host dead = net.new Host(1, 1);
    ChunkNet.Host alive = net.new Host(3, 3);
    ChunkNet.Host b = net.new Host(2, 2);
    dead.up.cut = true;
    Transfer transfer = new Transfer(net, dead, b, ChunkOptions.defaults());
    Xid cid = transfer.put(new byte[100_000]);
    transfer.start();
    new ChunkTransport(alive, ChunkOptions.defaults())
        .allocateSlice(SliceOptions.unlimited())
        .put(cid, ByteBuffer.wrap(new byte[100_000]));
    net.run(SECOND);
    Ignoring second = new Ignoring();
    transfer.socket.request(alive.address.chunk(cid), 100_000, second);
    assertThat(transfer.run(100 * MS)).isTrue();
    assertThat(transfer.failures).isEmpty();
    assertThat(second.chunks).isEqualTo(1);
  }

  @Test
  void aCacheOnTheWayThatSwallowsRequestsIsAvoided() {
    ChunkNet net = new ChunkNet(5);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    Transfer transfer = new Transfer(net, a, b, IMPATIENT);
    transfer.put(5, 50_000, 1);
    Xid swallowed = transfer.put(new byte[70_000]);
    // a request whose first choice is that chunk ends at the cache
    b.up.drop =
        p -> {
          Dag to = new ChunkNet.View(p.array()).destination();
          return to.intent().equals(swallowed)
              && to.node(to.edge(to.size() - 1, 0)).is(XidType.CID);
        };
    transfer.start();
    assertThat(transfer.run(3 * SECOND)).isTrue();
    assertThat(transfer.failures).isEmpty();
  }

  @Test
  void twoRequestsForAChunkShareOneFetchAndGetBuffersOfTheirOwn() {
    ChunkNet net = new ChunkNet(5);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    Xid cid = transfer.put(new byte[30_000]);
    List<ByteBuffer> got = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      transfer.client.openChunks().request(a.address.chunk(cid), -1, new Collecting(got));
    }
    net.run(SECOND);
    assertThat(got).hasSize(3);
    got.get(0).put(0, (byte) 1);
    got.get(1).put(0, (byte) 2);
    assertThat(got.get(2).get(0)).isZero();
    assertThat(transfer.client.counters().bytesFetched).isEqualTo(30_000);
  }

  @Test
  void aChunkInTheOwnCacheIsDeliveredWithoutTheNetwork() {
    ChunkNet net = new ChunkNet(5);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkTransport transport = new ChunkTransport(a, ChunkOptions.defaults());
    byte[] data = {1, 2, 3};
    Xid cid = Cid.of(data);
    transport.allocateSlice(SliceOptions.unlimited()).put(cid, ByteBuffer.wrap(data));
    List<ByteBuffer> got = new ArrayList<>();
    ChunkSocket socket = transport.openChunks();
    socket.request(a.address.chunk(cid), -1, new Collecting(got));
    assertThat(got).as("not within the call").isEmpty();
    net.run(1);
    assertThat(got).containsExactly(ByteBuffer.wrap(data));
    assertThat(a.sent).isZero();
    socket.request(a.address.chunk(cid), -1, new Collecting(got));
    socket.cancel(cid);
    net.run(2);
    assertThat(got).hasSize(1);
  }

  @Test
  void nothingIsCalledAfterCancelOrClose() {
    ChunkNet net = new ChunkNet(5);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    a.up.rate(10);
    Transfer transfer = new Transfer(net, a, b, ChunkOptions.defaults());
    Xid one = transfer.put(new byte[300_000]);
    Xid two = transfer.put(new byte[300_001]);
    Ignoring handler = new Ignoring();
    transfer.socket.request(a.address.chunk(one), -1, handler);
    transfer.socket.request(a.address.chunk(two), -1, handler);
    net.run(20 * MS);
    transfer.socket.cancel(one);
    net.run(30 * MS);
    transfer.socket.close();
    long requests = transfer.client.counters().requestsSent;
    net.run(10 * SECOND);
    assertThat(handler.chunks + handler.failures).isZero();
    assertThat(transfer.client.counters().requestsSent).isEqualTo(requests);
    assertThat(transfer.client.snapshot()).containsEntry("reassemblyBytes", 0L);
  }

  @Test
  void wrongRequestsFailWithTheReason() {
    ChunkNet net = new ChunkNet(5);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkTransport transport =
        new ChunkTransport(a, ChunkOptions.defaults().withLimits(1000, 1000, 1000));
    ChunkSocket socket = transport.openChunks();
    Ignoring handler = new Ignoring();
    socket.request(a.address.host(), -1, handler);
    socket.request(a.address.chunk(ChunkNet.xid(XidType.CID, 1)), 1001, handler);
    net.run(1);
    assertThat(handler.kinds).containsExactly(Kind.BAD_ADDRESS, Kind.MESSAGE_TOO_LONG);
  }

  @Test
  void anAnswerLongerThanTheLimitFailsBeforeMemoryIsTaken() {
    ChunkNet net = new ChunkNet(5);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    Transfer transfer =
        new Transfer(
            net,
            a,
            b,
            ChunkOptions.defaults(),
            ChunkOptions.defaults().withLimits(100_000, 1 << 20, 1 << 20));
    Xid cid = transfer.put(new byte[100_001]);
    transfer.lengthsKnown = false;
    transfer.start();
    assertThat(transfer.run(SECOND)).isTrue();
    assertThat(transfer.failures.get(cid).kind()).isEqualTo(Kind.MESSAGE_TOO_LONG);
  }

  /** Noise in place of a server: no exception, no hang, a bound on memory. */
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void hostileAnswersAndRequestsAreHarmless(long seed) {
    Random random = new Random(seed);
    ChunkNet net = new ChunkNet(seed);
    ChunkNet.Host a = net.new Host(1, 1);
    ChunkNet.Host b = net.new Host(2, 2);
    a.logging = true;
    b.logging = true;
    Transfer transfer =
        new Transfer(
            net, a, b, IMPATIENT.withPathCache(SliceOptions.Policy.FIFO, 1 << 20, Runnable::run));
    transfer.lengthsKnown = random.nextBoolean();
    transfer.put(6, 20_000, seed).start();
    for (int burst = 0; burst < 20; burst++) {
      net.run(net.now() + 200_000);
      List<byte[]> seen = new ArrayList<>(a.log);
      seen.addAll(b.log);
      for (int i = 0; i < 10 && !seen.isEmpty(); i++) {
        byte[] packet = seen.get(random.nextInt(seen.size())).clone();
        int header = 8 + (packet[5] + packet[6]) * Dag.NODE_LENGTH;
        for (int k = 0; k <= random.nextInt(4); k++) {
          packet[header + random.nextInt(Math.min(60, packet.length - header))] =
              (byte) random.nextInt();
        }
        byte[] cut =
            java.util.Arrays.copyOf(packet, header + random.nextInt(packet.length - header + 1));
        (random.nextBoolean() ? a : b).arrive(random.nextBoolean() ? cut : packet);
        a.seePassing(cut.clone());
        b.seePassing(packet.clone());
      }
    }
    assertThat(transfer.run(60 * SECOND)).as("%s", transfer.client.snapshot()).isTrue();
    assertThat(transfer.client.snapshot()).containsEntry("reassemblyBytes", 0L);
  }

  private static final class Ignoring implements ChunkHandler {
    int chunks;
    int failures;
    final List<Kind> kinds = new ArrayList<>();

    @Override
    public void onChunk(Xid cid, ByteBuffer data) {
      chunks++;
    }

    @Override
    public void onFailed(Xid cid, XiaSocketException cause) {
      failures++;
      kinds.add(cause.kind());
    }
  }

  private record Collecting(List<ByteBuffer> got) implements ChunkHandler {
    @Override
    public void onChunk(Xid cid, ByteBuffer data) {
      got.add(data);
    }

    @Override
    public void onFailed(Xid cid, XiaSocketException cause) {
      throw cause;
    }
  }
}
