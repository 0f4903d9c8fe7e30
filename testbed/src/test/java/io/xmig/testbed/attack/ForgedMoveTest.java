package io.xmig.testbed.attack;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.testbed.workload.AgentDiary;
import io.xmig.testbed.workload.CalClient;
import io.xmig.testbed.workload.CalServer;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A forgery that fails for its proof alone: somebody has heard every packet of the connection. */
class ForgedMoveTest {
  private static final Dag HERE =
      Dag.path(Xid.parse("AD:" + "6".repeat(40)), Xid.parse("HID:" + "6".repeat(40)), Xid.SID_NS);

  private final SimNetwork net = new SimNetwork(7);
  private final Topologies.TwoHosts at = Topologies.twoHosts(net, LinkProfile.delayMs(2));
  private final List<byte[]> heard = new ArrayList<>();

  @Test
  void bothEndsOfAConnectionRefuseItAndGoOn() {
    net.tap(
        (link, from, frame) -> {
          byte[] copy = new byte[frame.remaining()];
          frame.duplicate().get(copy);
          heard.add(copy);
        });
    XiaStack client = net.stack(at.host0());
    XiaStack server = net.stack(at.host1());
    net.await(CalServer.start(server));
    CalClient cal =
        net.await(
            CalClient.stream(
                client,
                server.localAddress().service(CalServer.STREAM_SID),
                Duration.ofMillis(20),
                Duration.ofSeconds(5)));
    net.run(Duration.ofSeconds(1));
    List<ForgedMove.Target> known =
        heard.stream().map(ForgedMove::heardIn).filter(java.util.Objects::nonNull).toList();
    assertThat(known).extracting(ForgedMove.Target::token).isNotEmpty();
    heard.clear();

    for (ForgedMove.Target target : known) {
      byte[] lie = ForgedMove.frame(target, HERE, 0x02000000ee00L, net.newRandom());
      for (XiaNode node : List.of(at.host0(), at.host1())) {
        node.receive(0, ByteBuffer.wrap(lie));
      }
      net.run(Duration.ofMillis(1));
    }
    long answered = cal.answered();
    net.run(Duration.ofSeconds(1));

    assertThat(cal.answered()).isGreaterThan(answered + 40);
    assertThat(cal.outcome().broken()).isNull();
    for (XiaStack end : List.of(client, server)) {
      Map<String, Long> refused =
          AgentDiary.refusedStreams(net.await(end.readHandler("./xrc/xtransport.stats")));
      assertThat(refused.get("migrationsRejected")).as("%s", refused).isGreaterThan(10);
    }
    assertThat(heard)
        .extracting(ForgedMove::heardIn)
        .filteredOn(java.util.Objects::nonNull)
        .as("packets to the liar")
        .noneMatch(packet -> HERE.host().equals(packet.to().host()));
  }

  @Test
  void ofAConnectionThatWasNotHeardNotEvenTheTokenIsRight() {
    XiaStack server = net.stack(at.host1());
    net.await(CalServer.start(server));
    Dag service = server.localAddress().service(CalServer.STREAM_SID);
    byte[] lie =
        ForgedMove.frame(
            ForgedMove.unheard(service, HERE, net.newRandom()),
            HERE,
            0x02000000ee00L,
            net.newRandom());
    at.host1().receive(0, ByteBuffer.wrap(lie));
    net.run(Duration.ofMillis(10));
    assertThat(AgentDiary.refusedStreams(net.await(server.readHandler("./xrc/xtransport.stats"))))
        .isEqualTo(Map.of("unknownToken", 1L));
  }
}
