package io.xmig.xia.socket.ipc;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BufferPoolTest {
  @Test
  void aLargerBufferThatIsIdleIsUsedButNotOneThatIsMuchTooLarge() {
    BufferPool pool = new BufferPool(16 << 20);
    ByteBuffer large = pool.take(512 << 10);
    pool.release(large);
    assertThat(pool.take(100 << 10)).isSameAs(large);
    pool.release(large);
    assertThat(pool.take(4096)).isNotSameAs(large);
    assertThat(pool.idleBytes()).isEqualTo(512 << 10);
  }

  @Test
  void buffersOfAnotherSizeGiveWayToThoseThatAreWantedNow() {
    BufferPool pool = new BufferPool(1 << 20);
    ByteBuffer[] small = new ByteBuffer[16];
    for (int i = 0; i < small.length; i++) {
      small[i] = pool.take(64 << 10);
    }
    ByteBuffer large = pool.take(512 << 10);
    for (ByteBuffer buffer : small) {
      pool.release(buffer);
    }
    pool.release(large);
    assertThat(pool.idleBytes()).isEqualTo(1 << 20);
    assertThat(pool.take(512 << 10)).isSameAs(large);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void noBufferIsHandedOutTwiceAndTheIdleMemoryIsBounded(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    BufferPool pool = new BufferPool(2 << 20);
    Set<ByteBuffer> out = Collections.newSetFromMap(new IdentityHashMap<>());
    ArrayDeque<ByteBuffer> order = new ArrayDeque<>();
    for (int i = 0; i < 2000; i++) {
      if (order.size() < 20 && random.nextBoolean()) {
        int length = 1 + random.nextInt(600_000);
        ByteBuffer buffer = pool.take(length);
        assertThat(buffer.remaining()).isEqualTo(length);
        assertThat(out.add(buffer)).isTrue();
        order.add(buffer);
      } else if (!order.isEmpty()) {
        ByteBuffer buffer = order.remove();
        out.remove(buffer);
        pool.release(buffer);
      }
      assertThat(pool.idleBytes()).isBetween(0L, 2L << 20);
    }
  }
}
