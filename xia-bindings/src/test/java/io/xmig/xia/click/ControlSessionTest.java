package io.xmig.xia.click;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.testkit.Vectors;
import io.xmig.xia.testkit.Vectors.Vector;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ControlSessionTest {
  private static final Map<String, Xid> NAMES =
      Map.of(
          "AD2", Xid.parseLenient("AD:1000000000000000000000000000000000000002"),
          "RHID1", Xid.parse("HID:1100000000000000000000000000000000000001"));

  /** A table that lists the youngest entry first, as the prototype's did in the transcripts. */
  private static final class Table implements RouteTableHandlers.Routes {
    private final Map<Xid, String> lines = new LinkedHashMap<>();
    private String defaultLine = RouteTableHandlers.line(null, -7, null, 0);
    private int defaultPort = -7;
    private boolean enabled = true;

    @Override
    public boolean contains(Xid xid) {
      return lines.containsKey(xid);
    }

    @Override
    public int defaultPort() {
      return defaultPort;
    }

    @Override
    public void set(@Nullable Xid xid, int port, @Nullable Xid nextHop, int flags) {
      String line = RouteTableHandlers.line(xid, port, nextHop, flags);
      if (xid == null) {
        defaultPort = port;
        defaultLine = line;
      } else {
        lines.put(xid, line);
      }
    }

    @Override
    public void remove(Xid xid) {
      lines.remove(xid);
    }

    @Override
    public String list() {
      List<String> all = new ArrayList<>(lines.values());
      all.add(defaultLine);
      Collections.reverse(all);
      return String.join("\n", all) + "\n";
    }

    @Override
    public boolean enabled() {
      return enabled;
    }

    @Override
    public void enabled(boolean on) {
      enabled = on;
    }
  }

  /** The elements that the transcripts touch, as they stood in the capturing process. */
  private static HandlerRegistry prototype() {
    Table table = new Table();
    table.set(Xid.parseLenient("AD:10"), -2, null, 0);
    table.set(
        Xid.parse("AD:1000000000000000000000000000000000000001"), 1, NAMES.get("RHID1"), 65535);
    HandlerRegistry router = new HandlerRegistry();
    RouteTableHandlers.register(
        router.element("xrc/n/proc/rt_AD", "XIAXIDRouteTable", "RE AD0 RHID0, 2"),
        table,
        NAMES::get);
    router.element(
        "xrc/xtransport",
        "XTRANSPORT",
        "RE AD0 RHID0, IP:0.0.0.0, n/proc/rt_SID, IS_DUAL_STACK_ROUTER 0");
    router
        .element("xlc0/xarpq", "XARPQuerier", "RHID0, 02:00:00:00:00:20")
        .read(
            "table",
            () -> "HID:0000000000000000000000000000000000000000 1 02-00-00-00-00-10 132.437000\n")
        .read("stats", () -> "0 packets killed\n3 XARP queries sent\n");
    router
        .element("xlc0/xarpr", "XARPResponder", "RHID0 02:00:00:00:00:20")
        .read("table", () -> "HID:1100000000000000000000000000000000000000 02-00-00-00-00-20\n");
    router.element("xlc0/count_final_out", "XIAXIDTypeCounter", "").read("count", () -> "");
    router
        .element("xlc0/print_in", "XIAPrint", "")
        .readWrite("active", () -> "0", value -> {})
        .hint("active", ".c")
        .readWrite("verbosity", () -> "1", value -> {});
    HandlerRegistry host = new HandlerRegistry();
    host.element(
            "xrc/cache", "XIACache", "RE AD0 HID0, n/proc/rt_CID, PACKET_SIZE 1400, MALICIOUS 0")
        .readWrite("malicious", () -> "0", value -> {});
    host.element(
        "xrc/xtransport",
        "XTRANSPORT",
        "RE AD0 HID0, IP:0.0.0.0, n/proc/rt_SID, IS_DUAL_STACK_ROUTER 0");
    host.element("xlc/xarpq", "XARPQuerier", "HID0, 02:00:00:00:00:10");
    host.element("xlc/Queue@9", "Queue", "200")
        .read("length", () -> "0")
        .read("drops", () -> "0")
        .read("capacity", () -> "200");
    HandlerRegistry process = new HandlerRegistry();
    process.mount("router0", router);
    process.mount("host0", host);
    process
        .element("LinkUnqueue@6", "LinkUnqueue", "0.005, 1 GB/s")
        .readWrite("latency", () -> "0.005", value -> {})
        .hint("latency", ".")
        .readWrite("bandwidth", () -> "1000000000", value -> {})
        .hint("bandwidth", ".")
        .read("size", () -> "0")
        .write("reset", value -> {})
        .hint("reset", "b")
        .read("scheduled", () -> "1")
        .readWrite("tickets", () -> "1024", value -> {})
        .readWrite("home_thread", () -> "0", value -> {});
    process.element("Socket@7", "Socket", "\"UDP\", 127.0.0.1, 21000");
    return process;
  }

  @Test
  void everyTranscriptOfThePrototypeIsAnsweredToTheByte() {
    List<Vector> transcript = Vectors.load("controlsocket");
    assertThat(ControlSession.banner()).isEqualTo(transcript.get(0).bytes());
    ControlSession session = new ControlSession(prototype());
    for (Vector vector : transcript.subList(1, transcript.size())) {
      String command = vector.fields().get("command").asText();
      assertThat(session.isClosed()).isFalse();
      assertThat(say(session, command))
          .as("%s: %s", vector, command)
          .isEqualTo(new String(vector.bytes(), StandardCharsets.UTF_8));
    }
    assertThat(session.isClosed()).isTrue();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void piecesOfAnySizeAndAnyLineEndGiveTheSameAnswers(long seed) {
    Random random = new Random(seed);
    StringBuilder in = new StringBuilder();
    StringBuilder expected = new StringBuilder();
    List<String> ends = List.of("\n", "\r\n", "\r");
    List<Vector> transcript = Vectors.load("controlsocket");
    for (Vector vector : transcript.subList(1, transcript.size())) {
      String command = vector.fields().get("command").asText();
      in.append(command.replace("\n", ends.get(random.nextInt(3))));
      expected.append(vector.fields().get("response").asText());
    }
    byte[] bytes = in.toString().getBytes(StandardCharsets.UTF_8);
    ControlSession session = new ControlSession(prototype());
    StringBuilder answers = new StringBuilder();
    for (int at = 0; at < bytes.length; ) {
      int size = Math.min(bytes.length - at, 1 + random.nextInt(40));
      byte[] out = session.receive(ByteBuffer.wrap(bytes, at, size));
      answers.append(new String(out, StandardCharsets.UTF_8));
      at += size;
    }
    assertThat(answers).hasToString(expected.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "read VERSION2      | 511 No handler named 'VERSION2'",
        "ReAd version       | 200 Read handler 'version' OK",
        "WRITE              | 500 Wrong number of arguments",
        "WRITEDATA a.b x    | 500 Syntax error in 'WRITEDATA'",
        "WRITEDATA a.b -1   | 500 Syntax error in 'WRITEDATA'",
        "WRITEDATA a.b 0    | 510 No element named 'a'",
        "CHECKREAD router0/xrc/n/proc/rt_AD.add | 511 Handler 'router0/xrc/n/proc/rt_AD.add' not readable",
        "READ router0       | 511 No handler named 'router0'",
        "READ router0/.x    | 510 No element named 'router0/'",
        "HELP               | 200-Commands supported:",
      })
  void commandsAreAnsweredWithTheCodesOfClick(String command, String answer) {
    assertThat(say(new ControlSession(prototype()), command.strip() + "\n"))
        .startsWith(answer.strip() + "\r\n");
  }

  @Test
  void dataAreTakenUpToATermOrACount() {
    ControlSession session = new ControlSession(prototype());
    String table = "router0/xrc/n/proc/rt_AD";
    assertThat(say(session, "WRITEUNTIL " + table + ".set4 EOF\nAD2,3\nEOF\n")).startsWith("200 ");
    assertThat(say(session, "READDATA " + table + ".list 3\nabcREAD " + table + ".enabled\n"))
        .contains("AD:1000000000000000000000000000000000000002,3,,0\n")
        .endsWith("DATA 1\r\n1");
    assertThat(say(session, "\n\r\n  \n")).isEmpty();
  }

  @Test
  void anEndlessLineEndsTheSessionAndHugeDataAreSkipped() {
    ControlSession session = new ControlSession(prototype());
    int size = ControlSession.MAX_DATA + 1;
    assertThat(say(session, "WRITEDATA a.b " + size + "\n")).isEmpty();
    assertThat(say(session, "x".repeat(size))).startsWith("521 ");
    assertThat(say(session, "READ version\n")).startsWith("200 ");
    assertThat(say(session, "READ " + "x".repeat(ControlSession.MAX_LINE))).startsWith("500 ");
    assertThat(session.isClosed()).isTrue();
  }

  @Test
  void aFaultOfAHandlerIsAnswered() {
    HandlerRegistry tree = new HandlerRegistry();
    tree.element("e", "E", "")
        .read(
            "boom",
            () -> {
              throw new IllegalStateException("fault");
            })
        .write(
            "no",
            value -> {
              throw new HandlerException("first\nsecond");
            });
    ControlSession session = new ControlSession(tree);
    assertThat(say(session, "READ e.boom\n"))
        .isEqualTo("590 Handler 'e.boom' failed: IllegalStateException\r\n");
    assertThat(say(session, "WRITE e.no x\n"))
        .isEqualTo("520-Write handler 'e.no' error:\r\n520-first\r\n520 second\r\n");
  }

  @Test
  void elementsOfMountedTreesAreListed() {
    HandlerRegistry tree = prototype();
    assertThat(tree.elements()).contains("router0/xrc/n/proc/rt_AD", "host0/xlc/Queue@9");
    assertThat(say(new ControlSession(tree), "READ list\n"))
        .contains("\r\n" + tree.elements().size() + "\n")
        .contains("\nhost0/xrc/cache\n");
    tree.unmount("router0");
    assertThat(tree.hasElement("router0/xrc/n/proc/rt_AD")).isFalse();
  }

  private static String say(ControlSession session, String text) {
    byte[] out = session.receive(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    return new String(out, StandardCharsets.UTF_8);
  }
}
