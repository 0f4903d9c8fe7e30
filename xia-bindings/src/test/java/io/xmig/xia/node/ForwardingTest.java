package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.testkit.Topologies;
import io.xmig.xia.testkit.VirtualLoop;
import io.xmig.xia.wire.ContentFlyweight;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.TransportFlyweight;
import io.xmig.xia.wire.XcmpFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** One node and what it does with single packets. */
class ForwardingTest {
  private static final long QUOTED = 0x0102_0304_0506_0708L;
  private static final Xid AD = Topologies.ad(1);
  private static final Xid HID = Topologies.rhid(1);
  private static final Xid NEXT = Topologies.hid(0x77);
  private static final Dag SOURCE =
      Dag.path(Topologies.ad(9), Topologies.hid(9), Topologies.sid(9));

  private final VirtualLoop loop = new VirtualLoop();
  private XiaNode node = router(config -> config);
  private final List<byte[]> sent = new ArrayList<>();

  private interface Change {
    NodeConfig of(NodeConfig config);
  }

  private XiaNode router(Change change) {
    NodeConfig config =
        NodeConfig.router("router", new LocalAddress(AD, HID, null), mac(0), mac(1), mac(2));
    XiaNode made = new XiaNode(change.of(config), loop, new SplittableRandom(1));
    for (int i = 0; i < 3; i++) {
      int port = i;
      made.attach(
          port,
          frame -> {
            if (EthernetFlyweight.type(frame, frame.position()) == EthernetFlyweight.TYPE_XIP) {
              byte[] bytes = new byte[frame.remaining() + 1];
              bytes[0] = (byte) port;
              frame.get(bytes, 1, bytes.length - 1);
              sent.add(bytes);
            }
          });
      for (Xid hid : List.of(NEXT, Topologies.hid(9), Topologies.hid(0x78))) {
        made.port(i).xarp.insert(hid, mac(50));
      }
    }
    // The way back to the sender of the tests' packets.
    made.routes(XidType.AD).set(Topologies.ad(9), 0, Topologies.hid(9), 0);
    return made;
  }

  private static long mac(int n) {
    return Topologies.mac(1, n + 1);
  }

  private ByteBuffer packet(Dag to, Dag from, int hopLimit) {
    ByteBuffer frame = ByteBuffer.allocate(2000);
    EthernetFlyweight.write(frame, 0, mac(0), mac(40), EthernetFlyweight.TYPE_XIP);
    int length = XipFlyweight.write(frame, 14, XipFlyweight.NEXT_TRANSPORT, 10, hopLimit, to, from);
    return frame.limit(14 + length + 10).putLong(14 + length, QUOTED);
  }

  private void arrives(Dag to) {
    node.receive(0, packet(to, SOURCE, 250));
  }

  private XipFlyweight sent(int index) {
    byte[] frame = sent.get(index);
    return new XipFlyweight().wrap(ByteBuffer.wrap(frame), 15, frame.length);
  }

  private int portOf(int index) {
    return sent.get(index)[0];
  }

  private int xcmpType(int index) {
    XipFlyweight p = sent(index);
    assertThat(p.nextHeader()).isEqualTo(XipFlyweight.NEXT_XCMP);
    return new XcmpFlyweight().wrap(p.buffer(), p.payloadOffset(), p.end()).type();
  }

  @Test
  void takesTheFirstEdgeThatHasARoute() {
    node.routes(XidType.HID).set(NEXT, 1, NEXT, 0);
    arrives(Dag.withFallback(List.of(AD, NEXT), Topologies.sid(1)));
    assertThat(portOf(0)).isEqualTo(1);
    XipFlyweight out = sent(0);
    assertThat(out.last()).as("the AD is reached, the SID was passed over").isEqualTo(0);
    assertThat(out.isVisited(2, 1)).isTrue();
    assertThat(out.isVisited(2, 0)).isFalse();
    assertThat(out.hopLimit()).isEqualTo(249);
  }

  @Test
  void prefersTheHigherEdgeAsSoonAsItHasARoute() {
    node.routes(XidType.HID).set(NEXT, 1, NEXT, 0);
    node.routes(XidType.SID).set(Topologies.sid(1), 2, Topologies.hid(0x78), 0);
    arrives(Dag.withFallback(List.of(AD, NEXT), Topologies.sid(1)));
    assertThat(portOf(0)).isEqualTo(2);
    assertThat(sent(0).last()).isEqualTo(-1);
  }

