package io.xmig.xia.click;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.xmig.xia.XiaException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.Topology.Attachment;
import io.xmig.xia.click.Topology.Control;
import io.xmig.xia.click.Topology.End;
import io.xmig.xia.click.Topology.HandlerWrite;
import io.xmig.xia.click.Topology.Kind;
import io.xmig.xia.click.Topology.Link;
import io.xmig.xia.click.Topology.Outside;
import io.xmig.xia.click.Topology.Shape;
import io.xmig.xia.click.Topology.Switch;
import io.xmig.xia.wire.EthernetFlyweight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopologyTest {
  private static final Shape FIVE_MS_GIGABYTE = new Shape(5_000_000, 1_000_000_000, 0, 0);

  /** The prototype's local topology: two hosts, two routers, in two ADs. */
  private static final String LOCAL =
      """
      require(library xia_router_lib.click);
      require(library xia_address.click);

      // host and router instantiation
      host0 :: XIAEndHost (RE AD0 HID0, HID0, 1500, 0, aa:aa:aa:aa:aa:aa);
      host1 :: XIAEndHost (RE AD1 HID1, HID1, 1600, 1, aa:aa:aa:aa:aa:aa);
      router0 :: XIARouter2Port(RE AD0 RHID0, AD0, RHID0, 0.0.0.0, 1700, aa:aa:aa:aa:aa:aa, aa:aa:aa:aa:aa:aa);
      router1 :: XIARouter2Port(RE AD1 RHID1, AD1, RHID1, 0.0.0.0, 1800, aa:aa:aa:aa:aa:aa, aa:aa:aa:aa:aa:aa);

      // The following line is required by the xianet script so it can determine the appropriate
      // host to run the nameserver on
      // host0 :: nameserver

      // interconnection -- host - ad
      host0[0] -> LinkUnqueue(0.005, 1 GB/s) -> [0]router0;
      router0[0] -> LinkUnqueue(0.005, 1 GB/s) -> [0]host0;

      host1[0] -> LinkUnqueue(0.005, 1 GB/s) -> [0]router1;
      router1[0] -> LinkUnqueue(0.005, 1 GB/s) -> [0]host1;

      // interconnection -- ad - ad
      router0[1] -> LinkUnqueue(0.005, 1 GB/s) ->[1]router1;
      router1[1] -> LinkUnqueue(0.005, 1 GB/s) ->[1]router0;

      ControlSocket(tcp, 7777);
      """;

  @Test
  void theLocalTopologyOfThePrototypeIsRead() {
    Topology t = Topology.parse("local.click", LOCAL);
    assertThat(t.nodes())
        .extracting(Topology.Node::name)
        .containsExactly("host0", "host1", "router0", "router1");
    Topology.Node host1 = t.node("host1");
    assertThat(host1.kind()).isEqualTo(Kind.HOST);
    assertThat(host1.address())
        .isEqualTo(Dag.path(ClickNames.XIDS.get("AD1"), ClickNames.XIDS.get("HID1")));
    assertThat(host1.ad()).isEqualTo(ClickNames.XIDS.get("AD1"));
    assertThat(host1.hid()).hasToString("HID:0000000000000000000000000000000000000001");
    assertThat(host1.apiPort()).isEqualTo(1600);
    assertThat(host1.cache()).isTrue();
    assertThat(t.node("host0").cache()).isFalse();
    Topology.Node router0 = t.node("router0");
    assertThat(router0.kind()).isEqualTo(Kind.ROUTER2);
    assertThat(router0.hid()).hasToString("HID:1100000000000000000000000000000000000000");
    assertThat(router0.fourId()).isEqualTo(Xid.NULL_4ID);
    assertThat(router0.ports()).hasSize(2);
    assertThat(EthernetFlyweight.formatMac(router0.ports().get(1).mac()))
        .isEqualTo("aa:aa:aa:aa:aa:aa");
    assertThat(t.links())
        .containsExactly(
            new Link(
                new End("host0", 0), new End("router0", 0), FIVE_MS_GIGABYTE, FIVE_MS_GIGABYTE),
            new Link(
                new End("host1", 0), new End("router1", 0), FIVE_MS_GIGABYTE, FIVE_MS_GIGABYTE),
            new Link(
                new End("router0", 1), new End("router1", 1), FIVE_MS_GIGABYTE, FIVE_MS_GIGABYTE));
    assertThat(t.attachments()).isEmpty();
    assertThat(t.nameServer()).isEqualTo("host0");
    assertThat(t.controls()).containsExactly(new Control("tcp", "7777"));
    assertThatThrownBy(() -> t.node("host9")).hasMessageContaining("host0, host1");
  }

  @Test
  void theTopologyOfTheTestbedIsRead() {
    Topology t = Topology.load(Path.of("..", "testbed", "topologies", "intra-ad.click"));
    assertThat(t.nodes())
        .extracting(Topology.Node::name)
        .containsExactly("ROUTER_1", "HOST_A", "HOST_B", "HOST_C");
    assertThat(t.nameServer()).isEqualTo("HOST_A");
    assertThat(t.switches())
        .containsExactly(
            new Switch("SEGMENT_A", 3), new Switch("SEGMENT_B", 3), new Switch("SEGMENT_C", 3));
    Shape gigabit = new Shape(100_000, 125_000_000, 0, 0);
    assertThat(t.links())
        .hasSize(6)
        .contains(
            new Link(
                new End("ROUTER_1", 1),
                new End("SEGMENT_B", 1),
                gigabit,
                new Shape(100_000, 125_000_000, 0, 1000)),
            new Link(new End("HOST_C", 0), new End("SEGMENT_C", 0), Shape.NONE, Shape.NONE));
    assertThat(t.attachments())
        .hasSize(3)
        .contains(
            new Attachment(
                new End("SEGMENT_A", 2),
                new Outside.Udp("127.0.0.1", 21010, "127.0.0.1", 21011),
                Shape.NONE,
                Shape.NONE));
    assertThat(t.nodes()).allMatch(n -> ClickNames.XIDS.get("AD0").equals(n.ad()));
    assertThat(t.nodes().stream().flatMap(n -> n.ports().stream()).map(Topology.Port::mac))
        .doesNotHaveDuplicates();
  }

  @Test
  void socketsDevicesAndRawSocketsAreAttachments() {
    Topology t =
        Topology.parse(
            "dual.click",
            """
            XIAXIDInfo(AD_ROAM AD:1000000000000000000000000000000000000077,
                       HOME HID:0000000000000000000000000000000000000078);
            r :: XIADualRouter4Port(RE AD_ROAM HOME, AD_ROAM, HOME, 128.2.0.9, 0,
              0, 0.0.0.0, 02:00:00:00:00:01,  0, 0.0.0.0, 02:00:00:00:00:02,
              0, 0.0.0.0, 02:00:00:00:00:03,  1, IP:10.0.0.2, 02:00:00:00:00:04);
            Socket("UDP", 0.0.0.0, 5001, SNAPLEN 65535) -> [0]r[0]
               -> LinkUnqueue(20ms, 100Mbps) -> RandomSample(DROP 0.01) -> Socket("UDP", 10.0.0.7, 5002);
            FromDevice(eth0, METHOD LINUX) -> [1]r[1] -> ToDevice(eth0);
            Idle -> [2]r[2] -> Discard;
            RawSocket(UDP, 13781) -> [3]r[3] -> RawSocket(UDP);
            Script(write r/xrc/n/proc/rt_AD.add AD_ROAM -2);
            """);
    assertThat(t.links()).isEmpty();
    assertThat(t.attachments())
        .containsExactly(
            new Attachment(
                new End("r", 0),
                new Outside.Udp("0.0.0.0", 5001, "10.0.0.7", 5002),
                new Shape(20_000_000, 12_500_000, 0.010000000000000009, 0),
                Shape.NONE),
            new Attachment(new End("r", 1), new Outside.Device("eth0"), Shape.NONE, Shape.NONE),
            new Attachment(new End("r", 3), new Outside.RawUdp(13781), Shape.NONE, Shape.NONE));
    Topology.Node r = t.node("r");
    assertThat(r.kind()).isEqualTo(Kind.DUAL4);
    assertThat(r.ports().get(0).fourId()).isNull();
    assertThat(r.ports().get(3).fourId()).isEqualTo(Xid.parse("IP:10.0.0.2"));
    assertThat(r.fourId()).isEqualTo(Xid.parse("IP:128.2.0.9"));
    assertThat(t.writes())
        .containsExactly(new HandlerWrite("r/xrc/n/proc/rt_AD.add", "AD_ROAM -2"));
    assertThat(t.names()).containsKeys("AD_ROAM", "HOME", "SID_NS");
    assertThat(t.nameServer()).isNull();
  }

  @Test
  void ownCompoundElementsAreExpanded() {
    Topology t =
        Topology.parse(
            "own.click",
            """
            define($SLOW 10ms);
            elementclass Cable { $rate, |
              input[0,1] => LinkUnqueue($SLOW, $rate), b :: { input -> LinkUnqueue($SLOW, $rate) -> output }
                => output;
            }
            a, b :: XIAEndHost(RE AD0 HID0, HID0, 0, 0, 02:00:00:00:00:01);
            a, b => c :: Cable(1 MB/s) => b, a;
            """);
    Shape slow = new Shape(10_000_000, 1_000_000, 0, 0);
    assertThat(t.links()).containsExactly(new Link(new End("a", 0), new End("b", 0), slow, slow));
  }

  @Test
  void aLibraryBesideTheFileInTheStyleOfThePrototypeIsRead(@TempDir Path dir) throws IOException {
    Files.writeString(
        dir.resolve("xia_router_lib.click"),
        """
        require(library my_constants.click);
        elementclass XIAToHost { $click_port |
          input -> Socket("UDP", 0.0.0.0, 0, SNAPLEN 65536)
        }
        elementclass XIAPacketRoute { $local_addr, $num_ports |
          // a comment with -> and }
          c :: XIAXIDTypeClassifier(next AD, next HID, next SID, next CID, next IP, -);
          rt_AD, rt_HID, rt_SID, rt_CID, rt_IP :: XIAXIDRouteTable($local_addr, $num_ports);
          input -> XIASelectPath(first) -> c;
          c => rt_AD, rt_HID, rt_SID, rt_CID, rt_IP, [2]output;
          rt_AD[0], rt_HID[0], rt_SID[0], rt_CID[0], rt_IP[0] -> [0]output;
          rt_AD[1], rt_HID[1], rt_CID[1] -> XIANextHop -> check :: XIACheckDest -> [1]output
          check[1] -> XIASelectPath(next) -> c;
        };
        elementclass XIARouter2Port { $local_addr, $local_ad, $local_hid, $external_ip, $click_port, $mac0, $mac1, |
          xrc :: XIARoutingCore($local_addr, $local_hid, $external_ip, $click_port, 2, 0);
          Script(write xrc/n/proc/rt_AD.add - $FALLBACK);
          Script(write xrc/n/proc/rt_AD.add $local_ad $DESTINED_FOR_LOCALHOST);
          xlc0 :: XIALineCard($local_addr, $local_hid, $mac0, 0);
          xlc1 :: XIALineCard($local_addr, $local_hid, $mac1, 1);
          input => xlc0, xlc1 => output;
          xrc -> XIAPaintSwitch[0,1] => [1]xlc0[1], [1]xlc1[1] -> [0]xrc;
        };
        """);
    Files.writeString(dir.resolve("my_constants.click"), "define($FALLBACK -7)\ndefine($X 1);\n");
    Path file = dir.resolve("t.click");
    Files.writeString(
        file,
        """
        require(library xia_router_lib.click);
        r :: XIARouter2Port(RE AD0 RHID0, AD0, RHID0, 0.0.0.0, 1700, 02:00:00:00:00:01, 02:00:00:00:00:02);
        Idle -> [0]r[0] -> Discard; Idle -> [1]r[1] -> Discard;
        """);
    assertThat(Topology.load(file).node("r").kind()).isEqualTo(Kind.ROUTER2);
  }

  /** The caret stands before the character that is blamed; {@code H(x)} is a good host. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "^a :: Foo(1);                         | element class 'Foo' cannot be used here; if it belongs to another Click",
        "^a :: Tee;                            | the prototype has Tee, the embedded node has not",
        "^a :: XIADualEndhost(1);              | cannot instantiate XIADualEndhost either",
        "^h -> Discard;                        | no element and no element class named 'h'",
        "h :: H h ^-> [1]h                     | 'h' (XIAEndHost) has no input 1, only 0",
        "h :: H h[1] ^-> Discard               | 'h' (XIAEndHost) has no output 1, only 0",
        "^h :: H                               | output h[0] is not connected; a port that is not used is written Idle -> [0]h[0] -> Discard;",
        "h :: H h -> Discard; h ^-> Discard    | output h[0] is already connected, in line 2",
        "h :: H h ^-> h2 :: H -> Discard; Idle -> h ; | sends to",
        "h :: H ^h :: H                        | 'h' is declared twice, first in line 2",
        "h :: XIAEndHost(^AD0 HID0, HID0, 1, 0, 2:0:0:0:0:1) | expected RE or DAG",
        "h :: XIAEndHost(RE AD0 ^FOO, HID0, 1, 0, 2:0:0:0:0:1) | expected TYPE:identifier",
        "h :: XIAEndHost(RE AD0 HID0, ^AD0, 1, 0, 2:0:0:0:0:1) | expected an XID of type HID",
        "h :: XIAEndHost(RE AD0 HID0, ^FOO, 1, 0, 2:0:0:0:0:1) | no XID named 'FOO'; XIAXIDInfo(FOO HID:…)",
        "h :: XIAEndHost(RE AD0 HID0, HID0, ^70000, 0, 2:0:0:0:0:1) | the API port is a number from 0 to 65535",
        "h :: XIAEndHost(RE AD0 HID0, HID0, 1, ^2, 2:0:0:0:0:1) | enable_local_cache is 0 or 1",
        "h :: XIAEndHost(RE AD0 HID0, HID0, 1, 0, ^2:0) | not an Ethernet address",
        "^h :: XIAEndHost(RE AD0 HID0, HID0, 1) | XIAEndHost takes 5 arguments (addr, HID",
        "h :: XIAEndHost^(RE                   | no ) for this (",
        "h :: H; h -> LinkUnqueue(^fast, 1 GB/s) -> h | a time is seconds",
        "h :: H; h -> LinkUnqueue(5ms, ^slow) -> h | a bandwidth is bytes per second",
        "h :: H; h -> ^LinkUnqueue(5ms) -> h   | LinkUnqueue takes a latency and a bandwidth",
        "h :: H; h -> LinkUnqueue(5ms, 1, ^X 1) -> h | expected LOSS probability",
        "h :: H; h -> RandomSample(^DROP 3) -> h | a probability is 0 to 1",
        "h :: H; h -> ^LinkUnqueue(5ms, 1);    | leads nowhere",
        "h :: H; ^Socket(TCP, 1.2.3.4, 5) -> h -> Socket(UDP, 1.2.3.4, 5); | would not keep frames apart",
        "h :: H; Socket(UDP, 1.2.3.4, ^x) -> h -> Socket(UDP, 1.2.3.4, 5); | a UDP port is a number",
        "h :: H; FromDevice(a) -> h -> ^ToDevice(b); | frames come from device 'a' and go to 'b'",
        "h :: H; FromDevice(a) -> h ^-> Discard; | a link leads both ways",
        "require(^library nosuch.click);       | no library 'nosuch.click'",
        "require(^package);                    | expected require(library FILE)",
        "define(^X 1);                         | expected $NAME value",
        "Idle -> ^;                            | expected an element, found ';'",
        "h :: H; h[^x] -> Discard              | expected a port number",
        "h :: H; h[5000^                       | expected a port number",
        "h :: H; i :: H; h, i ^=> Discard, Discard, Discard | cannot connect 2 outputs to 3 inputs",
        "h :: H; i :: H; h, i ^-> Discard, Discard | => connects in pairs",
        "^a :: A(1,2); elementclass B { } | element class 'A' cannot be used here",
        "elementclass A { input -> output } ^a :: A(1,2); | 'a' takes 0 arguments, found 2",
        "elementclass A { ^                    | expected a statement, found the end of the file",
        "^connectiontunnel a -> b              | connectiontunnel is not read",
        "h :: H; Idle ^-> h[0] -> ~            | unexpected character",
        "^/* never closed                      | no end of this comment",
        "h :: X(^\"abc)                        | no end of this quotation",
        "ControlSocket(^serial, 1)             | a ControlSocket is of type tcp or unix",
        "Script(^wait 5)                       | only 'write handler value' is read",
        "XIAXIDInfo(^AD7)                      | expected NAME TYPE:hex",
        "XIAXIDInfo(AD7 AD:^x)                 | is not an XID",
      })
  void aBadFileIsBlamedOnItsLineAndColumn(String marked, String message) {
    String good = "XIAEndHost(RE AD0 HID0, HID0, 0, 0, 02:00:00:00:00:01)";
    String text = marked.strip().replaceAll("\\bH\\b(?!ID)", good);
    int at = text.indexOf('^');
    ClickParseException e =
        catchThrowableOfType(
            ClickParseException.class,
            () -> Topology.parse("bad.click", "\n  " + text.replace("^", "")));
    assertThat(e).as(text).isNotNull();
    assertThat(e).hasMessageContaining(message.strip());
    if (text.contains("~") || text.contains("[5000")) {
      return; // blamed on what stands behind
    }
    assertThat(e.line()).isEqualTo(2);
    assertThat(e.column()).as(e.getMessage()).isEqualTo(at + 3);
    assertThat(e).hasMessageStartingWith("bad.click:2:" + (at + 3) + ": ");
    assertThat(e.pointer()).endsWith(" ".repeat(at + 2) + "^");
  }

  @Test
  void parametersOfACompoundEndWithABar() {
    assertThatThrownBy(() -> Topology.parse("x", "elementclass A { $x input -> output }"))
        .isInstanceOf(ClickParseException.class)
        .hasMessage("x:1:21: expected | after the parameters, found 'input'");
  }

  @Test
  void aHintForTheNameServerMustNameANode() {
    assertThatThrownBy(() -> Topology.parse("x", LOCAL.replace("// host0 ::", "// host7 ::")))
        .isInstanceOf(ClickParseException.class)
        .hasMessageContaining("'host7', which is no node");
    assertThat(Topology.parse("x", LOCAL + "// see host1 :: nameserver").nameServer())
        .isEqualTo("host0");
  }

  @Test
  void twoPortsOfOneSwitchMayNotShareAnAddress() {
    String host = "XIAEndHost(RE AD0 HID0, HID0, 0, 0, 02:00:00:00:00:01)";
    String text =
        "s :: EtherSwitch; a :: "
            + host
            + "; b :: "
            + host
            + ";"
            + "a -> [0]s[0] -> a; b -> [1]s[1] -> b;";
    assertThatThrownBy(() -> Topology.parse("x", text))
        .isInstanceOf(ClickParseException.class)
        .hasMessageContaining("b[0] and a[0] have the same Ethernet address on switch 's'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "// nothing\n", ";;;", "define($A 1)\ndefine($B $A)"})
  void aFileWithoutNodesIsAnEmptyTopology(String text) {
    assertThat(Topology.parse("x", text).nodes()).isEmpty();
  }

  @Test
  void deepNestingAndEndlessExpansionEndInAnError() {
    assertThatThrownBy(() -> Topology.parse("x", "a :: " + "{".repeat(5000)))
        .isInstanceOf(ClickParseException.class)
        .hasMessageContaining("nested more than");
    StringBuilder bomb = new StringBuilder("elementclass C0 { Idle -> Discard }\n");
    for (int i = 1; i < 16; i++) {
      bomb.append("elementclass C").append(i).append(" { ");
      bomb.append(("C" + (i - 1) + "; ").repeat(1));
      for (int k = 0; k < 10; k++) {
        bomb.append("x").append(k).append(" :: C").append(i - 1).append("; ");
      }
      bomb.append("}\n");
    }
    assertThatThrownBy(() -> Topology.parse("x", bomb + "a :: C15"))
        .isInstanceOf(ClickParseException.class)
        .hasMessageContaining("more than 20000 elements");
    assertThatThrownBy(() -> Topology.parse("x", "elementclass A { b :: A }\na :: A"))
        .isInstanceOf(ClickParseException.class);
  }

  @Test
  void aFileThatIsNotThereOrTooLargeSaysSo(@TempDir Path dir) throws IOException {
    assertThatThrownBy(() -> Topology.load(dir.resolve("none.click")))
        .isInstanceOf(XiaException.class)
        .hasMessageContaining("none.click");
    Path large = Files.write(dir.resolve("large.click"), new byte[(1 << 20) + 1]);
    assertThatThrownBy(() -> Topology.load(large)).hasMessageContaining("more than 1 MiB");
    Path binary = Files.write(dir.resolve("b.click"), new byte[] {(byte) 0xff});
    assertThatThrownBy(() -> Topology.load(binary)).hasMessageContaining("not UTF-8");
    Path escape = Files.writeString(dir.resolve("e.click"), "require(library ../large.click)");
    assertThatThrownBy(() -> Topology.load(escape)).isInstanceOf(ClickParseException.class);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void aDamagedFileIsReadOrBlamedButNothingElse(long seed) {
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder(LOCAL);
    String scraps = "[](){}|;,->=>::\"'$\\/*\n 09azAZ@.#\0é";
    for (int i = 1 + random.nextInt(6); i > 0; i--) {
      int at = random.nextInt(text.length());
      switch (random.nextInt(3)) {
        case 0 -> text.deleteCharAt(at);
        case 1 -> text.insert(at, scraps.charAt(random.nextInt(scraps.length())));
        default -> text.setLength(Math.max(1, at));
      }
    }
    try {
      assertThat(Topology.parse("x", text.toString()).links()).hasSizeLessThanOrEqualTo(3);
    } catch (ClickParseException e) {
      assertThat(e.line()).isBetween(1, 40);
      assertThat(e.pointer()).endsWith("^");
    }
  }
}
