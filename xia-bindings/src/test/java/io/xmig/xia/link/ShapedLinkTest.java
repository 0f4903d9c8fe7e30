package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShapedLinkTest {
  private static final long MS = 1_000_000;
  private final VirtualLoop loop = new VirtualLoop();
  private final List<Integer> heard = new ArrayList<>();
  private final List<Long> times = new ArrayList<>();

  private ShapedLink shaped(String shape, long seed) {
    MemoryLink[] wire = MemoryLink.pair(loop, "wire", LinkOptions.ofMtu(1500));
    wire[1].receiver(
        frame -> {
          heard.add(frame.getInt(frame.position() + 14));
          times.add(loop.nanoTime());
        });
    return new ShapedLink(loop, wire[0], LinkShape.parse(shape), new Random(seed));
  }

  @Test
  void delaysEachFrameByItsLengthOverTheRatePlusTheDelay() {
    ShapedLink link = shaped("8mbit,5ms", 1); // 1 byte per µs
    for (int i = 0; i < 3; i++) {
      link.frame(UnixLinkTest.numbered(i, 1000));
    }
    loop.runUntil(100 * MS);
    assertThat(heard).containsExactly(0, 1, 2);
    assertThat(times).containsExactly(6 * MS, 7 * MS, 8 * MS);
  }

  @Test
  void framesOfABusyLinkLeaveInLumpsAtMostATenthOfAMillisecondEarlyOrLate() {
    ShapedLink link = shaped("1gbit,1ms", 1); // 1,250 bytes every 10 µs
    for (int i = 0; i < 10_000; i++) {
      loop.runUntil(i * 10_000L);
      link.frame(UnixLinkTest.numbered(i, 1250));
    }
    loop.runUntil(200 * MS);
    assertThat(heard).hasSize(10_000).isSorted();
    for (int i = 0; i < 10_000; i++) {
      assertThat(times.get(i) - (MS + (i + 1) * 10_000L))
          .as("frame %d", i)
          .isBetween(-100_000L, 100_000L);
    }
    assertThat(times.stream().distinct().count()).isLessThan(10_000 / 15);
  }

  @Test
  void framesOfAShortWayAreNotEarlyByMoreThanAnEighthOfIt() {
    ShapedLink link = shaped("1gbit,80us", 1);
    for (int i = 0; i < 1_000; i++) {
      loop.runUntil(i * 10_000L);
      link.frame(UnixLinkTest.numbered(i, 1250));
    }
    loop.runUntil(200 * MS);
    for (int i = 0; i < 1_000; i++) {
      assertThat(times.get(i) - (80_000 + (i + 1) * 10_000L)).isBetween(-10_000L, 100_000L);
    }
  }

  @Test
  void keepsItsRateUnderOverloadAndBoundsItsQueue() {
    ShapedLink link = shaped("80mbit,2ms,64kb:queue", 1); // 10 bytes per µs
    for (int ms = 0; ms < 200; ms++) {
      loop.runUntil(ms * MS);
      for (int k = 0; k < 20; k++) { // twice the rate
        link.frame(UnixLinkTest.numbered(0, 1000));
      }
      assertThat(link.size()).isLessThan((64 * 1024 + 10 * 2000) / 1000 + 25);
    }
    loop.runUntil(200 * MS);
    assertThat((double) heard.size()).isCloseTo(1980, within(10.0));
    assertThat(link.counters().queueDrops()).isGreaterThan(1500);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void losesAndReordersTheShareAskedForAndNothingElse(long seed) {
    ShapedLink link = shaped("10ms,2%,3%:reorder", seed);
    int frames = 20_000;
    for (int i = 0; i < frames; i++) {
      loop.runUntil(i * 100_000L);
      link.frame(UnixLinkTest.numbered(i, 100));
    }
    loop.runUntil(frames * 100_000L + 100 * MS);
    assertThat(heard).doesNotHaveDuplicates();
    assertThat(heard.size() + link.counters().lossDrops()).isEqualTo(frames);
    assertThat((double) link.counters().lossDrops() / frames).isCloseTo(0.02, within(0.005));
    int late = 0;
    int highest = -1;
    for (int number : heard) {
      if (number < highest) {
        late++;
      }
      highest = Math.max(highest, number);
    }
    assertThat((double) late / frames).isCloseTo(0.03, within(0.006));
  }

  @Test
  void keepsTheOrderUnderJitter() {
    ShapedLink link = shaped("1ms,3ms:jitter", 7);
    for (int i = 0; i < 1000; i++) {
      loop.runUntil(i * 50_000L);
      link.frame(UnixLinkTest.numbered(i, 100));
    }
    loop.runUntil(1000 * MS);
    assertThat(heard).isSorted().hasSize(1000);
    assertThat(times.get(0)).isBetween(MS, 4 * MS);
  }

  @Test
  void theSameSeedGivesTheSameFate() {
    ShapedLink first = shaped("1ms,10%", 42);
    for (int i = 0; i < 500; i++) {
      first.frame(UnixLinkTest.numbered(i, 100));
    }
    loop.runUntil(100 * MS);
    List<Integer> before = List.copyOf(heard);
    heard.clear();
    ShapedLink second = shaped("1ms,10%", 42);
    for (int i = 0; i < 500; i++) {
      second.frame(UnixLinkTest.numbered(i, 100));
    }
    loop.runUntil(200 * MS);
    assertThat(heard).isEqualTo(before).hasSizeLessThan(500);
  }

  @Test
  void bindsItsMemoryWhenARateIsNotGiven() {
    ShapedLink link = shaped("10s", 1);
    ByteBuffer frame = ByteBuffer.allocate(1514);
    for (int i = 0; i < 40_000; i++) { // 60 MB
      link.frame(frame);
    }
    assertThat(link.size() * 1514L).isLessThanOrEqualTo(8 << 20);
    assertThat(link.counters().queueDrops()).isPositive();
    link.close();
    assertThat(link.size()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "fast", "5", "1gbit,,", "-5ms", "120%", "3gbit:jitter", "100000s"})
  void namesTheItemOfAShapeThatItCannotRead(String text) {
    assertThatThrownBy(() -> LinkShape.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void readsEveryItemOfAShape() {
    assertThat(LinkShape.parse("1gbit, 250us ,0.5%,2ms:jitter,1%:reorder,256kb:queue"))
        .isEqualTo(new LinkShape(125_000_000, 250_000, 0.005, 2_000_000, 0.01, 256 << 10));
  }
}
