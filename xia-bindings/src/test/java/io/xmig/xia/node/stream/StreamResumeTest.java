package io.xmig.xia.node.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.node.stream.StreamTransferTest.Pair;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stream whose link was dead for a while, with bytes missing from before. */
class StreamResumeTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long MILLISECOND = 1_000_000L;
  private static final long ROUND_TRIP = 40 * MILLISECOND;

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void theFirstHoleIsFilledFirst(long seed) {
    Pair pair = new Pair(seed, 8_000_000, 0);
    for (PairNet.Host host : pair.net.hosts) {
      host.out.delayNs = ROUND_TRIP / 2;
      host.out.bytesPerSecond = 5_000_000;
    }
    pair.connect();
    Random random = new Random(seed);
    pair.net.run(600 * MILLISECOND + random.nextInt(100_000_000));
    // Much is lost, is sent again, and is lost again with everything else.
    pair.a.out.loss = 0.7;
    pair.net.run(ROUND_TRIP + random.nextInt(40_000_000));
    pair.a.out.cut = true;
    pair.net.run(900 * MILLISECOND);
    long before = pair.serverApp.read;
    pair.a.out.loss = 0;
    pair.a.out.cut = false;
    long[] firstSentNs = new long[1];
    pair.net.tap =
        (from, packet) -> {
          if (from == pair.a && firstSentNs[0] == 0) {
            firstSentNs[0] = pair.net.nowNs;
          }
          return packet;
        };
    assertThat(pair.net.runUntil(5 * SECOND, () -> pair.serverApp.read > before + 20_000))
        .as(pair.state())
        .isTrue();
    assertThat(pair.net.nowNs - firstSentNs[0]).isLessThan(4 * ROUND_TRIP);
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(8_000_000, 0);
  }

  @Test
  void lostPacketsComeInTheOrderOfTheirBytes() {
    LostQueue queue = new LostQueue();
    List<Long> expected = new ArrayList<>();
    Random random = new Random(7);
    for (int i = 0; i < 1000; i++) {
      long offset = random.nextInt(300);
      queue.add(offset << 10 | i, offset);
      expected.add(offset << 10 | i);
    }
    expected.sort(null);
    List<Long> taken = new ArrayList<>();
    for (; !queue.isEmpty(); queue.pop()) {
      taken.add(queue.peek());
    }
    assertThat(taken).isEqualTo(expected);
  }
}