  @Test
  void aDisabledTableMakesThePacketTryItsNextEdge() {
    node.routes(XidType.HID).set(NEXT, 1, NEXT, 0);
    node.routes(XidType.SID).set(Topologies.sid(1), 2, Topologies.hid(0x78), 0);
    node.routes(XidType.SID).enabled(false);
    arrives(Dag.withFallback(List.of(AD, NEXT), Topologies.sid(1)));
    assertThat(portOf(0)).isEqualTo(1);
  }

  @Test
  void deliversAtAServiceEvenIfTheGraphGoesOn() {
    List<Xid> delivered = new ArrayList<>();
    node.context().bind(Topologies.sid(1), view -> delivered.add(view.deliveredTo()));
    arrives(Dag.path(AD, HID, Topologies.sid(1), Topologies.sid(2)));
    assertThat(delivered).containsExactly(Topologies.sid(1));
    assertThat(sent).isEmpty();
  }

  @Test
  void viewsOfADeliveredPacketShowItsAddressesWithoutMarks() {
    Dag to = Dag.path(AD, HID, Topologies.sid(1));
    List<Dag> seen = new ArrayList<>();
    node.context()
        .bind(
            Topologies.sid(1),
            view -> {
              seen.add(view.source());
              seen.add(view.destination());
              assertThat(view.inPort()).isZero();
              assertThat(view.end() - view.payloadOffset()).isEqualTo(10);
              assertThat(view.sourceIntent()).isEqualTo(SOURCE.intent());
            });
    arrives(to);
    assertThat(seen).containsExactly(SOURCE, to);
  }

  @Test
  void ethernetPaddingIsNotPayload() {
    List<Integer> lengths = new ArrayList<>();
    node.context().bind(Topologies.sid(1), v -> lengths.add(v.end() - v.payloadOffset()));
    ByteBuffer frame = packet(Dag.path(AD, HID, Topologies.sid(1)), SOURCE, 250);
    frame.limit(frame.limit() + 20);
    node.receive(0, frame);
    assertThat(lengths).containsExactly(10);
  }

  @Test
  void codesThatAreNoLinkLeadToTheNextEdge() {
    node.routes(XidType.HID).set(NEXT, 1, NEXT, 0);
    for (int port : List.of(RoutePort.DISCARD, RoutePort.UNREACHABLE, RoutePort.FALLBACK)) {
      sent.clear();
      node.routes(XidType.SID).set(Topologies.sid(1), port, null, 0);
      arrives(Dag.withFallback(List.of(AD, NEXT), Topologies.sid(1)));
      assertThat(sent).hasSize(1);
    }
    for (int port : List.of(RoutePort.DHCP, RoutePort.REDIRECT, -8)) {
      sent.clear();
      node.routes(XidType.SID).set(Topologies.sid(1), port, null, 0);
      arrives(Dag.withFallback(List.of(AD, NEXT), Topologies.sid(1)));
      assertThat(sent).isEmpty();
    }
    assertThat(node.counters().get(NodeCounter.DROP_BY_ROUTE)).isEqualTo(3);
  }

  @Test
  void aRouteToAPortThatDoesNotExistIsACountedDrop() {
    node.routes(XidType.AD).set(Topologies.ad(5), 200, NEXT, 0);
    arrives(Dag.path(Topologies.ad(5), NEXT));
    assertThat(node.counters().get(NodeCounter.DROP_NO_LINK)).isEqualTo(1);
  }

  @Test
  void aRouteWithoutNextHopIsResolvedByTheXidItself() {
    node.routes(XidType.HID).setDefault(1, null, 0);
    arrives(Dag.path(AD, NEXT));
    assertThat(portOf(0)).isEqualTo(1);
    assertThat(EthernetFlyweight.destination(ByteBuffer.wrap(sent.get(0)), 1)).isEqualTo(mac(50));
  }

