package io.xmig.control.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class QemuStreamTest {
  private static final String SEEDS = "io.xmig.xia.testkit.Seeds#seeds";

  private static void feed(QemuStream stream, SplittableRandom random, byte[] bytes, int upTo) {
    int at = 0;
    while (at < upTo) {
      int most = random.nextInt(10) == 0 ? 3 : 100_000;
      int count = Math.min(upTo - at, 1 + random.nextInt(most));
      stream.feed(ByteBuffer.wrap(bytes, at, count));
      at += count;
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource(SEEDS)
  void theByteThatStartsTheGuestIsNeverReleasedHoweverTheStreamIsCut(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    QemuStreams.Made made =
        QemuStreams.make(random, random.nextInt(60), random.nextBoolean(), random.nextBoolean());
    QemuStream stream = new QemuStream(false);
    int at = 0;
    long released = 0;
    while (at < made.bytes().length) {
      int count = Math.min(made.bytes().length - at, 1 + random.nextInt(50_000));
      stream.feed(ByteBuffer.wrap(made.bytes(), at, count));
      at += count;
      assertThat(stream.releasableBytes()).isBetween(released, (long) made.startByte());
      released = stream.releasableBytes();
    }
    assertThat(stream.isComplete()).isTrue();
    assertThat(stream.isRaw()).isFalse();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource(SEEDS)
  void aStreamCutAnywhereBeforeItsEndIsNotComplete(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    QemuStreams.Made made =
        QemuStreams.make(random, random.nextInt(20), random.nextBoolean(), false);
    int cut = random.nextInt(made.startByte());
    QemuStream stream = new QemuStream(false);
    feed(stream, random, made.bytes(), cut);
    assertThat(stream.isComplete()).as("cut at %d of %d", cut, made.startByte()).isFalse();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource(SEEDS)
  void whatLooksLikeTheEndIsLetGoOnceMoreFollows(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    QemuStreams.Made made = QemuStreams.make(random, 200, true, true);
    QemuStream stream = new QemuStream(false);
    feed(stream, random, made.bytes(), made.bytes().length);
    // Of the decoys, none reaches further than three pages; the true end is held from its first
    // byte.
    assertThat(stream.releasableBytes())
        .isBetween(made.startByte() - 70_000L, (long) made.startByte());
    assertThat(stream.isComplete()).isTrue();
  }

  /**
   * Header and last bytes of a stream written by QEMU 7.2.22, machine type pc, 64 MB, without a
   * guest; the 4000 bytes before its VM_EOF and everything after are as they were.
   */
  @Test
  void theEndOfAStreamThatQemuWroteIsFound() throws IOException {
    byte[] captured;
    try (InputStream file = getClass().getResourceAsStream("/golden/qemu-7.2-end.gz")) {
      captured = new GZIPInputStream(file).readAllBytes();
    }
    QemuStream stream = new QemuStream(false);
    stream.feed(ByteBuffer.wrap(captured, 0, captured.length - 1));
    assertThat(stream.isComplete()).isFalse();
    stream.feed(ByteBuffer.wrap(captured, captured.length - 1, 1));
    assertThat(stream.isComplete()).isTrue();
    assertThat(stream.releasableBytes()).isEqualTo(8 + 4000);
    QemuStream bare = new QemuStream(false);
    bare.feed(ByteBuffer.wrap(captured, 0, 8 + 4000));
    assertThat(bare.isComplete()).isFalse();
    bare.feed(ByteBuffer.wrap(captured, 8 + 4000, 1));
    assertThat(bare.isComplete()).isTrue();
    assertThat(bare.releasableBytes()).isLessThan(8 + 4000);
  }

  @Test
  void arbitraryBytesMayEndAnywhereAndTheirLastOnesAreHeldBack() {
    QemuStream stream = new QemuStream(false);
    stream.feed(ByteBuffer.wrap(new byte[1000]));
    assertThat(stream.isRaw()).isTrue();
    assertThat(stream.isComplete()).isTrue();
    assertThat(stream.releasableBytes()).isEqualTo(1000 - QemuStream.ALWAYS_HELD);
  }

  @Test
  void nothingAtAllIsNotAStreamUnlessTheUserSaysSo() {
    assertThat(new QemuStream(false).isComplete()).isFalse();
    assertThat(new QemuStream(true).isComplete()).isTrue();
    QemuStream begun = new QemuStream(false);
    begun.feed(ByteBuffer.wrap(new byte[] {'Q', 'E', 'V'}));
    assertThat(begun.isComplete()).isFalse();
    QemuStream other = new QemuStream(false);
    other.feed(ByteBuffer.wrap(new byte[] {'h', 'i'}));
    assertThat(other.isComplete()).isTrue();
  }

  @FuzzTest
  void releasesOnlyBytesThatAreThereAndNeverTakesThemBack(FuzzedDataProvider data) {
    QemuStream stream = new QemuStream(data.consumeBoolean());
    long before = 0;
    while (data.remainingBytes() > 0) {
      stream.feed(ByteBuffer.wrap(data.consumeBytes(data.consumeInt(0, 64))));
      long now = stream.releasableBytes();
      assertThat(now).isBetween(before, Math.max(0, stream.length() - QemuStream.ALWAYS_HELD));
      before = now;
    }
  }
}
