package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.SliceOptions.Policy;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ContentCacheTest {
  private static final long SECOND = 1_000_000_000L;

  private final ChunkNet net = new ChunkNet(1);
  private final ChunkNet.Host host = net.new Host(1, 1);
  private final ContentCache cache = new ContentCache(host, 1000, 500);

  private static Xid cid(int n) {
    return ChunkNet.xid(XidType.CID, n);
  }

  private static ByteBuffer bytes(int length) {
    return ByteBuffer.allocate(length);
  }

  private static SliceOptions options(Policy policy, long maxBytes, int ttlSeconds) {
    return new SliceOptions(policy, maxBytes, Duration.ofSeconds(ttlSeconds), false);
  }

  @Test
  void keepsTheBufferItWasGivenAndSetsTheRoute() {
    ByteBuffer data = ByteBuffer.wrap(new byte[] {1, 2, 3, 4}).position(1);
    cache.allocate(SliceOptions.unlimited()).put(cid(1), data);
    assertThat(host.announced).containsExactly(cid(1));
    data.put(2, (byte) 9);
    assertThat(cache.lookup(cid(1)).data()).isEqualTo(ByteBuffer.wrap(new byte[] {2, 9, 4}));
    assertThat(data.position()).isEqualTo(1);
  }

  @Test
  void evictsTheOldestUnderFifoAlthoughItWasUsed() {
    ContentCache.Slice slice = cache.allocate(options(Policy.FIFO, 300, 0));
    for (int i = 1; i <= 3; i++) {
      slice.put(cid(i), bytes(100));
    }
    cache.lookup(cid(1));
    slice.put(cid(4), bytes(100));
    assertThat(host.announced).containsExactlyInAnyOrder(cid(2), cid(3), cid(4));
    assertThat(cache.evicted()).isEqualTo(1);
  }

  @Test
  void evictsTheLeastUsedUnderLru() {
    ContentCache.Slice slice = cache.allocate(options(Policy.LRU, 300, 0));
    for (int i = 1; i <= 3; i++) {
      slice.put(cid(i), bytes(100));
    }
    cache.lookup(cid(1));
    slice.put(cid(4), bytes(200));
    assertThat(host.announced).containsExactlyInAnyOrder(cid(1), cid(4));
  }

  @Test
  void refusesAPutIntoAFullSliceThatMayNotEvict() {
    ContentCache.Slice slice = cache.allocate(options(Policy.REFUSE, 300, 0));
    slice.put(cid(1), bytes(200));
    assertThatThrownBy(() -> slice.put(cid(2), bytes(101)))
        .isInstanceOf(XiaSocketException.class)
        .extracting(e -> ((XiaSocketException) e).kind())
        .isEqualTo(XiaSocketException.Kind.NO_SPACE);
    slice.put(cid(3), bytes(100));
    assertThat(slice.bytes()).isEqualTo(300);
  }

  @Test
  void refusesAChunkThatIsTooLong() {
    assertThatThrownBy(() -> cache.allocate(SliceOptions.unlimited()).put(cid(1), bytes(501)))
        .extracting(e -> ((XiaSocketException) e).kind())
        .isEqualTo(XiaSocketException.Kind.MESSAGE_TOO_LONG);
  }

  @Test
  void aChunkOfTwoSlicesGoesWithTheLastAndIsServedFromWhatIsStillHeld() {
    ContentCache.Slice a = cache.allocate(SliceOptions.unlimited());
    ContentCache.Slice b = cache.allocate(SliceOptions.unlimited());
    ByteBuffer first = bytes(10);
    ByteBuffer second = bytes(10);
    a.put(cid(1), first);
    b.put(cid(1), second);
    ContentCache.Entry entry = cache.lookup(cid(1));
    a.remove(cid(1));
    first.put(0, (byte) 7);
    assertThat(entry.data().get(0)).isZero();
    b.remove(cid(1));
    assertThat(entry.data()).isNull();
    assertThat(host.announced).isEmpty();
    assertThat(cache.totalBytes()).isZero();
  }

  @Test
  void servesNothingThatHasExpired() {
    ContentCache.Slice slice = cache.allocate(options(Policy.FIFO, 0, 5));
    slice.put(cid(1), bytes(10));
    net.run(3 * SECOND);
    slice.put(cid(2), bytes(10));
    net.run(6 * SECOND);
    assertThat(host.announced).containsExactly(cid(2));
    slice.put(cid(2), bytes(10));
    net.run(10 * SECOND);
    assertThat(cache.lookup(cid(2))).isNotNull();
    net.run(12 * SECOND);
    assertThat(cache.lookup(cid(2))).isNull();
    assertThat(cache.expired()).isEqualTo(2);
  }

  @Test
  void whatWasSeenPassingGivesWayFirstWhenTheNodeIsFull() {
    ContentCache.Slice network = cache.allocateNetworkSlice(options(Policy.FIFO, 800, 0));
    ContentCache.Slice own = cache.allocate(SliceOptions.unlimited());
    network.put(cid(1), bytes(400));
    network.put(cid(2), bytes(400));
    own.put(cid(3), bytes(500));
    assertThat(host.announced).containsExactlyInAnyOrder(cid(2), cid(3));
    own.put(cid(4), bytes(500));
    assertThat(host.announced).containsExactlyInAnyOrder(cid(3), cid(4));
    assertThatThrownBy(() -> own.put(cid(5), bytes(1))).isInstanceOf(XiaSocketException.class);
  }

  @Test
  void closingWithdrawsUnlessRetainedAndWhatIsRetainedGivesWay() {
    ContentCache.Slice gone = cache.allocate(SliceOptions.unlimited());
    ContentCache.Slice kept = cache.allocate(new SliceOptions(Policy.FIFO, 0, Duration.ZERO, true));
    gone.put(cid(1), bytes(100));
    kept.put(cid(2), bytes(500));
    gone.close();
    kept.close();
    assertThat(host.announced).containsExactly(cid(2));
    assertThatThrownBy(() -> kept.put(cid(9), bytes(1)))
        .extracting(e -> ((XiaSocketException) e).kind())
        .isEqualTo(XiaSocketException.Kind.CLOSED);
    ContentCache.Slice other = cache.allocate(SliceOptions.unlimited());
    other.put(cid(3), bytes(500));
    other.put(cid(4), bytes(500));
    assertThat(host.announced).containsExactlyInAnyOrder(cid(3), cid(4));
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void keepsItsLimitsAndItsRoutesWhateverIsDone(long seed) {
    Random random = new Random(seed);
    Policy policy = random.nextBoolean() ? Policy.FIFO : Policy.LRU;
    ContentCache.Slice slice = cache.allocate(options(policy, 600, 0));
    ArrayDeque<Xid> fifo = new ArrayDeque<>();
    Map<Xid, Integer> lru = new LinkedHashMap<>(16, 0.75f, true);
    long held = 0;
    for (int step = 0; step < 300; step++) {
      Xid cid = cid(random.nextInt(40));
      int what = random.nextInt(10);
      if (what < 6) {
        int length = lru.containsKey(cid) ? lru.get(cid) : 1 + random.nextInt(150);
        if (lru.containsKey(cid)) {
          fifo.remove(cid);
        } else {
          while (held + length > 600) {
            Xid victim = policy == Policy.FIFO ? fifo.peek() : lru.keySet().iterator().next();
            fifo.remove(victim);
            held -= lru.remove(victim);
          }
          held += length;
        }
        fifo.add(cid);
        lru.put(cid, length);
        slice.put(cid, bytes(length));
      } else if (what < 9) {
        assertThat(cache.lookup(cid) != null).isEqualTo(lru.get(cid) != null);
      } else {
        slice.remove(cid);
        fifo.remove(cid);
        Integer length = lru.remove(cid);
        held -= length == null ? 0 : length;
      }
      assertThat(host.announced).isEqualTo(new HashSet<>(lru.keySet()));
      assertThat(slice.bytes()).isEqualTo(held).isEqualTo(cache.totalBytes());
    }
  }
}