  @Test
  void aChangedRouteTakesEffectAtOnceAlthoughTheNextHopWasRemembered() {
    node.routes(XidType.HID).set(NEXT, 1, NEXT, 0);
    arrives(Dag.path(AD, NEXT));
    node.routes(XidType.HID).set(NEXT, 2, NEXT, 0);
    arrives(Dag.path(AD, NEXT));
    assertThat(portOf(0)).isEqualTo(1);
    assertThat(portOf(1)).isEqualTo(2);
  }

  @Test
  void aBroadcastIsDeliveredHereAndTeachesTheSendersPort() {
    List<Xid> delivered = new ArrayList<>();
    node.context().bind(Xid.SID_XROUTE, view -> delivered.add(view.deliveredTo()));
    Dag from = Dag.path(AD, Topologies.hid(4), Xid.SID_XHCP);
    node.receive(1, packet(Dag.path(Xid.BHID, Xid.SID_XROUTE), from, 250).put(0, (byte) 0xff));
    assertThat(delivered).containsExactly(Xid.SID_XROUTE);
    assertThat(sent).as("not flooded further").isEmpty();
    assertThat(Objects.requireNonNull(node.routes(XidType.HID).find(Topologies.hid(4))))
        .hasToString(Topologies.hid(4) + ",1," + Topologies.hid(4) + ",0");
  }

  @Test
  void aNodeThatDemandsSignaturesLearnsNothingFromBroadcasts() {
    node = router(config -> config.withLearnFromBroadcast(false));
    Dag from = Dag.path(AD, Topologies.hid(4), Xid.SID_XHCP);
    node.receive(1, packet(Dag.path(Xid.BHID, Xid.SID_XROUTE), from, 250).put(0, (byte) 0xff));
    assertThat(node.routes(XidType.HID).find(Topologies.hid(4))).isNull();
  }

  @Test
  void aBroadcastThatClaimsToComeFromThisNodeIsDroppedInsteadOfFloodedAgain() {
    Dag from = Dag.path(AD, HID, Xid.SID_XROUTE);
    node.receive(1, packet(Dag.path(Xid.BHID, Xid.SID_XROUTE), from, 250).put(0, (byte) 0xff));
    assertThat(sent).isEmpty();
    assertThat(node.counters().get(NodeCounter.DROP_OWN_BROADCAST)).isEqualTo(1);
  }

  @Test
  void ownBroadcastsGoOutOnEveryPort() {
    TransportContext context = node.context();
    ByteBuffer out =
        context.begin(
            Dag.path(Xid.BHID, Xid.SID_XHCP),
            node.localAddress().service(Xid.SID_XROUTE),
            XipFlyweight.NEXT_TRANSPORT,
            250);
    out.put(new byte[5]);
    assertThat(context.send(5)).isTrue();
    assertThat(sent).hasSize(3);
    assertThat(sent)
        .allSatisfy(
            frame ->
                assertThat(EthernetFlyweight.destination(ByteBuffer.wrap(frame), 1))
                    .isEqualTo(EthernetFlyweight.BROADCAST));
  }

  @Test
  void aBroadcastCanBeSentByOneLinkOnly() {
    TransportContext context = node.context();
    assertThat(context.links()).isEqualTo(3);
    for (int link : new int[] {1, 3}) {
      ByteBuffer out =
          context.begin(
              Dag.path(Xid.BHID, Xid.SID_XHCP),
              node.localAddress().service(Xid.SID_XROUTE),
              XipFlyweight.NEXT_TRANSPORT,
              250);
      out.put(new byte[5]);
      assertThat(context.sendOn(link, 5)).isEqualTo(link == 1);
    }
    assertThat(sent).hasSize(1);
    assertThat(sent.get(0)[0]).isEqualTo((byte) 1);
    assertThat(node.counters().get(NodeCounter.DROP_NO_LINK)).isEqualTo(1);
  }

