package io.xmig.xia.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TlvExtensionTest {
  @Test
  void extensionEntriesFollowThePrototypesEntries() {
    ByteBuffer out = ByteBuffer.allocate(128);
    TransportFlyweight writer =
        new TransportFlyweight().begin(out, 4, TransportFlyweight.TYPE_STREAM, 4, 7, 0x01020304);
    writer.putByte(0x40, 9);
    writer.putShort(0x41, 0x1234);
    writer.putInt(0x42, -2);
    writer.putLong(0x43, 0x0102030405060708L);
    writer.putBytes(0x7f, new byte[] {1, 2, 3}, 1, 2);
    int length = writer.finish();
    assertThat(length % 4).isZero();
    assertThat(HexFormat.of().formatHex(out.array(), 4, 4 + length))
        .isEqualTo(
            "3b34"
                + "020001"
                + "020104"
                + "050407000000"
                + "050504030201"
                + "03060000"
                + "024009"
                + "03413412"
                + "0542feffffff"
                + "09430807060504030201"
                + "037f0203"
                + "00".repeat(length - 51));

    TransportFlyweight reader = new TransportFlyweight().wrap(out, 4, 4 + length);
    assertThat(reader.acknowledgement()).isEqualTo(0x01020304);
    assertThat(reader.extensionInt(0x40, 0)).isEqualTo(9);
    assertThat(reader.extensionInt(0x41, 0)).isEqualTo(0x1234);
    assertThat(reader.extensionInt(0x42, 0)).isEqualTo(-2);
    assertThat(reader.extensionLong(0x42, 0)).isEqualTo(0xfffffffeL);
    assertThat(reader.extensionLong(0x43, 0)).isEqualTo(0x0102030405060708L);
    assertThat(reader.extensionLength(0x7f)).isEqualTo(2);
    assertThat(out.get(reader.extensionOffset(0x7f))).isEqualTo((byte) 2);
    assertThat(reader.extensionSet()).isEqualTo(0b1111L | 1L << 63);
    assertThat(reader.extensionOffset(0x50)).isEqualTo(-1);
    assertThat(reader.dataOffset()).isEqualTo(4 + length);
  }

  @Test
  void contentHeadersTakeExtensionsToo() {
    ByteBuffer out = ByteBuffer.allocate(300);
    ContentFlyweight content = new ContentFlyweight().beginRequest(out, 0, 65_536, 4096);
    content.putInt(0x40, 3);
    int length = content.finish();
    ContentFlyweight read = new ContentFlyweight().wrap(out, 0, length);
    assertThat(read.opcode()).isEqualTo(ContentFlyweight.REQUEST);
    assertThat(read.chunkOffset()).isEqualTo(65_536);
    assertThat(read.length()).isEqualTo(4096);
    assertThat(read.extensionInt(0x40, 0)).isEqualTo(3);

    content.beginResponse(out, 0, 5, 60_000, 1 << 20).putLong(0x41, -1);
    length = content.finish();
    read.wrap(out, 0, length);
    assertThat(read.opcode()).isEqualTo(ContentFlyweight.RESPONSE);
    assertThat(read.length()).isEqualTo(60_000);
    assertThat(read.chunkLength()).isEqualTo(1 << 20);
    assertThat(read.ttl()).isEqualTo(ContentFlyweight.TTL_S);
    assertThat(read.extensionLong(0x41, 0)).isEqualTo(-1);
  }

  @Test
  void aHeaderGrowsUpTo252BytesAndOnlyByExtensions() {
    ByteBuffer out = ByteBuffer.allocate(300);
    TransportFlyweight writer = new TransportFlyweight().begin(out, 0, 1, 3, 0, 0);
    writer.openEntry(0x40, 226);
    assertThatThrownBy(() -> writer.putByte(0x41, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.putByte(0x3f, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.putByte(0x80, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThat(writer.finish()).isEqualTo(TlvFlyweight.MAX_LENGTH);
    assertThat(new TransportFlyweight().wrap(out, 0, 252).extensionLength(0x40)).isEqualTo(226);
  }

  @Test
  void wrongSizesAndLengthsAreRefused() {
    TransportFlyweight view = new TransportFlyweight();
    for (String hex :
        List.of(
            "3b", // half a header
            "3b00", // no length
            "3b06" + "02000100", // not a multiple of 4
            "3b08" + "0200" + "0100", // longer than what is there
            "3b04" + "0300", // an entry that leads out
            "3b04" + "ff00", // the same
            "3b08" + "0300" + "01000000", // a TYPE of two bytes
            "3b08" + "0204" + "01000000")) { // a SEQ_NUM of one byte
      byte[] bytes = HexFormat.of().parseHex(hex);
      assertThat(view.tryWrap(ByteBuffer.wrap(bytes), 0, bytes.length)).as(hex).isFalse();
    }
    byte[] unknown = HexFormat.of().parseHex("3b0c" + "0107" + "030a0000" + "02ff00" + "00");
    assertThat(view.tryWrap(ByteBuffer.wrap(unknown), 0, unknown.length)).isTrue();
    assertThat(view.type()).isZero();
    assertThat(view.extensionSet()).isZero();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void entriesAreReadInAnyOrder(long seed) {
    Random random = new Random(seed);
    int sequence = random.nextInt();
    int acknowledgement = random.nextInt();
    long extension = random.nextLong();
    List<byte[]> entries =
        new ArrayList<>(
            List.of(
                new byte[] {2, 0, 2},
                new byte[] {2, 1, 3},
                number(4, sequence, 4),
                number(5, acknowledgement, 4),
                number(6, 77, 2),
                number(7, 0xdeadbeef, 4),
                number(0x44, extension, 8)));
    Collections.shuffle(entries, random);
    ByteBuffer out = ByteBuffer.allocate(64);
    out.position(2);
    entries.forEach(out::put);
    int length = (out.position() + 3) / 4 * 4;
    out.put(0, (byte) 59).put(1, (byte) length);
    TransportFlyweight view = new TransportFlyweight().wrap(out, 0, length);
    assertThat(view.type()).isEqualTo(2);
    assertThat(view.packetInfo()).isEqualTo(3);
    assertThat(view.sequence()).isEqualTo(sequence);
    assertThat(view.acknowledgement()).isEqualTo(acknowledgement);
    assertThat(view.lengthField()).isEqualTo(77);
    assertThat(view.extensionLong(0x44, 0)).isEqualTo(extension);
  }

  private static byte[] number(int key, long value, int size) {
    byte[] entry = new byte[2 + size];
    entry[0] = (byte) (1 + size);
    entry[1] = (byte) key;
    for (int i = 0; i < size; i++) {
      entry[2 + i] = (byte) (value >>> 8 * i);
    }
    return entry;
  }
}
