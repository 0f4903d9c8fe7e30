package io.xmig.xia.click;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.click.Topology.Outside.Udp;
import io.xmig.xia.click.Topology.Shape;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClickSplitTest {
  private static final String SMALL =
      """
      require(library xia_router_lib.click);
      r0 :: XIARouter2Port(RE AD0 RHID0, AD0, RHID0, 0.0.0.0, 1700, 02:00:00:00:00:20, 02:00:00:00:00:21);
      r1 :: XIADualRouter4Port(RE AD1 RHID1, AD1, RHID1, 10.0.0.9, 1800,
                               0, 0.0.0.0, 02:00:00:00:01:20, 1, 10.0.0.9, 02:00:00:00:01:21,
                               0, 0.0.0.0, 02:00:00:00:01:22, 0, 0.0.0.0, 02:00:00:00:01:23);
      h :: XIAEndHost(RE AD0 HID0, HID0, 1500, 1, 02:00:00:00:00:10);
      LAN :: EtherSwitch;
      h -> Unqueue -> LAN -> h;
      LAN[1] -> Queue(50) -> LinkUnqueue(2ms, 1000000) -> [0]r0;
      r0[0] -> LinkUnqueue(1ms, 1000000) -> [1]LAN;
      r0[1] -> LinkUnqueue(0.005, 1 GB/s) -> RandomSample(DROP 0.01) -> [0]r1;
      r1[0] -> LinkUnqueue(0.005, 1 GB/s) -> [1]r0;
      Idle -> [1]r1[1] -> Discard;
      Idle -> [2]r1[2] -> Discard;
      Idle -> [3]r1[3] -> Discard;
      ControlSocket(tcp, 7777);
      """;

  private static IntSupplier ports() {
    AtomicInteger next = new AtomicInteger(20_000);
    return next::getAndIncrement;
  }

  private static ClickSplit split(int mtu) {
    return ClickSplit.of(
        Topology.parse("small.click", SMALL), Set.of("r0", "r1"), mtu, ports(), 7001);
  }

  /** Word for word: every argument of the prototype's elements at its place, every port joined. */
  @Test
  void theFileForClickHasWhatRelease11Takes() {
    String text = split(1500).forClick();

    assertThat(text.lines().filter(line -> !line.startsWith("//")).toList())
        .containsExactly(
            "",
            "require(library xia_router_lib.click);",
            "require(library xia_address.click);",
            "",
            "r0 :: XIARouter2Port(RE AD:1000000000000000000000000000000000000000"
                + " HID:1100000000000000000000000000000000000000,"
                + " AD:1000000000000000000000000000000000000000,"
                + " HID:1100000000000000000000000000000000000000,"
                + " 0.0.0.0, 20000, 02:00:00:00:00:20, 02:00:00:00:00:21);",
            "r1 :: XIADualRouter4Port(RE AD:1000000000000000000000000000000000000001"
                + " HID:1100000000000000000000000000000000000001,"
                + " AD:1000000000000000000000000000000000000001,"
                + " HID:1100000000000000000000000000000000000001,"
                + " 10.0.0.9, 20001, 0, 0.0.0.0, 02:00:00:00:01:20, 1, 10.0.0.9,"
                + " 02:00:00:00:01:21, 0, 0.0.0.0, 02:00:00:00:01:22, 0, 0.0.0.0,"
                + " 02:00:00:00:01:23);",
            "",
            "Socket(\"UDP\", 127.0.0.1, 20002) -> [0]r0[0] -> Socket(\"UDP\", 127.0.0.1, 20003);",
            "r0[1] -> LinkUnqueue(0.005000000, 1000000000) -> RandomSample(DROP 0.010000)"
                + " -> [0]r1;",
            "r1[0] -> LinkUnqueue(0.005000000, 1000000000) -> [1]r0;",
            "Idle -> [1]r1[1] -> Discard;",
            "Idle -> [2]r1[2] -> Discard;",
            "Idle -> [3]r1[3] -> Discard;",
            "",
            "ControlSocket(tcp, 7001);");
  }

  @Test
  void bothFilesAreTopologiesThatMeetAtTheSameSockets() {
    ClickSplit split = split(1500);
    Topology click = Topology.parse("click", split.forClick());
    Topology nodes = Topology.parse("nodes", split.forNodes());

    assertThat(click.nodes()).extracting(Topology.Node::name).containsExactly("r0", "r1");
    assertThat(nodes.nodes()).extracting(Topology.Node::name).containsExactly("h");
    assertThat(split.apiPorts()).containsOnlyKeys("r0", "r1");
    Udp there = (Udp) click.attachments().get(0).outside();
    Udp here = (Udp) nodes.attachments().get(0).outside();
    assertThat(here.bindPort()).isEqualTo(there.peerPort());
    assertThat(here.peerPort()).isEqualTo(there.bindPort());
    assertThat(nodes.attachments().get(0).at()).hasToString("LAN[1]");
    assertThat(nodes.attachments().get(0).out()).isEqualTo(new Shape(2_000_000, 1_000_000, 0, 50));
    assertThat(nodes.attachments().get(0).in().latencyNs()).isEqualTo(1_000_000);
    assertThat(click.attachments().get(0).out()).isEqualTo(Shape.NONE);
  }

  @Test
  void framesLargerThanClicksSocketsReadAreAskedFor() {
    assertThat(split(9000).forClick()).contains("20002, SNAPLEN 9014)");
    assertThat(Topology.parse("click", split(9000).forClick()).attachments()).hasSize(1);
  }

  @Test
  void aNameThatIsNoNodeIsNamed() {
    assertThatThrownBy(
            () ->
                ClickSplit.of(
                    Topology.parse("small.click", SMALL), Set.of("r9"), 1500, ports(), 7001))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("r9");
  }

  @ParameterizedTest
  @ValueSource(strings = {"intra-ad", "inter-ad"})
  void theRoutersOfTheTestbedAreSplitOff(String name) {
    Path file = Path.of("..", "testbed", "topologies", name + ".click");
    Topology whole = Topology.load(file);
    Set<String> routers =
        Set.copyOf(
            whole.nodes().stream()
                .filter(n -> n.kind().isRouter())
                .map(Topology.Node::name)
                .toList());

    ClickSplit split = ClickSplit.of(whole, routers, 1500, ports(), 7001);

    Topology click = Topology.parse("click", split.forClick());
    Topology nodes = Topology.parse("nodes", split.forNodes());
    assertThat(click.nodes()).hasSameSizeAs(routers);
    assertThat(click.switches()).isEmpty();
    assertThat(nodes.nodes()).noneMatch(n -> n.kind().isRouter());
    assertThat(nodes.switches())
        .extracting(Topology.Switch::name)
        .isEqualTo(whole.switches().stream().map(Topology.Switch::name).toList());
    assertThat(nodes.nameServer()).isEqualTo(whole.nameServer());
    assertThat(nodes.attachments()).hasSameSizeAs(click.attachments()).isNotEmpty();
  }
}
