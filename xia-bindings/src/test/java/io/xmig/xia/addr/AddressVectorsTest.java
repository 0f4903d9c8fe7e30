package io.xmig.xia.addr;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.xmig.xia.testkit.Vectors;
import io.xmig.xia.testkit.Vectors.Vector;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AddressVectorsTest {
  static Stream<Vector> xids() {
    return Vectors.load("xid").stream();
  }

  static Stream<Vector> cids() {
    return Vectors.load("cid").stream();
  }

  static Stream<Vector> sockaddrs() {
    return Vectors.load("dag").stream().filter(v -> v.link().equals("sockaddr_x"));
  }

  static Stream<Vector> clickDags() {
    return Vectors.load("dag").stream()
        .filter(v -> v.link().equals("xip-nodes") && !v.name().endsWith("_api_path"));
  }

  static Stream<Vector> apiPaths() {
    return Vectors.load("dag").stream().filter(v -> v.name().endsWith("_api_path"));
  }

  @ParameterizedTest
  @MethodSource("xids")
  void xidTextBecomesTheBytesAndTheTextOfThePrototype(Vector vector) {
    Xid xid = Xid.parseLenient(vector.text("text"));
    byte[] out = new byte[Xid.LENGTH];
    xid.write(ByteBuffer.wrap(out), 0);
    assertThat(out).isEqualTo(vector.bytes());
    assertThat(xid.typeCode()).isEqualTo(vector.fields().get("type_code").asInt());
    assertThat(xid.idHex()).isEqualTo(vector.fields().get("id").asText());
    assertThat(xid.toString()).isEqualTo(vector.fields().get("unparse").asText());
    assertThat(Xid.read(ByteBuffer.wrap(vector.bytes()), 0)).isEqualTo(xid);
    if (xid.type() != null) {
      assertThat(Xid.parse(xid.toString())).isEqualTo(xid);
    }
  }

  @ParameterizedTest
  @MethodSource("cids")
  void cidIsThatOfThePrototype(Vector vector) {
    String expected = vector.fields().get("xid").asText();
    assertThat(Cid.of(vector.bytes())).hasToString(expected);
    ByteBuffer direct = ByteBuffer.allocateDirect(vector.bytes().length + 3);
    direct.position(3).put(vector.bytes()).position(3);
    assertThat(Cid.of(direct)).hasToString(expected);
    assertThat(direct.position()).isEqualTo(3);
    assertThat(Cid.matches(Xid.parse(expected), direct)).isTrue();
  }

  @ParameterizedTest
  @MethodSource("sockaddrs")
  void sockaddrIsThatOfLibdagaddr(Vector vector) {
    Dag fromText = SockaddrX.parse(vector.text("text"));
    byte[] out = new byte[SockaddrX.meaningfulLength(fromText)];
    SockaddrX.write(fromText, ByteBuffer.wrap(out), 0);
    assertThat(out).isEqualTo(vector.bytes());

    Dag dag = SockaddrX.read(ByteBuffer.wrap(vector.bytes()), 0, vector.bytes().length);
    assertThat(dag).isEqualTo(fromText);
    assertNodes(dag, vector.fields());
    assertThat(dag.size()).isEqualTo(vector.fields().get("s_count").asInt());
    assertThat(SockaddrX.print(dag)).isEqualTo(vector.fields().get("dag_string").asText());
    assertThat(dag.intent()).hasToString(vector.fields().get("final_intent").asText());
    assertThat(SockaddrX.parse(SockaddrX.print(dag))).isEqualTo(dag);
  }

  @ParameterizedTest
  @MethodSource("clickDags")
  void wireNodesAreThoseOfClick(Vector vector) {
    Dag dag = Dag.parse(vector.text("text"));
    JsonNode fields = vector.fields();
    assertThat(dag.wireBytes()).isEqualTo(vector.bytes());
    assertNodes(dag, fields);
    assertThat(dag.size()).isEqualTo(fields.get("node_count").asInt());
    assertThat(Dag.tryRead(ByteBuffer.wrap(vector.bytes()), 0, dag.size())).isEqualTo(dag);
    assertThat(dag.toString()).isEqualTo(fields.get("unparse").asText());
    assertThat(DagText.printDag(dag)).isEqualTo(fields.get("unparse_dag").asText());
    assertThat(DagText.printRe(dag))
        .isEqualTo(fields.get("unparse_re").isNull() ? null : fields.get("unparse_re").asText());
  }

  @ParameterizedTest
  @MethodSource("apiPaths")
  void textThroughTheApiIsOrderedAsThePrototypeOrdersIt(Vector vector) {
    JsonNode fields = vector.fields();
    assertThat(SockaddrX.print(SockaddrX.parse(vector.text("text"))))
        .isEqualTo(fields.get("api_text").asText());
    Dag dag = SockaddrX.toWireOrder(vector.text("text"));
    assertThat(dag.wireBytes()).isEqualTo(vector.bytes());
    assertNodes(dag, fields);
    assertThat(dag.toString()).isEqualTo(fields.get("unparse").asText());
  }

  private static void assertNodes(Dag dag, JsonNode fields) {
    List<String> expected = new ArrayList<>();
    for (JsonNode node : fields.get("nodes")) {
      expected.add(node.get("xid").asText() + " " + node.get("edges"));
    }
    List<String> actual = new ArrayList<>();
    for (int i = 0; i < dag.size(); i++) {
      List<Integer> edges = new ArrayList<>();
      for (int k = 0; k < Dag.MAX_EDGES; k++) {
        if (dag.edge(i, k) != Dag.UNUSED_EDGE) {
          edges.add(dag.edge(i, k));
        }
      }
      actual.add(dag.node(i) + " " + edges.toString().replace(" ", ""));
    }
    assertThat(actual).isEqualTo(expected);
  }
}
