package io.xmig.testbed.perf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PerfMessagesTest {
  private static ByteBuffer counted(DatagramCounts counts) {
    ByteBuffer out = ByteBuffer.allocate(PerfDatagram.REPORT_LENGTH - PerfDatagram.LENGTH);
    counts.write(out);
    return out.flip();
  }

  @Test
  void repeatedAndOvertakenDatagramsAreToldApart() {
    DatagramCounts counts = new DatagramCounts();
    for (long sequence : new long[] {0, 1, 3, 2, 3, 2, 4, 0}) {
      counts.add(sequence, 100, 0, 10);
    }
    ByteBuffer out = counted(counts);
    assertThat(out.getLong()).as("received").isEqualTo(5);
    assertThat(out.getLong()).as("bytes").isEqualTo(500);
    assertThat(out.getLong()).as("reordered").isEqualTo(1);
    assertThat(out.getLong()).as("duplicates").isEqualTo(3);
  }

  @Test
  void aJumpOfSequenceNumbersCostsNoTimeAndNoMemory() {
    DatagramCounts counts = new DatagramCounts();
    counts.add(5, 100, 0, 1);
    counts.add(Long.MAX_VALUE, 100, 0, 2);
    counts.add(Long.MAX_VALUE, 100, 0, 3);
    counts.add(6, 100, 0, 4);
    counts.add(-1, 100, 0, 5);
    ByteBuffer out = counted(counts);
    assertThat(out.getLong()).as("received").isEqualTo(3);
    assertThat(out.getLong()).as("bytes").isEqualTo(300);
    assertThat(out.getLong()).as("reordered").isEqualTo(1);
    assertThat(out.getLong()).as("duplicates").isEqualTo(1);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void anyBytesAreAHelloWithAllowedValuesOrNone(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    ByteBuffer hello = ByteBuffer.allocate(PerfHello.LENGTH);
    new PerfHello(PerfTest.RR, 64, 1000, 5).write(hello);
    for (int i = random.nextInt(4); i > 0; i--) {
      hello.put(random.nextInt(PerfHello.LENGTH), (byte) random.nextInt());
    }
    PerfHello read = PerfHello.read(hello.flip());
    if (read != null) {
      assertThat(read.messageBytes()).isBetween(16, 4 << 20);
      assertThat(read.responseBytes()).isBetween(16, 4 << 20);
      assertThat(read.durationNs()).isBetween(0L, 3_600_000_000_000L);
      assertThat(read.test().onStream()).isTrue();
    }
  }

  @Test
  void aHelloComesBackAsItWasWritten() {
    ByteBuffer bytes = ByteBuffer.allocate(PerfHello.LENGTH);
    PerfHello hello = new PerfHello(PerfTest.REVERSE, 4 << 20, 16, 3_000_000_000L);
    hello.write(bytes);
    assertThat(bytes.remaining()).isZero();
    assertThat(PerfHello.read(bytes.flip())).isEqualTo(hello);
  }

  @Test
  void theEndOfMessagesIsSeenHoweverTheyAreCut() {
    ByteBuffer stream = ByteBuffer.allocate(5 * 100);
    for (int i = 0; i < 5; i++) {
      stream.put(i * 100, i == 4 ? MessageWriter.LAST : MessageWriter.MORE);
      stream.put(i * 100 + 1, MessageWriter.LAST); // means nothing in the middle
    }
    for (int part = 1; part < 300; part++) {
      MessageReader reader = new MessageReader(100);
      ByteBuffer left = stream.duplicate();
      while (left.hasRemaining()) {
        assertThat(reader.isComplete()).isFalse();
        ByteBuffer next = left.slice().limit(Math.min(part, left.remaining()));
        left.position(left.position() + next.limit());
        while (next.hasRemaining()) {
          reader.take(next);
        }
      }
      assertThat(reader.isComplete()).isTrue();
      assertThat(reader.messages()).isEqualTo(5);
    }
  }

  @Test
  void anOptionOutOfRangeIsRefusedWithWhatIsAllowed() {
    assertThatThrownBy(() -> options(PerfTest.STREAM, 15, 1)).hasMessageContaining("16 bytes");
    assertThatThrownBy(() -> options(PerfTest.DGRAM, 16, 1)).hasMessageContaining("32 bytes");
    assertThatThrownBy(() -> options(PerfTest.RR, 64, 65)).hasMessageContaining("1 to 64");
    assertThatThrownBy(() -> PerfTest.named("tcp")).hasMessageContaining("dgram-rr");
  }

  private static PerfOptions options(PerfTest test, int message, int parallel) {
    return new PerfOptions(test, message, 64, Duration.ofSeconds(1), 0, parallel, Duration.ZERO, 0);
  }
}
