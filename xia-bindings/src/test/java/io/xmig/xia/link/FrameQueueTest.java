package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameQueueTest {
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
  void givesBackWhatWasPutInTheSameOrder(long seed) {
    Random random = new Random(seed);
    FrameQueue queue = new FrameQueue(512, 8192);
    ArrayDeque<byte[]> model = new ArrayDeque<>();
    int refused = 0;
    for (int step = 0; step < 5000; step++) {
      if (random.nextInt(100) < 75) {
        byte[] frame = new byte[1 + random.nextInt(random.nextBoolean() ? 40 : 900)];
        random.nextBytes(frame);
        if (queue.offer(ByteBuffer.wrap(frame))) {
          model.add(frame);
        } else {
          refused++;
        }
      } else {
        int n = Math.min(queue.size(), random.nextInt(4));
        for (int i = 0; i < n; i++) {
          assertThat(bytes(queue.frame(i))).isEqualTo(model.poll());
        }
        queue.drop(n);
      }
      assertThat(queue.size()).isEqualTo(model.size());
      assertThat(queue.bytes()).isEqualTo(model.stream().mapToInt(f -> f.length).sum());
      assertThat(queue.arena().capacity()).isLessThanOrEqualTo(8192);
    }
    assertThat(refused).as("the limit was reached").isPositive();
  }

  @Test
  void refusesAFrameLargerThanItsLimitAndStaysUsable() {
    FrameQueue queue = new FrameQueue(64, 256);
    assertThat(queue.offer(ByteBuffer.allocate(300))).isFalse();
    assertThat(queue.offer(ByteBuffer.wrap(new byte[] {1, 2, 3}))).isTrue();
    assertThat(bytes(queue.frame(0))).containsExactly(1, 2, 3);
  }

  private static byte[] bytes(ByteBuffer frame) {
    byte[] copy = new byte[frame.remaining()];
    frame.get(frame.position(), copy);
    return copy;
  }
}
