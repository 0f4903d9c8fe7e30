package io.xmig.control.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.control.host.v1.Abort;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.session.MessageFraming;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class HandoffFramingTest {
  private static final HandoffMessage ABORT =
      HandoffMessage.newBuilder()
          .setHandoff("h1")
          .setAbort(Abort.newBuilder().setReason("no"))
          .build();

  /** Worked out by hand from handoff.proto: length, field 1 "h1", field 7 { field 1 "no" }. */
  private static final String ABORT_BYTES = "0000000a" + "0a026831" + "3a040a026e6f";

  @Test
  void framesAreAsTheProtocolSays() {
    ByteBuffer frame = MessageFraming.frame(ABORT, PeerSession.MAX_MESSAGE_BYTES);
    byte[] bytes = new byte[frame.remaining()];
    frame.get(bytes);

    assertThat(HexFormat.of().formatHex(bytes)).isEqualTo(ABORT_BYTES);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void messagesComeOutWholeHoweverTheBytesArrive(long seed) throws Exception {
    Random random = new Random(seed);
    ByteBuffer stream = ByteBuffer.allocate(3 * ABORT_BYTES.length() / 2);
    for (int i = 0; i < 3; i++) {
      stream.put(MessageFraming.frame(ABORT, PeerSession.MAX_MESSAGE_BYTES));
    }
    stream.flip();
    MessageFraming<HandoffMessage> framing =
        new MessageFraming<>(HandoffMessage.parser(), PeerSession.MAX_MESSAGE_BYTES);
    int got = 0;
    while (stream.hasRemaining()) {
      int size = 1 + random.nextInt(stream.remaining());
      for (int i = 0; i < size; i++) {
        framing.buffer().put(stream.get());
      }
      for (HandoffMessage message = framing.next(); message != null; message = framing.next()) {
        assertThat(message).isEqualTo(ABORT);
        got++;
      }
    }

    assertThat(got).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ffffffff00", "00004001", "80000000", "000000020a05", "00000001ff"})
  void refusesWhatIsNoMessage(String hex) {
    MessageFraming<HandoffMessage> framing =
        new MessageFraming<>(HandoffMessage.parser(), PeerSession.MAX_MESSAGE_BYTES);
    framing.buffer().put(HexFormat.of().parseHex(hex));

    assertThatThrownBy(framing::next).isInstanceOf(InvalidProtocolBufferException.class);
  }

  @FuzzTest
  void anyBytesAreMessagesOrRefused(byte[] input) {
    MessageFraming<HandoffMessage> framing =
        new MessageFraming<>(HandoffMessage.parser(), PeerSession.MAX_MESSAGE_BYTES);
    framing.buffer().put(input, 0, Math.min(input.length, framing.buffer().remaining()));
    try {
      int messages = 0;
      while (framing.next() != null) {
        messages++;
      }
      assertThat(messages).isLessThanOrEqualTo(input.length / 4);
    } catch (InvalidProtocolBufferException refused) {
      assertThat(refused).hasMessageNotContaining("null");
    }
  }
}
