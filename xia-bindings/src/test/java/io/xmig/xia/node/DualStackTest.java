package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.testkit.Topologies;
import io.xmig.xia.testkit.Vectors;
import io.xmig.xia.testkit.VirtualLoop;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.IpEncapsulation;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Routers that carry XIP over IPv4, as in the captures of docs/wire.md section 12. */
class DualStackTest {
  private static final Xid AD1 = Topologies.ad(1);
  private static final Xid IP1 = Xid.parse("IP:10.0.0.2");

  private final VirtualLoop loop = new VirtualLoop();
  private final List<byte[]> overIp = new ArrayList<>();
  private final List<byte[]> toHost = new ArrayList<>();
  private final XiaNode router = dualRouter();

  private XiaNode dualRouter() {
    NodeConfig config =
        new NodeConfig(
            "router1",
            NodeConfig.Role.ROUTER,
            new LocalAddress(AD1, Topologies.rhid(1), IP1),
            List.of(
                new NodeConfig.Port(Topologies.mac(1, 0x20), 1500),
                new NodeConfig.Port(Topologies.mac(1, 0x21), 1500),
                new NodeConfig.Port(Topologies.mac(1, 0x22), 1500),
                new NodeConfig.Port(Topologies.mac(1, 0x23), 1500, IP1)),
            true,
            false,
            false);
    XiaNode made = new XiaNode(config, loop, new SplittableRandom(1));
    made.attach(0, frame -> toHost.add(bytes(frame)));
    made.attach(3, packet -> overIp.add(bytes(packet)));
    Xid host = Topologies.hid(1);
    made.routes(XidType.HID).set(host, 0, host, 0);
    made.port(0).xarp.insert(host, Topologies.mac(1, 0x10));
    return made;
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] copy = new byte[buffer.remaining()];
    buffer.get(copy);
    return copy;
  }

  /** The XIP packet of a captured IPv4 packet as the host sent it to the router. */
  private static ByteBuffer fromHost(byte[] captured) {
    ByteBuffer ip = ByteBuffer.wrap(captured);
    int xip = IpEncapsulation.xipOffset(ip, 0, captured.length);
    ByteBuffer frame = ByteBuffer.allocate(14 + captured.length - xip);
    EthernetFlyweight.write(
        frame, 0, Topologies.mac(1, 0x20), Topologies.mac(1, 0x10), EthernetFlyweight.TYPE_XIP);
    frame.put(14, captured, xip, captured.length - xip);
    new XipFlyweight().wrap(frame, 14, frame.limit()).hopLimit(249);
    return frame;
  }

  @Test
  void packetsWhoseDomainHasNoRouteLeaveOverIpAsCaptured() {
    for (String name : List.of("fourid_ns_register", "fourid_echo_request")) {
      byte[] captured = Vectors.get("fourid", name).bytes();
      router.receive(0, fromHost(captured));
      assertThat(overIp.get(overIp.size() - 1)).isEqualTo(captured);
    }
  }

  @Test
  void packetsThatComeOverIpAreRoutedOn() {
    byte[] captured = Vectors.get("fourid", "fourid_echo_reply").bytes();
    router.receive(3, ByteBuffer.wrap(captured));
    assertThat(toHost).hasSize(1);
    byte[] frame = toHost.get(0);
    XipFlyweight packet = new XipFlyweight().wrap(ByteBuffer.wrap(frame), 14, frame.length);
    assertThat(packet.hopLimit()).isEqualTo(247);
    assertThat(packet.last()).as("the AD is reached").isEqualTo(1);
  }

  @Test
  void whatIsNotRoutedByA4IdNeverEntersAnIpLink() {
    router.routes(XidType.AD).set(Topologies.ad(7), 3, Topologies.rhid(7), 0);
    ByteBuffer frame = fromHost(Vectors.get("fourid", "fourid_echo_request").bytes());
    Topologies.ad(7).write(frame, 14 + 8 + 28);
    router.receive(0, frame);
    assertThat(overIp).isEmpty();
    assertThat(router.counters().get(NodeCounter.DROP_NOT_IP)).isEqualTo(1);
  }

  @Test
  void damagedIpv4PacketsAreCounted() {
    byte[] captured = Vectors.get("fourid", "fourid_echo_reply").bytes();
    captured[captured.length - 1] ^= 1;
    router.receive(3, ByteBuffer.wrap(captured));
    router.receive(3, ByteBuffer.allocate(0));
    assertThat(router.counters().get(NodeCounter.DROP_NOT_IP)).isEqualTo(2);
  }

  @Test
  void startsWithTheRoutesOfADualRouter() {
    assertThat(router.routes(XidType.IP).list())
        .startsWith("-,3,,0\n")
        .contains(IP1 + ",-2,,0\n", Xid.NULL_4ID + ",-2,,0\n");
  }

  @Test
  void addressesWithA4IdHaveItAsTheFallbackOfTheirDomain() {
    Xid sid = Topologies.sid(1);
    LocalAddress at = new LocalAddress(AD1, Topologies.hid(1), IP1);
    assertThat(at.service(sid))
        .isEqualTo(Dag.parse("RE ( " + IP1 + " ) " + AD1 + " " + Topologies.hid(1) + " " + sid));
    assertThat(at.host())
        .isEqualTo(Dag.parse("RE ( " + IP1 + " ) " + AD1 + " " + Topologies.hid(1)));
    assertThat(new LocalAddress(AD1, Topologies.hid(1), Xid.NULL_4ID).host())
        .isEqualTo(Dag.path(AD1, Topologies.hid(1)));
  }
}