  @Test
  void beaconsAreHeardOnTheirOwnLinkOnly() {
    List<Integer> heard = new ArrayList<>();
    new NodeStack(node).openDatagram(Xid.SID_XHCP, (source, payload, port) -> heard.add(port));
    Dag from = Dag.path(AD, Topologies.hid(4), Xid.SID_XHCP);
    for (Dag to : List.of(Dag.path(AD, HID, Xid.SID_XHCP), Dag.path(Xid.BHID, Xid.SID_XHCP))) {
      ByteBuffer frame = ByteBuffer.allocate(EthernetFlyweight.LENGTH + 512);
      int start = EthernetFlyweight.LENGTH;
      EthernetFlyweight.write(
          frame, 0, EthernetFlyweight.BROADCAST, 0x02, EthernetFlyweight.TYPE_XIP);
      int header = XipFlyweight.write(frame, start, XipFlyweight.NEXT_TRANSPORT, 26, 250, to, from);
      int length =
          TransportFlyweight.write(
              frame,
              start + header,
              TransportFlyweight.TYPE_DATAGRAM,
              TransportFlyweight.DATA,
              TransportFlyweight.NO_NUMBER,
              TransportFlyweight.NO_NUMBER);
      node.receive(2, frame.limit(start + header + length + 2).position(0));
    }
    assertThat(heard).containsExactly(2);
  }

  @Test
  void reportsAPacketThatDoesNotFitTheLinkWithTheSizeThatDoes() {
    node =
        router(
            config ->
                new NodeConfig(
                    config.name(),
                    config.role(),
                    config.address(),
                    List.of(
                        new NodeConfig.Port(mac(0), 9000),
                        new NodeConfig.Port(mac(1), 1400),
                        new NodeConfig.Port(mac(2), 9000)),
                    true,
                    false,
                    false));
    node.routes(XidType.HID).set(NEXT, 1, NEXT, 0);
    ByteBuffer frame = ByteBuffer.allocate(3000);
    EthernetFlyweight.write(frame, 0, mac(0), mac(40), EthernetFlyweight.TYPE_XIP);
    int header =
        XipFlyweight.write(
            frame, 14, XipFlyweight.NEXT_TRANSPORT, 1500, 250, Dag.path(AD, NEXT), SOURCE);
    node.receive(0, frame.limit(14 + header + 1500));
    assertThat(sent).hasSize(1);
    XipFlyweight report = sent(0);
    XcmpFlyweight message =
        new XcmpFlyweight().wrap(report.buffer(), report.payloadOffset(), report.end());
    assertThat(message.type()).isEqualTo(XcmpFlyweight.UNREACHABLE);
    assertThat(message.code()).isEqualTo(Xcmp.CODE_TOO_BIG);
    assertThat(message.hasRightChecksum()).isTrue();
    assertThat(report.buffer().getShort(report.payloadOffset() + 6)).isEqualTo((short) 1400);
  }

  @Test
  void tellsTheSocketWhosePacketWasReported() {
    List<TransportContext.DeliveryReport> reports = new ArrayList<>();
    node.context()
        .bind(
            Topologies.sid(1),
            new TransportContext.PacketReceiver() {
              @Override
              public void packet(PacketView packet) {}

              @Override
              public void undeliverable(TransportContext.DeliveryReport report) {
                reports.add(report);
              }
            });
    Dag own = node.localAddress().service(Topologies.sid(1));
    Dag lost = Dag.path(Topologies.ad(9), Topologies.hid(9), Topologies.sid(3));
    report(XcmpFlyweight.UNREACHABLE, lost, own, Topologies.hid(9));
    report(XcmpFlyweight.TIME_EXCEEDED, lost, own, Topologies.rhid(5));
    assertThat(reports).hasSize(2);
    assertThat(reports.get(0).fromDestinationHost()).isTrue();
    assertThat(reports.get(0).destination()).isEqualTo(lost);
    assertThat(reports.get(0).intent()).isEqualTo(Topologies.sid(3));
    assertThat(reports.get(0).quoted()).isEqualTo(QUOTED);
    assertThat(reports.get(1).reason())
        .isEqualTo(TransportContext.DeliveryReport.Reason.TIME_EXCEEDED);
    assertThat(reports.get(1).fromDestinationHost()).isFalse();
  }

