package io.xmig.xia.wire;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.xmig.xia.testkit.Vectors.Vector;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Coverage-guided fuzzing of the packet decoders, seeded with the captured packets. In the normal
 * build only the seeds run; {@code JAZZER_FUZZ=1 mvn test -pl xia-bindings -Djazzer.hooks=true
 * -Dtest=DecodersFuzzTest#frames} fuzzes.
 */
class DecodersFuzzTest {
  static Stream<byte[]> capturedFrames() {
    return captured("ethernet");
  }

  static Stream<byte[]> capturedIpPackets() {
    return captured("ip");
  }

  static Stream<byte[]> capturedMessages() {
    return PacketVectorsTest.packets()
        .filter(v -> v.fields().has("application"))
        .map(
            v -> {
              int length = v.fields().get("payload_len").asInt();
              return Arrays.copyOfRange(v.bytes(), v.bytes().length - length, v.bytes().length);
            });
  }

  private static Stream<byte[]> captured(String link) {
    return PacketVectorsTest.packets().filter(v -> v.link().equals(link)).map(Vector::bytes);
  }

  @MethodSource("capturedFrames")
  @FuzzTest
  void frames(byte[] bytes) {
    DecoderChecks.frame(bytes);
  }

  @MethodSource("capturedIpPackets")
  @FuzzTest
  void ipPackets(byte[] bytes) {
    DecoderChecks.ipPacket(bytes);
  }

  @MethodSource("capturedMessages")
  @FuzzTest
  void daemonMessages(byte[] bytes) {
    DecoderChecks.messages(ByteBuffer.wrap(bytes));
  }
}
