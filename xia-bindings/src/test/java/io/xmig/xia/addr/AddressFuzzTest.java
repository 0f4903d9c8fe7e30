package io.xmig.xia.addr;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.xmig.xia.testkit.Vectors;
import io.xmig.xia.testkit.Vectors.Vector;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Fuzzing of address texts and structures; the seeds run in the normal build. */
class AddressFuzzTest {
  static Stream<byte[]> texts() {
    return Stream.concat(Vectors.load("dag").stream(), Vectors.load("xid").stream())
        .map(v -> v.text("text").getBytes(StandardCharsets.UTF_8));
  }

  static Stream<byte[]> sockaddrs() {
    return Vectors.load("dag").stream()
        .filter(v -> v.link().equals("sockaddr_x"))
        .map(Vector::bytes);
  }

  @MethodSource("texts")
  @FuzzTest
  void aTextIsAnAddressOrIsRefusedWithAColumn(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    try {
      Dag dag = Dag.parse(text);
      assertThat(Dag.parse(dag.toString()).nodes()).hasSameSizeAs(dag.nodes());
    } catch (DagParseException e) {
      assertThat(e.column()).isBetween(0, text.length());
      assertThat(e.pointer()).endsWith("^");
    }
    try {
      Dag dag = SockaddrX.parse(text);
      assertThat(SockaddrX.parse(SockaddrX.print(dag))).isEqualTo(dag);
    } catch (DagParseException e) {
      assertThat(e.column()).isBetween(0, text.length());
    }
    try {
      Xid xid = Xid.parseLenient(text);
      assertThat(xid.toString()).hasSizeGreaterThan(40);
    } catch (DagParseException e) {
      assertThat(e.column()).isBetween(0, text.length());
    }
  }

  @MethodSource("sockaddrs")
  @FuzzTest
  void aSockaddrIsReadOrRefused(byte[] bytes) {
    for (int length = 0; length <= Math.min(bytes.length, SockaddrX.LENGTH); length++) {
      try {
        Dag dag = SockaddrX.read(ByteBuffer.wrap(bytes, 0, length), 0, length);
        assertThat(dag.size()).isBetween(1, Dag.MAX_NODES);
      } catch (IllegalArgumentException e) {
        assertThat(e.getMessage()).isNotEmpty();
      }
    }
    for (int count = 0; count <= bytes.length / Dag.NODE_LENGTH; count++) {
      Dag dag = Dag.tryRead(ByteBuffer.wrap(bytes), 0, count);
      assertThat(dag == null || dag.size() == count).isTrue();
    }
  }
}