  private void report(int type, Dag lostTo, Dag lostFrom, Xid reporter) {
    ByteBuffer lost = packet(lostTo, lostFrom, 3);
    XipFlyweight about = new XipFlyweight().wrap(lost, 14, lost.limit());
    ByteBuffer frame = ByteBuffer.allocate(1500);
    EthernetFlyweight.write(frame, 0, mac(0), mac(40), EthernetFlyweight.TYPE_XIP);
    Dag from = Dag.path(Topologies.ad(9), reporter);
    int header =
        XipFlyweight.write(
            frame,
            14,
            XipFlyweight.NEXT_XCMP,
            XcmpFlyweight.errorLength(about),
            250,
            lostFrom,
            from);
    int length = XcmpFlyweight.writeError(frame, 14 + header, type, about);
    node.receive(0, frame.limit(14 + header + length));
  }

  @Test
  void reportsNoErrorAboutAnError() {
    Dag nowhere = Dag.path(Topologies.ad(99), Topologies.hid(99));
    Dag from = Dag.path(Topologies.ad(9), Topologies.hid(9));
    for (int type :
        List.of(XcmpFlyweight.UNREACHABLE, XcmpFlyweight.TIME_EXCEEDED, XcmpFlyweight.REDIRECT)) {
      ByteBuffer frame = packet(nowhere, from, 1);
      frame.put(15, (byte) XipFlyweight.NEXT_XCMP);
      frame.put(14 + XipFlyweight.lengthOf(nowhere, from), (byte) type);
      node.receive(0, frame);
    }
    assertThat(sent).isEmpty();
  }

  @Test
  void reportsNothingToABroadcastSource() {
    node.receive(
        0,
        packet(
            Dag.path(Topologies.ad(99), Topologies.hid(99)),
            Dag.path(Xid.BHID, Topologies.sid(1)),
            250));
    assertThat(sent).isEmpty();
  }

  @Test
  void reportsNothingAboutAnUnknownServiceOfABroadcastHost() {
    node.receive(
        0, packet(Dag.path(Xid.BHID, Topologies.sid(99)), SOURCE, 250).put(0, (byte) 0xff));
    assertThat(sent).isEmpty();
  }

  @Test
  void limitsTheRateOfErrors() {
    for (int i = 0; i < 1000; i++) {
      arrives(Dag.path(Topologies.ad(99), Topologies.hid(99)));
    }
    assertThat(sent.size()).isEqualTo(50);
    loop.run(Duration.ofSeconds(1));
    sent.clear();
    for (int i = 0; i < 1000; i++) {
      arrives(Dag.path(Topologies.ad(99), Topologies.hid(99)));
    }
    assertThat(sent.size()).isEqualTo(50);
    assertThat(node.counters().get(NodeCounter.DROP_XCMP_RATE)).isEqualTo(1900);
  }

  @Test
  void redirectsARouteThatLeadsBackAndStillForwards() {
    node.routes(XidType.AD).set(Topologies.ad(5), 0, NEXT, 0);
    arrives(Dag.path(Topologies.ad(5), Topologies.hid(5)));
    assertThat(sent).hasSize(2);
    assertThat(xcmpType(0)).isEqualTo(XcmpFlyweight.REDIRECT);
    assertThat(sent(1).hopLimit()).isEqualTo(249);
  }

  private void redirected(XiaNode host, Xid xid, Xid nextHop, Xid reporter) {
    Dag to = host.localAddress().host();
    Dag from = Dag.path(AD, reporter);
    ByteBuffer lost = packet(SOURCE, to, 3);
    XipFlyweight about = new XipFlyweight().wrap(lost, 14, lost.limit());
    ByteBuffer frame = ByteBuffer.allocate(1500);
    EthernetFlyweight.write(frame, 0, mac(0), mac(40), EthernetFlyweight.TYPE_XIP);
    int header =
        XipFlyweight.write(
            frame, 14, XipFlyweight.NEXT_XCMP, XcmpFlyweight.errorLength(about), 250, to, from);
    int length = XcmpFlyweight.writeRedirect(frame, 14 + header, xid, nextHop, about);
    host.receive(0, frame.limit(14 + header + length));
  }

