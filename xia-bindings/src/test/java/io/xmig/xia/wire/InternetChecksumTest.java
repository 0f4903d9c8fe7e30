package io.xmig.xia.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class InternetChecksumTest {
  @Test
  void theExampleOfTheRfcIsRight() {
    ByteBuffer data = ByteBuffer.wrap(HexFormat.of().parseHex("0001f203f4f5f6f7"));
    assertThat(InternetChecksum.finish(InternetChecksum.sum(data, 0, 8)))
        .isEqualTo(~0xddf2 & 0xffff);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void anyRangeSumsAsWordByWord(long seed) {
    Random random = new Random(seed);
    byte[] bytes = new byte[random.nextInt(3000)];
    random.nextBytes(bytes);
    int from = bytes.length == 0 ? 0 : random.nextInt(Math.min(5, bytes.length));
    int length = bytes.length - from;
    long expected = 0;
    for (int i = 0; i < length; i++) {
      expected += (long) (bytes[from + i] & 0xff) << ((i & 1) == 0 ? 8 : 0);
    }
    assertThat(InternetChecksum.finish(InternetChecksum.sum(ByteBuffer.wrap(bytes), from, length)))
        .isEqualTo(InternetChecksum.finish(expected));
  }
}
