package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.wire.ContentFlyweight;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ContentHeaderTest {
  private final ByteBuffer buffer = ByteBuffer.allocate(300);
  private final ContentHeader header = new ContentHeader();

  private String hex() {
    byte[] bytes = new byte[buffer.position()];
    buffer.get(0, bytes);
    return HexFormat.of().formatHex(bytes);
  }

  @ParameterizedTest(name = "to one that knows the extension: {0}")
  @ValueSource(booleans = {false, true})
  void aRequestStandsOnTheWireAsDescribed(boolean toExtended) {
    int bytes = header.putRequest(buffer, 0x01020304, 0x0a0b0c, 0x10000, 9000, 1, toExtended);
    // nxt, hlen, OPCODE 1, CHUNK_OFFSET 0, LENGTH 0; key 0x40; "Chunk request" and a zero
    // as release 1.1 has it, or the serial in the place of its bytes 4 to 7
    assertThat(hex())
        .isEqualTo(
            "3b20"
                + "020001"
                + "050200000000"
                + "03030000"
                + "1040"
                + "04030201"
                + "0c0b0a00"
                + "00000100"
                + "2823"
                + "01"
                + "4368756e"
                + (toExtended ? "04030201" : "6b207265")
                + "717565737400");
    assertThat(bytes).isEqualTo(ContentHeader.REQUEST_LENGTH + 14);
    long quoted = buffer.getLong(ContentHeader.REQUEST_LENGTH);
    assertThat(ContentHeader.quotesSerial(quoted)).isEqualTo(toExtended);
    if (toExtended) {
      assertThat(ContentHeader.quotedSerial(quoted)).isEqualTo(0x01020304);
    }
    assertThat(header.read(buffer, 0, bytes)).isTrue();
    assertThat(header.opcode).isEqualTo(ContentFlyweight.REQUEST);
    assertThat(header.isRangeRequest).isTrue();
    assertThat(header.serial).isEqualTo(0x01020304);
    assertThat(header.rangeOffset).isEqualTo(0x0a0b0c);
    assertThat(header.rangeLength).isEqualTo(0x10000);
    assertThat(header.maxPacketBytes).isEqualTo(9000);
    assertThat(header.flags).isEqualTo(ContentHeader.FLAG_COMPACT);
  }

  @Test
  void anAnswerStandsOnTheWireAsDescribed() {
    ContentHeader.putAnswer(buffer, 0x1000, 1408, 0x100000, 7, 0);
    assertThat(hex())
        .isEqualTo(
            "3b1c" + "020002" + "050200100000" + "03038005" + "050400001000" + "06410700000000");
    assertThat(buffer.position()).isEqualTo(ContentHeader.ANSWER_LENGTH);
    assertThat(header.read(buffer, 0, buffer.position())).isTrue();
    assertThat(header.isAnswer).isTrue();
    assertThat(header.chunkOffset).isEqualTo(0x1000);
    assertThat(header.length).isEqualTo(1408);
    assertThat(header.chunkLength).isEqualTo(0x100000);
    assertThat(header.serial).isEqualTo(7);
  }

  @Test
  void aRefusalStandsOnTheWireAsDescribed() {
    byte[] cid = HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f10111213");
    ContentHeader.putRefusal(buffer, 7, ContentHeader.REASON_NOT_FOUND, cid);
    assertThat(hex())
        .isEqualTo(
            "3b24" + "020002" + "06410700000000" + "164201" + HexFormat.of().formatHex(cid) + "00");
    assertThat(header.read(buffer, 0, buffer.position())).isTrue();
    assertThat(header.isRefusal).isTrue();
    assertThat(header.reason).isEqualTo(ContentHeader.REASON_NOT_FOUND);
    assertThat(buffer.get(header.refusedCidOffset + 1)).isEqualTo((byte) 1);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void anyBytesAreReadOrRejected(long seed) {
    Random random = new Random(seed);
    byte[] bytes = new byte[random.nextInt(120)];
    random.nextBytes(bytes);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    if (bytes.length > 3) {
      bytes[1] = (byte) (random.nextInt(30) * 4);
      if (random.nextBoolean()) {
        bytes[2] = (byte) (1 + random.nextInt(24));
        bytes[3] = (byte) (0x40 + random.nextInt(3));
      }
    }
    if (header.read(in, 0, bytes.length)) {
      assertThat(header.headerLength).isLessThanOrEqualTo(bytes.length);
      assertThat(header.chunkOffset).isNotNegative();
      if (header.isRangeRequest) {
        assertThat(header.rangeOffset).isNotNegative();
        assertThat(header.rangeLength).isNotNegative();
      }
    }
  }
}
