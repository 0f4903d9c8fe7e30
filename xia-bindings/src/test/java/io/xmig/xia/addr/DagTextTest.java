package io.xmig.xia.addr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class DagTextTest {
  private static final Xid AD = Xid.parse("AD:1000000000000000000000000000000000000000");
  private static final Xid HID = Xid.parse("HID:0000000000000000000000000000000000000001");
  private static final Xid SID = Xid.parse("SID:0f00000000000000000000000000000000000888");

  /** {@code A}, {@code H} and {@code S} stand for XIDs; the caret for the column that is blamed. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "^                        | expected RE or DAG",
        "^re A                    | expected RE or DAG",
        "RE^                      | expected an XID",
        "RE ^) A                  | expected TYPE:identifier",
        "RE ^( A                  | no ) for this (",
        "RE ( ^) A                | expected an XID before )",
        "RE ( A )^                | expected an XID",
        "RE A ^(H) S              | expected TYPE:identifier",
        "RE ^XX:12                | unknown principal type",
        "RE AD:12^                | expected 40 hexadecimal digits, found 2",
        "RE AD:12^g4              | not a hexadecimal digit",
        "RE A ^HID                | expected TYPE:identifier",
        "RE IP:1.2.3^             | not an IPv4 address",
        "RE IP:1.2.^300.4         | not an IPv4 address",
        "RE IP:1.2.3.4^.5         | not an IPv4 address",
        "RE IP:1.2.3.^400         | not an IPv4 address",
        "DAG^                     | expected a node index or -",
        "DAG 0^                   | expected a node index or -",
        "DAG 0 ^A                 | expected a node index or -",
        "DAG ^- A                 | expected at least one node index",
        "DAG 0 -^                 | expected an XID",
        "DAG 0 - A ^H             | expected the edges of this node, ended by -",
        "DAG 0 ^1 - A             | there is no node 1, only 0 to 0",
        "DAG 0 0 0 0 ^0 - A       | a node has at most 4 edges",
        "DAG 0 - ^A 0 - H         | node 0 is on no path",
        "DAG 2 - ^A 1 - H 2 - S   | node 0 is on no path",
        "DAG 0 2 - ^A 1 - H 0 - S | node 0 is on no path",
      })
  void aBadTextIsBlamedOnItsCharacter(String marked, String message) {
    String text = expand(marked.strip());
    int column = text.indexOf('^');
    String clean = text.replace("^", "");
    DagParseException e = catchThrowableOfType(DagParseException.class, () -> Dag.parse(clean));
    assertThat(e).isNotNull().hasMessageContaining(message.strip());
    assertThat(e.column()).isEqualTo(column);
    assertThat(e.pointer()).endsWith(" ".repeat(column) + "^");
    assertThatThrownBy(() -> SockaddrX.parse(clean)).isInstanceOf(DagParseException.class);
  }

  private static String expand(String marked) {
    StringBuilder out = new StringBuilder();
    for (String word : marked.split(" ", -1)) {
      String mark = word.startsWith("^") ? "^" : "";
      String rest = word.substring(mark.length());
      Map<String, Xid> letters = Map.of("A", AD, "H", HID, "S", SID);
      out.append(out.isEmpty() ? "" : " ").append(mark);
      out.append(letters.containsKey(rest) ? letters.get(rest).toString() : rest);
    }
    return out.toString();
  }

  @Test
  void digitsOfOtherScriptsAreNotHexadecimal() {
    String text = "AD:" + "٣".repeat(40);
    assertThatThrownBy(() -> Xid.parse(text)).isInstanceOf(DagParseException.class);
    assertThatThrownBy(() -> Xid.parse("AD:" + "１".repeat(40)))
        .isInstanceOf(DagParseException.class);
  }

  @Test
  void aTextBeyondTheLimitIsRefusedWithoutReadingIt() {
    assertThatThrownBy(() -> Dag.parse("RE ".repeat(100_000)))
        .isInstanceOf(DagParseException.class)
        .hasMessageContaining("at most 8192 characters");
    assertThatThrownBy(() -> Dag.parse("RE" + (" " + AD).repeat(21)))
        .isInstanceOf(DagParseException.class)
        .hasMessageContaining("at most 20 nodes");
  }

  @Test
  void namesAreLookedUpWhereAFileDefinesThem() {
    Dag dag = Dag.parse("RE ( AD0 ) HID1", Map.of("AD0", AD, "HID1", HID)::get);
    assertThat(dag).isEqualTo(Dag.withFallback(List.of(AD), HID));
  }

  @Test
  void fourEdgesMayBeFollowedByADashOrNot() {
    String nodes = AD + " 3 - " + AD + " 3 - " + HID + " 3 - " + SID;
    assertThat(Dag.parse("DAG 0 1 2 3 - " + nodes)).isEqualTo(Dag.parse("DAG 0 1 2 3 " + nodes));
  }

  @Test
  void bytesThatAreNoDagAreNotRead() {
    Dag dag = Dag.path(AD, HID, SID);
    assertThat(Dag.tryRead(ByteBuffer.wrap(dag.wireBytes()), 0, 0)).isNull();
    assertThat(Dag.tryRead(ByteBuffer.allocate(28 * 21), 0, 21)).isNull();
    byte[] beyond = dag.wireBytes().clone();
    beyond[24] = 3;
    assertThat(Dag.tryRead(ByteBuffer.wrap(beyond), 0, 3)).isNull();
    byte[] cycle = dag.wireBytes().clone();
    cycle[28 + 24] = 0;
    assertThat(Dag.tryRead(ByteBuffer.wrap(cycle), 0, 3)).isNull();
    byte[] visited = dag.wireBytes().clone();
    visited[24] |= (byte) 0x80;
    assertThat(Dag.tryRead(ByteBuffer.wrap(visited), 0, 3)).isEqualTo(dag);
    assertThatThrownBy(() -> Dag.of(List.of(AD, HID), List.of(new int[] {0}, new int[] {0})))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cycle");
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void anyDagSurvivesItsTextAndItsBytes(long seed) {
    Dag dag = randomDag(new Random(seed));
    Dag sorted = Dag.parse("DAG " + DagText.printDag(dag));
    assertThat(sorted.size()).isEqualTo(dag.size());
    assertThat(Dag.parse("DAG " + DagText.printDag(sorted)).nodes())
        .containsExactlyInAnyOrderElementsOf(dag.nodes());
    String re = DagText.printRe(sorted);
    if (re != null) {
      assertThat(DagText.printRe(Dag.parse("RE " + re))).isEqualTo(re);
    }
    assertThat(SockaddrX.parse(SockaddrX.print(dag))).isEqualTo(dag);
    ByteBuffer sockaddr = ByteBuffer.allocate(SockaddrX.LENGTH);
    SockaddrX.write(dag, sockaddr, 0);
    assertThat(SockaddrX.read(sockaddr, 0, SockaddrX.LENGTH)).isEqualTo(dag);
    assertThat(Dag.tryRead(ByteBuffer.wrap(dag.wireBytes()), 0, dag.size())).isEqualTo(dag);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void anyTextIsADagOrIsRefusedWithAColumnInIt(long seed) {
    Random random = new Random(seed);
    String[] words = {
      "RE",
      "DAG",
      "(",
      ")",
      "-",
      "0",
      "1",
      "2",
      "\n",
      "",
      AD.toString(),
      HID.toString(),
      "IP:1.2.3.4"
    };
    StringBuilder text = new StringBuilder(random.nextBoolean() ? "RE " : "DAG 0 - ");
    for (int i = random.nextInt(12); i > 0; i--) {
      text.append(words[random.nextInt(words.length)]).append(random.nextInt(8) == 0 ? "" : " ");
    }
    try {
      assertThat(Dag.parse(text.toString()).size()).isBetween(1, Dag.MAX_NODES);
    } catch (DagParseException e) {
      assertThat(e.column()).isBetween(0, text.length());
    }
  }

  /** Nodes in an order in which every edge leads onward; each is reached and reaches the sink. */
  static Dag randomDag(Random random) {
    int count = 1 + random.nextInt(Dag.MAX_NODES);
    List<Xid> nodes = new ArrayList<>();
    List<List<Integer>> out = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] id = new byte[Xid.ID_LENGTH];
      random.nextBytes(id);
      nodes.add(Xid.of(XidType.values()[random.nextInt(5)], id));
      out.add(new ArrayList<>());
    }
    for (int i = 0; i < count; i++) { // one way in for each, from a node that has room
      int from = i == 0 ? count - 1 : i - 1;
      out.get(from).add(i);
    }
    for (int extra = random.nextInt(2 * count); extra > 0; extra--) {
      int from = random.nextInt(count);
      int first = from == count - 1 ? 0 : from + 1;
      if (out.get(from).size() < 3) {
        int to = first + random.nextInt(count - first);
        out.get(from).add(random.nextInt(out.get(from).size() + 1), to);
      }
    }
    return Dag.of(nodes, out.stream().map(e -> e.stream().mapToInt(i -> i).toArray()).toList());
  }
}