  @Test
  void obeysARedirectOfItsNextHopOnlyAndOnlyIfConfigured() {
    Xid gateway = Topologies.rhid(3);
    Xid far = Topologies.hid(0x99);
    node = router(config -> config.withAcceptRedirects(true));
    RouteTable hosts = node.routes(XidType.HID);
    hosts.setDefault(0, gateway, 0);
    redirected(node, far, NEXT, Topologies.rhid(66));
    assertThat(hosts.find(far)).as("not from the next hop").isNull();
    redirected(node, HID, NEXT, gateway);
    assertThat(Objects.requireNonNull(hosts.find(HID)).port()).isEqualTo(RoutePort.LOCAL);
    redirected(node, far, Xid.BHID, gateway);
    assertThat(hosts.find(far)).as("not to everybody").isNull();
    redirected(node, far, NEXT, gateway);
    assertThat(Objects.requireNonNull(hosts.find(far))).hasToString(far + ",0," + NEXT + ",0");
    assertThat(node.counters().get(NodeCounter.REDIRECTS_APPLIED)).isEqualTo(1);
    assertThat(node.counters().get(NodeCounter.DROP_REDIRECT)).isEqualTo(3);

    node = router(config -> config);
    node.routes(XidType.HID).setDefault(0, gateway, 0);
    redirected(node, far, NEXT, gateway);
    assertThat(node.routes(XidType.HID).find(far)).isNull();
  }

  @Test
  void announcesRarpFramesAsLinkEvents() {
    List<LinkEvent> events = new ArrayList<>();
    Runnable undo = node.onLinkEvent(events::add);
    ByteBuffer frame = ByteBuffer.allocate(60);
    EthernetFlyweight.write(frame, 0, EthernetFlyweight.BROADCAST, mac(33), 0x8035);
    frame.putLong(14, 0x0001_0800_0604_0003L);
    EthernetFlyweight.putMac(frame, 22, mac(33));
    node.receive(2, frame);
    undo.run();
    node.receive(2, frame);
    assertThat(events).containsExactly(new LinkEvent(LinkEvent.Kind.RARP, 2, mac(33)));
    assertThat(node.counters().get(NodeCounter.RARP_IN)).isEqualTo(2);
  }

  @Test
  void offersPassingContentToTheStoreOnlyIfConfigured() {
    Xid cid = Xid.parse("CID:2000000000000000000000000000000000000001");
    List<Xid> seen = new ArrayList<>();
    for (boolean caching : List.of(true, false)) {
      node = router(config -> config.withCacheContent(caching));
      node.context()
          .serveContent(
              new TransportContext.ContentReceiver() {
                @Override
                public void request(PacketView packet) {}

                @Override
                public void passing(PacketView packet) {
                  seen.add(packet.sourceIntent());
                }
              });
      node.routes(XidType.HID).set(NEXT, 1, NEXT, 0);
      ByteBuffer frame = ByteBuffer.allocate(500);
      EthernetFlyweight.write(frame, 0, mac(0), mac(40), EthernetFlyweight.TYPE_XIP);
      int header =
          XipFlyweight.write(
              frame,
              14,
              XipFlyweight.NEXT_CONTENT,
              10,
              250,
              Dag.path(AD, NEXT, Topologies.sid(1)),
              Dag.path(Topologies.ad(9), Topologies.hid(9), cid));
      int length = ContentFlyweight.writeResponse(frame, 14 + header, 0, 10, 10);
      node.receive(0, frame.limit(14 + header + length + 10));
    }
    assertThat(seen).containsExactly(cid);
    assertThat(sent).as("forwarded in any case").hasSize(2);
  }

  @Test
  void handsRequestsForAnnouncedContentToTheStore() {
    Xid cid = Xid.parse("CID:2000000000000000000000000000000000000001");
    List<Xid> requests = new ArrayList<>();
    node.context()
        .serveContent(
            new TransportContext.ContentReceiver() {
              @Override
              public void request(PacketView packet) {
                requests.add(packet.deliveredTo());
              }

              @Override
              public void passing(PacketView packet) {}
            });
    ByteBuffer frame = packet(Dag.withFallback(List.of(AD, HID), cid), SOURCE, 250);
    frame.put(15, (byte) XipFlyweight.NEXT_CONTENT);
    node.receive(0, frame.duplicate());
    assertThat(requests).isEmpty();
    assertThat(xcmpType(0)).isEqualTo(XcmpFlyweight.UNREACHABLE);
    node.context().announce(cid);
    frame = packet(Dag.withFallback(List.of(AD, HID), cid), SOURCE, 250);
    frame.put(15, (byte) XipFlyweight.NEXT_CONTENT);
    node.receive(0, frame);
    assertThat(requests).containsExactly(cid);
    node.context().withdraw(cid);
    assertThat(node.routes(XidType.CID).size()).isZero();
  }

