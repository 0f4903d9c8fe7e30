package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class MobilityHandlersTest {
  private static final String LEARN = "./xrc/n/proc/rt_HID.learn";

  @Test
  void aRouterThatIsToldNotToLearnIgnoresTheSendersOfBroadcasts() {
    SimNetwork net = new SimNetwork(1);
    Topologies.TwoHosts at = Topologies.twoHosts(net, LinkProfile.delayMs(1));
    NodeStack router = net.stack(at.router());
    assertThat(net.await(router.readHandler(LEARN))).isEqualTo("1");
    net.await(router.writeHandler(LEARN, "0"));
    at.router().routes(XidType.HID).remove(Topologies.hid(0));

    net.await(net.stack(at.host0()).openDatagram(null, (s, p, port) -> {}))
        .send(Dag.path(Xid.BHID, Topologies.sid(1)), ByteBuffer.allocate(1));
    net.run(Duration.ofMillis(10));

    assertThat(at.router().routes(XidType.HID).find(Topologies.hid(0))).isNull();
  }

  @Test
  void aPortAnswersXarpForAnotherHostWhenTold() {
    SimNetwork net = new SimNetwork(1);
    Topologies.TwoHosts at = Topologies.twoHosts(net, LinkProfile.delayMs(1));
    Xid elsewhere = Topologies.rhid(7);
    at.host0().routes(XidType.HID).setDefault(0, elsewhere, 0);
    at.host0().routes(XidType.AD).setDefault(0, elsewhere, 0);
    at.host0().routes(XidType.AD).remove(Topologies.ad(0));
    int[] heard = {0};
    net.await(net.stack(at.host1()).openDatagram(Topologies.sid(1), (s, p, port) -> heard[0]++));
    Dag to = Dag.path(Topologies.ad(0), Topologies.hid(1), Topologies.sid(1));
    var socket = net.await(net.stack(at.host0()).openDatagram(null, (s, p, port) -> {}));

    socket.send(to, ByteBuffer.allocate(1));
    net.run(Duration.ofSeconds(5));
    assertThat(heard[0]).as("nobody answers for that gateway").isZero();

    net.await(
        net.stack(at.router()).writeHandler("./xlc0/xarpr.add", elsewhere + " 02:00:00:00:07:07"));
    socket.send(to, ByteBuffer.allocate(1));
    net.run(Duration.ofSeconds(1));
    assertThat(heard[0]).isEqualTo(1);

    net.await(net.stack(at.router()).writeHandler("./xlc0/xarpr.remove", elsewhere.toString()));
    assertThat(net.await(net.stack(at.router()).readHandler("./xlc0/xarpr.table")))
        .doesNotContain(elsewhere.toString());
  }
}
