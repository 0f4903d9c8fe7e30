package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class IntervalSetTest {
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void behavesLikeABitSet(long seed) {
    Random random = new Random(seed);
    IntervalSet set = new IntervalSet(1000);
    BitSet model = new BitSet();
    for (int step = 0; step < 200; step++) {
      int start = random.nextInt(200);
      int end = start + random.nextInt(30);
      if (random.nextInt(3) > 0) {
        BitSet before = (BitSet) model.clone();
        model.set(start, end);
        int fresh = model.cardinality() - before.cardinality();
        assertThat(set.add(start, end)).isEqualTo(fresh);
      } else {
        set.remove(start, end);
        model.clear(start, end);
      }
      assertSame(set, model);
      int probe = random.nextInt(240);
      int limit = probe + random.nextInt(50);
      assertThat(set.firstMissing(probe)).isEqualTo(model.nextClearBit(probe));
      int present = model.nextSetBit(probe);
      assertThat(set.firstPresent(probe, limit))
          .isEqualTo(present < 0 ? limit : Math.min(present, limit));
      assertThat(set.contains(probe, limit))
          .isEqualTo(probe == limit || model.nextClearBit(probe) >= limit);
    }
  }

  private static void assertSame(IntervalSet set, BitSet model) {
    int at = 0;
    for (int i = 0; i < set.intervals(); i++) {
      assertThat(set.start(i)).isEqualTo(model.nextSetBit(at));
      assertThat(set.end(i)).isEqualTo(model.nextClearBit(set.start(i)));
      at = set.end(i);
    }
    assertThat(model.nextSetBit(at)).isEqualTo(-1);
  }

  @Test
  void refusesToFallIntoTooManyPieces() {
    IntervalSet set = new IntervalSet(2);
    assertThat(set.add(0, 1)).isEqualTo(1);
    assertThat(set.add(2, 3)).isEqualTo(1);
    assertThat(set.add(4, 5)).isEqualTo(IntervalSet.TOO_MANY);
    assertThat(set.add(1, 2)).isEqualTo(1);
    assertThat(set.add(4, 5)).isEqualTo(1);
    assertThat(set.intervals()).isEqualTo(2);
  }
}
