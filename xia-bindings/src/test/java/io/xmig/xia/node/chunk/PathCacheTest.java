package io.xmig.xia.node.chunk;

import static io.xmig.xia.node.chunk.Transfer.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.SliceOptions.Policy;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PathCacheTest {
  private final ChunkNet net = new ChunkNet(11);
  private final ChunkNet.Host a = net.new Host(1, 1);
  private final ChunkNet.Host router = net.new Host(1, 9);
  private final ChunkNet.Host b = net.new Host(2, 2);
  private final Queue<Runnable> hashing = new ArrayDeque<>();

  private ChunkTransport caching(Policy policy, long bytes) {
    return new ChunkTransport(
        router, ChunkOptions.defaults().withPathCache(policy, bytes, hashing::add));
  }

  /** The packets that pass the router when these chunks are fetched. */
  private List<byte[]> answers(boolean extended, byte[]... chunks) {
    ChunkOptions options = ChunkOptions.defaults();
    Transfer transfer =
        new Transfer(net, a, b, extended ? options : options.withoutExtensions(), options);
    a.log.clear();
    a.logging = true;
    for (byte[] chunk : chunks) {
      transfer.put(chunk);
    }
    transfer.start();
    assertThat(transfer.run(10 * SECOND)).isTrue();
    return List.copyOf(a.log);
  }

  private void see(List<byte[]> packets) {
    packets.forEach(p -> router.seePassing(p.clone()));
  }

  private void hash() {
    for (Runnable r = hashing.poll(); r != null; r = hashing.poll()) {
      r.run();
    }
    net.run(net.now() + 10_000_000);
  }

  private static byte[] random(int length, int seed) {
    byte[] data = new byte[length];
    new Random(seed).nextBytes(data);
    return data;
  }

  @ParameterizedTest(name = "with extensions: {0}")
  @ValueSource(booleans = {true, false})
  void aChunkThatPassedIsServedOnceItsHashIsFoundRight(boolean extended) {
    ChunkTransport cache = caching(Policy.FIFO, 1 << 20);
    byte[] data = random(20_000, 1);
    List<byte[]> packets = new ArrayList<>(answers(extended, data));
    Collections.shuffle(packets.subList(1, packets.size()), new Random(1));
    see(packets);
    assertThat(router.announced).as("not before it is verified").isEmpty();
    hash();
    assertThat(router.announced).containsExactly(Cid.of(data));
    List<ByteBuffer> got = new ArrayList<>();
    new ChunkTransport(b, ChunkOptions.defaults())
        .openChunks()
        .request(router.address.chunk(Cid.of(data)), -1, new Collecting(got));
    net.run(net.now() + SECOND);
    assertThat(got).containsExactly(ByteBuffer.wrap(data));
    assertThat(cache.counters().pathChunksKept).isEqualTo(1);
  }

  @Test
  void aChunkWithTheWrongBytesIsNeitherKeptNorServed() {
    ChunkTransport cache = caching(Policy.LRU, 1 << 20);
    List<byte[]> packets = answers(true, random(20_000, 2));
    packets.forEach(
        p -> {
          byte[] forged = p.clone();
          forged[forged.length - 1] ^= 1;
          router.seePassing(forged);
        });
    hash();
    assertThat(router.announced).isEmpty();
    assertThat(cache.counters().pathChunksBad).isEqualTo(1);
    assertThat(cache.snapshot()).containsEntry("cacheBytes", 0L);
  }

  @Test
  void theOldestIsReleasedUnderFifo() {
    caching(Policy.FIFO, 25_000);
    for (int i = 0; i < 4; i++) {
      see(answers(true, random(10_000, i)));
      hash();
    }
    assertThat(router.announced)
        .containsExactlyInAnyOrder(Cid.of(random(10_000, 2)), Cid.of(random(10_000, 3)));
  }

  @Test
  void whatIsKeptTheSecondTimeCostsNothingTheFirst() {
    ChunkTransport cache =
        new ChunkTransport(
            router,
            ChunkOptions.defaults()
                .withPathCache(Policy.LRU, 1 << 20, hashing::add)
                .withPathAdmission(false));
    byte[] data = random(20_000, 1);
    List<byte[]> packets = answers(true, data);
    see(packets);
    assertThat(cache.partialBytes()).isZero();
    assertThat(hashing).isEmpty();
    see(packets);
    hash();
    assertThat(router.announced).containsExactly(Cid.of(data));
    assertThat(cache.snapshot()).containsEntry("pathChunksKept", 1L);
  }

  @Test
  void whatHasPassedOnceIsRememberedForAsLongAsTheCacheWouldHaveKeptIt() {
    Sightings sightings = new Sightings(100_000);
    for (int round = 0; round < 5; round++) {
      for (int i = 0; i < 11; i++) {
        assertThat(sightings.again(ChunkNet.xid(XidType.CID, i), 10_000)).isFalse();
        Xid twice = ChunkNet.xid(XidType.CID, 100 + round * 11 + i);
        assertThat(sightings.again(twice, 0)).isFalse();
        assertThat(sightings.again(twice, 0)).as("and counts none the less").isTrue();
      }
    }
    assertThat(sightings.again(ChunkNet.xid(XidType.CID, 10), 10_000)).isTrue();
    for (int i = 0; i < 2 * Sightings.MAX_NAMES; i++) {
      assertThat(sightings.again(ChunkNet.xid(XidType.CID, 1000 + i), 0)).isFalse();
    }
    assertThat(sightings.names()).isEqualTo(Sightings.MAX_NAMES);
  }

  @Test
  void theLeastRecentlyAskedForIsReleasedUnderLru() {
    ChunkTransport cache = caching(Policy.LRU, 50_000);
    byte[] first = random(20_000, 1);
    byte[] second = random(20_000, 2);
    byte[] third = random(20_000, 3);
    see(answers(true, first));
    hash();
    see(answers(true, second));
    hash();
    assertThat(cache.cache().lookup(Cid.of(first))).isNotNull();
    see(answers(true, third));
    hash();
    assertThat(router.announced).containsExactlyInAnyOrder(Cid.of(first), Cid.of(third));
  }

  @Test
  void aStreamOfBeginningsTakesBoundedMemory() {
    ChunkTransport cache = caching(Policy.FIFO, 64 << 20);
    long limit = ChunkOptions.defaults().pathPartialBytes();
    byte[] first = answers(true, random(1_000_000, 1)).get(0);
    int source = 8 + (first[5] + first[6] - 1) * 28; // its last node, the CID
    for (int i = 0; i < 500; i++) {
      byte[] forged = first.clone();
      forged[source + 10] = (byte) i; // another CID
      forged[source + 11] = (byte) (i >> 8);
      router.seePassing(forged);
      assertThat(cache.partialBytes()).isLessThanOrEqualTo(limit);
    }
    assertThat(cache.counters().pathChunksDropped).isPositive();
  }

  @Test
  void whatWaitsForHashingIsBounded() {
    ChunkTransport cache = caching(Policy.FIFO, 64 << 20);
    for (int i = 0; i < 40; i++) {
      see(answers(true, random(1_000_000, i)));
    }
    assertThat(hashing.size()).isLessThanOrEqualTo(16);
    assertThat(cache.counters().pathChunksDropped).isPositive();
    hash();
    see(answers(true, random(1_000_000, 99)));
    hash();
    assertThat(router.announced).contains(Cid.of(random(1_000_000, 99)));
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
