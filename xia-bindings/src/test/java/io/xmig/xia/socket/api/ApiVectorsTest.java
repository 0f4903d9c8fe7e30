package io.xmig.xia.socket.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import io.xmig.xia.testkit.Vectors;
import io.xmig.xia.testkit.Vectors.Vector;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The messages between programs and the prototype's node. */
class ApiVectorsTest {
  static Stream<Vector> messages() {
    return Vectors.load("api").stream();
  }

  @ParameterizedTest
  @MethodSource("messages")
  void aMessageIsReadAndWrittenAgain(Vector vector) throws InvalidProtocolBufferException {
    XSocketMsg message = XSocketMsg.parseFrom(vector.bytes());
    assertThat(message.getUnknownFields().asMap()).isEmpty();
    assertSame(message, vector.fields());
    assertThat(message.toByteArray()).isEqualTo(vector.bytes());
    assertThat(message.toBuilder().build().toByteArray()).isEqualTo(vector.bytes());
  }

  @ParameterizedTest
  @MethodSource("messages")
  void aMessageCutAnywhereIsReadOrRefused(Vector vector) {
    for (int length = 0; length < vector.bytes().length; length++) {
      try {
        XSocketMsg cut = XSocketMsg.parseFrom(Arrays.copyOf(vector.bytes(), length));
        assertThat(cut.getSerializedSize()).isLessThanOrEqualTo(length);
      } catch (InvalidProtocolBufferException expected) {
        assertThat(expected.getMessage()).isNotEmpty();
      }
    }
  }

  private static void assertSame(Message message, JsonNode fields) {
    int count = 0;
    for (var entry : (Iterable<Map.Entry<String, JsonNode>>) fields::fields) {
      String name = entry.getKey();
      if (name.equals("type_name") || name.equals("decoded_payload")) {
        continue; // explanations
      }
      FieldDescriptor field = message.getDescriptorForType().findFieldByName(name);
      assertThat(field).as(name).isNotNull();
      Object value = message.getField(field);
      if (field.isRepeated()) {
        List<?> list = (List<?>) value;
        assertThat(list).hasSize(entry.getValue().size());
        for (int i = 0; i < list.size(); i++) {
          assertSame(list.get(i), entry.getValue().get(i));
        }
      } else {
        assertThat(message.hasField(field)).as(name).isTrue();
        assertSame(value, entry.getValue());
      }
      count++;
    }
    assertThat(message.getAllFields()).hasSize(count);
  }

  private static void assertSame(Object value, JsonNode expected) {
    if (value instanceof Message inner) {
      assertSame(inner, expected);
    } else if (value instanceof EnumValueDescriptor number) {
      assertThat(number.getNumber()).isEqualTo(expected.asInt());
    } else if (value instanceof ByteString bytes) {
      assertThat(bytes.size()).isEqualTo(expected.get("len").asInt());
      assertThat(HexFormat.of().formatHex(bytes.toByteArray()))
          .startsWith(expected.get("hex").asText());
    } else {
      assertThat(String.valueOf(value)).isEqualTo(expected.asText());
    }
  }
}
