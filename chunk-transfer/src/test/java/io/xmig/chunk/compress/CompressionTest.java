package io.xmig.chunk.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.xmig.chunk.ChunkException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CompressionTest {
  private static ByteBuffer direct(byte[] bytes) {
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void whatIsCompressedComesBackAndWhatGainsNothingIsLeft(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] bytes = new byte[1 + random.nextInt(200_000)];
    int kinds = 1 + random.nextInt(256);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) random.nextInt(kinds);
    }
    try (ZstdCodec codec = new ZstdCodec()) {
      ByteBuffer target = ByteBuffer.allocateDirect(bytes.length);
      int length = codec.compress(direct(bytes), target);
      assertThat(length).isLessThanOrEqualTo(bytes.length - bytes.length / 20);
      if (length > 0) {
        ByteBuffer raw =
            codec.decompress(
                target.slice(0, length), bytes.length, ByteBuffer.allocateDirect(bytes.length));
        assertThat(raw).isEqualTo(ByteBuffer.wrap(bytes));
      } else {
        assertThat(kinds > 150 || bytes.length < 200).isTrue();
      }
    }
  }

  @Test
  void aFrameOfAnotherLengthThanAnnouncedIsRejected() {
    try (ZstdCodec codec = new ZstdCodec()) {
      ByteBuffer target = ByteBuffer.allocateDirect(10_000);
      int length = codec.compress(direct(new byte[10_000]), target);
      ByteBuffer frame = target.slice(0, length);
      assertThatThrownBy(() -> codec.decompress(frame, 9_999, ByteBuffer.allocateDirect(9_999)))
          .isInstanceOf(ChunkException.class);
      assertThatThrownBy(() -> codec.decompress(frame, 10_001, ByteBuffer.allocateDirect(10_001)))
          .isInstanceOf(ChunkException.class)
          .hasMessageContaining("announced=10001");
    }
  }

  @FuzzTest
  void anyBytesAreAFrameOrRejected(FuzzedDataProvider data) {
    try (ZstdCodec codec = new ZstdCodec()) {
      codec.decompress(direct(data.consumeRemainingAsBytes()), 64, ByteBuffer.allocateDirect(64));
    } catch (ChunkException expected) {
      assertThat(expected).hasMessageContaining("chunk");
    }
  }

  /** Seconds for a stream with AUTO, path and processor one after the other; and how often. */
  private record Auto(double seconds, double share) {}

  private static final int RAW = 512 * 1024;
  private static final int PIECES = 6400;

  private static Auto auto(double path, double ratio, double compressor) {
    CompressionPolicy policy = new CompressionPolicy(Compression.AUTO);
    int compressed = 0;
    double seconds = 0;
    double rate = path;
    for (int i = 0; i < PIECES; i++) {
      double took = RAW / path;
      if (policy.compressNext(rate)) {
        compressed++;
        policy.onCompressed(RAW, (int) (RAW * ratio), (long) (RAW * 1e9 / compressor));
        took = RAW / compressor + RAW * ratio / path;
      } else {
        policy.onPlain();
      }
      seconds += took;
      rate += (RAW / took - rate) / 4; // what the acknowledgements show
    }
    return new Auto(seconds, (double) compressed / PIECES);
  }

  private static double share(double path, double ratio, double compressor) {
    return auto(path, ratio, compressor).share();
  }

  @Test
  void autoCompressesWhereItPaysAndHardlyEverWhereItDoesNot() {
    assertThat(share(12.5e6, 0.4, 500e6)).as("slow path, good ratio").isGreaterThan(0.95);
    assertThat(share(125e6, 0.4, 500e6)).as("1 Gbit/s, good ratio").isGreaterThan(0.95);
    assertThat(share(125e6, 1.0, 2e9)).as("random data").isLessThan(0.04);
    assertThat(share(1e9, 0.4, 500e6)).as("path faster than the processor").isLessThan(0.04);
  }

  @Test
  void aSlowFirstTimeDoesNotKeepAutoFromCompressing() {
    CompressionPolicy policy = new CompressionPolicy(Compression.AUTO);
    int compressed = 0;
    for (int i = 0; i < 1000; i++) {
      if (policy.compressNext(12.5e6)) {
        // a library was loaded during the first one
        policy.onCompressed(64 * 1024, 26 * 1024, compressed++ == 0 ? 100_000_000 : 200_000);
      } else {
        policy.onPlain();
      }
    }
    assertThat(compressed).isGreaterThan(900);
  }

  @Test
  void autoIsNeverMoreThanThreePercentSlowerThanOff() {
    for (double path : new double[] {5e6, 12.5e6, 125e6, 500e6, 1e9, 4e9}) {
      for (double ratio : new double[] {0.3, 0.6, 0.9, 1.0}) {
        for (double compressor : new double[] {100e6, 300e6, 500e6, 2e9}) {
          double off = (double) PIECES * RAW / path;
          assertThat(auto(path, ratio, compressor).seconds())
              .as("path %g, ratio %g, compressor %g", path, ratio, compressor)
              .isLessThanOrEqualTo(off * 1.03);
        }
      }
    }
  }
}