  @Test
  void framesForAnotherPortOfThisNodeAreTaken() {
    node.routes(XidType.HID).set(NEXT, 1, NEXT, 0);
    ByteBuffer frame = packet(Dag.path(AD, NEXT), SOURCE, 250);
    EthernetFlyweight.write(frame, 0, mac(1), mac(40), EthernetFlyweight.TYPE_XIP);
    node.receive(0, frame);
    assertThat(portOf(0)).isEqualTo(1);
    assertThat(sent(0).last()).as("on its way like any other").isEqualTo(0);
    assertThat(node.counters().get(NodeCounter.DROP_OTHER_STATION)).isZero();
  }

  @Test
  void framesForOtherStationsAndOfOtherTypesAreCounted() {
    ByteBuffer other = packet(Dag.path(AD, HID), SOURCE, 250);
    EthernetFlyweight.putMac(other, 0, mac(30));
    node.receive(0, other);
    ByteBuffer ip = packet(Dag.path(AD, HID), SOURCE, 250);
    ip.putShort(12, (short) 0x0800);
    node.receive(0, ip);
    assertThat(node.counters().get(NodeCounter.DROP_OTHER_STATION)).isEqualTo(1);
    assertThat(node.counters().get(NodeCounter.DROP_ETHERTYPE)).isEqualTo(1);
  }

  @Test
  void knowsTheLargestPacketTowardsADestination() {
    node.routes(XidType.HID).set(NEXT, 1, NEXT, 0);
    TransportContext context = node.context();
    assertThat(context.maxPacketBytes(Dag.path(AD, NEXT))).isEqualTo(1500);
    assertThat(context.maxPacketBytes(Dag.path(AD, HID))).isEqualTo(65_535);
    assertThat(context.maxPacketBytes(Dag.path(Xid.BHID, Xid.SID_XHCP))).isEqualTo(1500);
    assertThat(context.maxPacketBytes(Dag.path(Topologies.ad(44), HID))).isEqualTo(1500);
  }

  @Test
  void remembersForAWhileWhatPassesOnTheWayToAHost() {
    PathMtus paths = new PathMtus();
    Dag to = Dag.path(AD, NEXT, Topologies.sid(1));
    paths.reported(to, 1400, 0);
    assertThat(paths.limit(to, 9000, 1)).isEqualTo(1400);
    assertThat(paths.limit(to, 1300, 1)).isEqualTo(1300);
    assertThat(paths.limit(Dag.path(AD, HID), 9000, 1)).isEqualTo(9000);
    paths.reported(to, 20, 1);
    assertThat(paths.limit(to, 9000, 1)).as("no link is that small").isEqualTo(1400);
    assertThat(paths.limit(to, 9000, PathMtus.LIFETIME_NS + 1)).isEqualTo(9000);
  }

  @Test
  void startsWithTheRoutesOfItsRole() {
    NodeConfig config =
        NodeConfig.host("host", new LocalAddress(AD, Topologies.hid(1), null), mac(0));
    XiaNode host = new XiaNode(config, loop, new SplittableRandom(1));
    assertThat(host.routes(XidType.AD).list()).isEqualTo("-,0,,0\n");
    assertThat(host.routes(XidType.IP).list()).isEqualTo("-,0,,0\n");
    assertThat(host.routes(XidType.SID).list()).isEqualTo("-,-7,,0\n");
    assertThat(host.routes(XidType.HID).list())
        .startsWith("-,0,,0\n")
        .contains(Topologies.hid(1) + ",-2,,0\n", Xid.BHID + ",-4,,0\n");
    assertThat(node.routes(XidType.HID).list()).startsWith("-,-7,,0\n").contains(HID + ",-2,,0\n");
    assertThat(node.routes(XidType.AD).list()).startsWith("-,-7,,0\n").contains(AD + ",-2,,0\n");
    assertThat(node.routes(XidType.IP).list()).isEqualTo("-,-7,,0\n");
  }
}
