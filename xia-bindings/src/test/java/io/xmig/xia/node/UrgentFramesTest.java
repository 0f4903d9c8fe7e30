package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.testkit.Topologies;
import io.xmig.xia.testkit.VirtualLoop;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XarpFlyweight;
import io.xmig.xia.wire.XcmpFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What a node takes at once although other frames came before it. */
class UrgentFramesTest {
  private static final Xid AD = Topologies.ad(1);
  private static final Xid HID = Topologies.rhid(1);
  private static final Xid PEER = Topologies.hid(9);
  private static final Dag HERE = Dag.path(AD, HID);
  private static final Dag SOURCE = Dag.path(Topologies.ad(9), PEER);
  private static final long MAC = Topologies.mac(1, 1);
  private static final int DATA = 16;

  private final XiaNode node =
      new XiaNode(
          NodeConfig.router("node", new LocalAddress(AD, HID, null), MAC),
          new VirtualLoop(),
          new SplittableRandom(1));
  private final List<Integer> answers = new ArrayList<>();

  UrgentFramesTest() {
    node.attach(0, frame -> answers.add(EthernetFlyweight.type(frame, frame.position())));
    node.port(0).xarp.insert(PEER, Topologies.mac(1, 50));
    node.routes(XidType.AD).set(Topologies.ad(9), 0, PEER, 0);
  }

  private static ByteBuffer packet(int next, int firstByte) {
    ByteBuffer frame = ByteBuffer.allocate(500);
    EthernetFlyweight.write(frame, 0, MAC, Topologies.mac(1, 50), EthernetFlyweight.TYPE_XIP);
    int payload = XcmpFlyweight.ECHO_HEADER_LENGTH + DATA;
    int header = XipFlyweight.write(frame, 14, next, payload, 250, HERE, SOURCE);
    XcmpFlyweight.writeEchoRequest(frame, 14 + header, 7, 1);
    frame.put(14 + header, (byte) firstByte);
    XcmpFlyweight.seal(frame, 14 + header, payload);
    return frame.limit(14 + header + payload);
  }

  @Test
  void anEchoIsAnsweredAtOnce() {
    assertThat(node.receiveUrgent(0, packet(XipFlyweight.NEXT_XCMP, XcmpFlyweight.ECHO_REQUEST)))
        .isTrue();

    assertThat(answers).containsExactly(EthernetFlyweight.TYPE_XIP);
  }

  @Test
  void whatIsForSomebodyAboveTheNodeIsLeftAsItWas() {
    for (ByteBuffer frame :
        List.of(
            packet(XipFlyweight.NEXT_XCMP, XcmpFlyweight.ECHO_REPLY),
            packet(XipFlyweight.NEXT_TRANSPORT, XcmpFlyweight.ECHO_REQUEST))) {
      ByteBuffer before = ByteBuffer.allocate(frame.remaining()).put(frame.duplicate()).flip();

      assertThat(node.receiveUrgent(0, frame)).isFalse();

      assertThat(frame).isEqualTo(before);
    }
    assertThat(answers).isEmpty();
  }

  @Test
  void aQuestionForItsEthernetAddressIsAnsweredAtOnce() {
    ByteBuffer frame = ByteBuffer.allocate(200);
    EthernetFlyweight.write(
        frame, 0, EthernetFlyweight.BROADCAST, Topologies.mac(1, 50), EthernetFlyweight.TYPE_XARP);
    XarpFlyweight.write(frame, 14, XarpFlyweight.REQUEST, Topologies.mac(1, 50), PEER, 0, HID);

    assertThat(node.receiveUrgent(0, frame.limit(14 + XarpFlyweight.LENGTH))).isTrue();

    assertThat(answers).containsExactly(EthernetFlyweight.TYPE_XARP);
  }

  @Test
  void noiseIsNeverUrgentAndNeverAnError() {
    Random random = new Random(3);
    ByteBuffer whole = packet(XipFlyweight.NEXT_XCMP, XcmpFlyweight.ECHO_REQUEST);
    for (int cut = 0; cut < whole.limit() - DATA - XcmpFlyweight.ECHO_HEADER_LENGTH; cut++) {
      assertThat(node.receiveUrgent(0, whole.duplicate().limit(cut))).isFalse();
    }
    for (int i = 0; i < 20_000; i++) {
      byte[] noise = new byte[random.nextInt(300)];
      random.nextBytes(noise);
      ByteBuffer frame = ByteBuffer.wrap(noise);
      if (noise.length >= 14) {
        frame.putShort(12, (short) EthernetFlyweight.TYPE_XIP);
      }
      node.receiveUrgent(0, frame); // throws nothing
    }
    assertThat(answers).isEmpty();
  }
}
