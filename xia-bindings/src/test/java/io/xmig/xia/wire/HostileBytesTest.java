package io.xmig.xia.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.xmig.xia.testkit.Vectors;
import io.xmig.xia.testkit.Vectors.Vector;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HostileBytesTest {
  private static final List<Vector> PACKETS = PacketVectorsTest.packets().toList();

  static Stream<Vector> packets() {
    return PACKETS.stream();
  }

  @ParameterizedTest
  @MethodSource("packets")
  void aPacketCutAnywhereIsTakenOrRefused(Vector vector) {
    byte[] bytes = vector.bytes();
    for (int length = 0; length < bytes.length; length++) {
      DecoderChecks.captured(vector, Arrays.copyOf(bytes, length));
    }
  }

  @ParameterizedTest
  @MethodSource("packets")
  void anXipPacketCutAnywhereIsRefused(Vector vector) {
    boolean isXip = vector.fields().has("xip") && !vector.fields().has("content");
    int start = vector.link().equals("ip") ? IpEncapsulation.HEADER_LENGTH : 14;
    byte[] bytes = vector.bytes();
    for (int length = start; isXip && length < bytes.length; length++) {
      ByteBuffer cut = ByteBuffer.wrap(bytes, 0, length).slice();
      assertThat(new XipFlyweight().tryWrap(cut, start, length)).isFalse();
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void aDamagedPacketIsTakenOrRefused(long seed) {
    Random random = new Random(seed);
    for (int round = 0; round < 20; round++) {
      Vector vector = PACKETS.get(random.nextInt(PACKETS.size()));
      byte[] bytes = vector.bytes();
      for (int i = random.nextInt(8); i >= 0; i--) {
        // mostly where the counts, indices and lengths are
        int span = random.nextBoolean() ? Math.min(bytes.length, 48) : bytes.length;
        bytes[random.nextInt(span)] = (byte) random.nextInt();
      }
      DecoderChecks.captured(vector, bytes);
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void aDamagedMessageOfADaemonIsTakenOrRefused(long seed) {
    Random random = new Random(seed);
    for (int round = 0; round < 10; round++) {
      Vector vector = PACKETS.get(random.nextInt(PACKETS.size()));
      if (!vector.fields().has("transport")) {
        continue;
      }
      int length = vector.fields().get("payload_len").asInt();
      byte[] all = vector.bytes();
      byte[] data = Arrays.copyOfRange(all, all.length - length, all.length);
      for (int i = random.nextInt(3); i >= 0 && data.length > 0; i--) {
        data[random.nextInt(data.length)] = (byte) random.nextInt();
      }
      DecoderChecks.messages(ByteBuffer.wrap(data));
      DecoderChecks.messages(ByteBuffer.wrap(data, 0, random.nextInt(data.length + 1)));
    }
  }

  @Test
  void textsThatAnnounceMoreThanTheyHoldAreRefused() {
    String ad = "AD:" + "1".repeat(40);
    String hid = "HID:" + "1".repeat(40);
    for (String text :
        List.of(
            "1^0^" + ad + "^" + hid + "^1^999999999^",
            "1^0^" + ad + "^" + hid + "^1^2^" + ad + "^" + hid + "^",
            "1^0^" + ad + "^" + hid + "^100000^0^",
            "1^2^" + ad + "^" + hid + "^1^0^",
            "0^" + hid + "^" + ad + "^",
            "0^" + ad + "^" + hid,
            "2^",
            "3^" + hid + "^",
            "^".repeat(2000),
            "")) {
      ByteBuffer in = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
      assertThatThrownBy(() -> RoutingMessage.decode(in))
          .as(text)
          .isInstanceOf(MalformedPacketException.class);
    }
    ByteBuffer beacon = ByteBuffer.allocate(6).order(ByteOrder.LITTLE_ENDIAN);
    beacon.putShort(4, Short.MAX_VALUE);
    assertThatThrownBy(() -> XhcpBeacon.decode(beacon)).hasMessageContaining("too many entries");
    assertThatThrownBy(() -> XhcpBeacon.decode(ByteBuffer.allocate(XhcpBeacon.MAX_BYTES + 1)))
        .hasMessageContaining("too long");
    assertThatThrownBy(
            () -> NameServiceMessage.decode(ByteBuffer.allocate(NameServiceMessage.MAX_BYTES + 1)))
        .hasMessageContaining("too long");
  }

  @Test
  void aRefusalSaysWhatAndWhere() {
    ByteBuffer in = ByteBuffer.wrap(Vectors.get("stream", "stream_syn_hop1").bytes());
    assertThatThrownBy(() -> new XipFlyweight().wrap(in, 14, 20))
        .hasMessage("xip-header truncated {offset=14, available=6}");
    in.put(14 + 5, (byte) 21);
    assertThatThrownBy(() -> new XipFlyweight().wrap(in, 14, in.limit()))
        .hasMessage("xip-header with no or too many destination nodes {offset=14, available=218}");
  }

  @Test
  void readingAndRoutingAPacketAllocatesNothing() {
    ByteBuffer in = ByteBuffer.allocateDirect(512);
    byte[] syn = Vectors.get("stream", "stream_syn_hop1").bytes();
    in.put(0, syn);
    XipFlyweight xip = new XipFlyweight();
    TransportFlyweight transport = new TransportFlyweight();
    long sum = 0;
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = 0;
    for (int i = 0; i < 60_000; i++) {
      if (i == 50_000) {
        before = threads.getCurrentThreadAllocatedBytes();
      }
      if (xip.tryWrap(in, 14, syn.length)
          && transport.tryWrap(in, xip.payloadOffset(), xip.payloadEnd())) {
        sum += xip.edge(xip.current(), 0) + transport.sequence();
        xip.hopLimit(249).markVisited(0, 0);
        TransportFlyweight.write(in, xip.payloadOffset(), 1, 3, i, 0);
      }
    }
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(sum).isPositive();
    assertThat(allocated).as("bytes for 10,000 packets").isLessThan(10_000);
  }

  @Test
  void hostileMessagesAllocateLittleMoreThanTheirSize() {
    byte[] carets = new byte[RoutingMessage.MAX_BYTES];
    Arrays.fill(carets, (byte) '^');
    byte[] zeros = new byte[NameServiceMessage.MAX_BYTES];
    zeros[0] = 1;
    zeros[2] = 'x';
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long worst = 0;
    for (byte[] hostile : List.of(carets, zeros)) {
      for (int i = 0; i < 5; i++) { // the first rounds load classes
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
          RoutingMessage.decode(ByteBuffer.wrap(hostile));
        } catch (MalformedPacketException expected) {
          assertThat(expected.recovery()).isNotNull();
        }
        try {
          NameServiceMessage.decode(ByteBuffer.wrap(hostile));
        } catch (MalformedPacketException expected) {
          assertThat(expected.recovery()).isNotNull();
        }
        long spent = threads.getCurrentThreadAllocatedBytes() - before;
        worst = i == 4 ? Math.max(worst, spent) : worst;
      }
    }
    assertThat(worst).isLessThan(256 * 1024);
  }
}
