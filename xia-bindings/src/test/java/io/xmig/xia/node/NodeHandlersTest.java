package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.click.ControlSession;
import io.xmig.xia.click.HandlerRegistry;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class NodeHandlersTest {
  private static final Xid FAR = Xid.parse("AD:1000000000000000000000000000000000000077");

  private final SimNetwork net = new SimNetwork(1);
  private final Topologies.Chain at = Topologies.chain(net, 2, LinkProfile.delayMs(1));
  private final XiaNode router = at.routers().get(0);
  private final NodeStack stack = net.stack(router);

  private String session(String... commands) {
    HandlerRegistry tree = new HandlerRegistry();
    tree.mount("router0", NodeHandlers.of(router, word -> null));
    ControlSession session = new ControlSession(tree);
    byte[] in = String.join("\r\n", commands).concat("\r\n").getBytes(StandardCharsets.US_ASCII);
    return new String(session.receive(ByteBuffer.wrap(in)), StandardCharsets.US_ASCII);
  }

  @Test
  void routesAreChangedAndListedOverAControlSession() {
    assertThat(session("WRITE router0/xrc/n/proc/rt_AD.add " + FAR + " 1"))
        .isEqualTo("200 Write handler 'router0/xrc/n/proc/rt_AD.add' OK\r\n");
    assertThat(session("READ router0/xrc/n/proc/rt_AD.list"))
        .contains("DATA ", "-,-7,,0\n", FAR + ",1,,0\n", Topologies.ad(0) + ",-2,,0\n");
    assertThat(session("WRITE router0/xrc/n/proc/rt_AD.add " + FAR + " 1"))
        .isEqualTo(
            "520-Write handler 'router0/xrc/n/proc/rt_AD.add' error:\r\n520 duplicate XID: \r\n");
    session("WRITE router0/xrc/n/proc/rt_AD.remove -");
    assertThat(router.routes(XidType.AD).defaultRoute()).hasToString("-,-1,,0");
  }

  @Test
  void aStackReachesTheHandlersOfItsNode() {
    net.await(
        stack.writeHandler(
            "./xrc/n/proc/rt_HID.set4", Topologies.hid(5) + ",1," + Topologies.rhid(1) + ",65535"));
    assertThat(net.await(stack.readHandler("router0/xrc/n/proc/rt_HID.list")))
        .contains(Topologies.hid(5) + ",1," + Topologies.rhid(1) + ",65535\n");
  }

  @Test
  void failuresCarryTheCodesOfClick() {
    assertFails("nosuch.list", "510");
    assertFails("./xrc/n/proc/rt_AD.nosuch", "511");
    assertFails("./xrc/n/proc/rt_AD.add", "530");
    assertThatThrownBy(
            () -> net.await(stack.writeHandler("./xrc/n/proc/rt_AD.remove", FAR.toString())))
        .isInstanceOf(XiaSocketException.class)
        .hasMessageContaining("nonexistent XID")
        .hasMessageContaining("520");
  }

  private void assertFails(String path, String code) {
    assertThatThrownBy(() -> net.await(stack.readHandler(path)))
        .isInstanceOfSatisfying(
            XiaSocketException.class,
            e -> assertThat(e.kind()).isEqualTo(XiaSocketException.Kind.NODE))
        .hasMessageContaining(code);
  }

  @Test
  void writingTheLocalAddressMovesTheNode() {
    net.await(
        stack.writeHandler(
            "./xrc/xtransport.local_addr", "RE " + Topologies.ad(5) + " " + Topologies.rhid(0)));
    assertThat(router.localAddress().ad()).isEqualTo(Topologies.ad(5));
    assertThat(net.await(stack.readHandler("./xrc/xtransport.local_addr")))
        .isEqualTo("RE " + Topologies.ad(5) + " " + Topologies.rhid(0));
    for (String bad : new String[] {"", "RE", "RE AD:12", "RE " + Topologies.hid(9)}) {
      assertThatThrownBy(() -> net.await(stack.writeHandler("./xrc/xtransport.local_addr", bad)))
          .isInstanceOf(XiaSocketException.class);
    }
  }

  @Test
  void lineCardsShowTheirNeighbours() {
    net.await(stack.writeHandler("./xlc1/xarpq.insert", Topologies.rhid(1) + " 02:00:00:00:01:21"));
    assertThat(net.await(stack.readHandler("./xlc1/xarpq.table")))
        .startsWith(Topologies.rhid(1) + " ok 02:00:00:00:01:21 ");
    assertThat(net.await(stack.readHandler("./xlc0/xarpr.table")))
        .isEqualTo(Topologies.rhid(0) + " 02:00:00:00:00:20\n");
    net.await(stack.writeHandler("./xlc1/xarpq.delete", Topologies.rhid(1).toString()));
    assertThat(net.await(stack.readHandler("./xlc1/xarpq.count"))).isEqualTo("0");
    for (String bad : new String[] {"", "x y", Topologies.rhid(1) + " 02:00"}) {
      assertThatThrownBy(() -> net.await(stack.writeHandler("./xlc1/xarpq.insert", bad)))
          .isInstanceOf(XiaSocketException.class);
    }
    assertThat(net.await(net.stack(at.host0()).readHandler("./xlc/xarpq.table"))).isEmpty();
  }

  @Test
  void countersAreReadByName() {
    router.receive(0, ByteBuffer.allocate(3));
    assertThat(net.await(stack.readHandler("./xrc.counters")))
        .contains("frames.in 1\n", "drop.malformed 1\n");
    assertThat(net.await(stack.readHandler("./xrc.drops"))).isEqualTo("1");
  }
}
