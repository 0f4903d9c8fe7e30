package io.xmig.testbed.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryBallastTest {
  @ParameterizedTest
  @CsvSource({"RANDOM, 0.99, 1.01", "REALISTIC, 0.30, 0.50"})
  void compressesAsItsKindSays(MemoryBallast.Content content, double least, double most) {
    MemoryBallast ballast = new MemoryBallast(1, content);
    ballast.fill();
    ByteBuffer copy = ByteBuffer.allocate(1 << 20);
    for (int i = 0; i < 1 << 20; i += Long.BYTES) {
      copy.putLong(ballast.word(i));
    }
    Deflater deflater = new Deflater(1);
    deflater.setInput(copy.flip());
    deflater.finish();
    byte[] out = new byte[2 << 20];
    double ratio = deflater.deflate(out) / (double) (1 << 20);
    deflater.end();

    assertThat(ratio).isBetween(least, most);
  }

  @Test
  void isFilledAnewWithSomethingElseAndLessOfIt() {
    MemoryBallast ballast = new MemoryBallast(40, MemoryBallast.Content.RANDOM);
    ballast.fill();
    long last = 4096 - Long.BYTES;
    assertThat(ballast.word((5 << 12) + last)).isNotEqualTo(5);

    ballast.refill(17, MemoryBallast.Content.REALISTIC);

    assertThat(ballast.bytes()).isEqualTo(17 << 20);
    assertThat(ballast.word((5 << 12) + last)).as("repeats the number of the page").isEqualTo(5);
    assertThat(ballast.word((17 << 20) - Long.BYTES)).isEqualTo((17 << 8) - 1);
    assertThatThrownBy(() -> ballast.word(33 << 20)).as("the third block is gone").isNotNull();
  }

  @Test
  void dirtyingStaysInsideTheWorkingSetAndGoesRound() {
    MemoryBallast ballast = new MemoryBallast(1, MemoryBallast.Content.RANDOM);
    ballast.fill();
    long inside = ballast.word(4096);
    long outside = ballast.word(8192);

    assertThat(ballast.dirty(5, 8192)).isEqualTo(5 * 4096);

    assertThat(ballast.word(4096)).isNotEqualTo(inside);
    assertThat(ballast.word(8192)).isEqualTo(outside);
  }
}
