package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import io.xmig.xia.testkit.Vectors;
import io.xmig.xia.testkit.Vectors.Vector;
import io.xmig.xia.wire.ContentFlyweight;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.TransportFlyweight;
import io.xmig.xia.wire.XcmpFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The network in which the prototype's packets were captured, made of our nodes. */
class CapturedPacketsTest {
  private static final int ETHERNET_HEADER = 14;

  private final SimNetwork net = new SimNetwork(1);
  private final Topologies.Chain at = Topologies.chain(net, 2, LinkProfile.delayMs(5));
  private final Map<String, List<byte[]>> packets = new HashMap<>();
  private final Map<String, List<byte[]>> resolutions = new HashMap<>();

  CapturedPacketsTest() {
    net.tap(
        (link, from, frame) -> {
          byte[] bytes = new byte[frame.remaining()];
          frame.get(frame.position(), bytes);
          String there = link.toString().replaceAll(":\\d", "");
          String to = there.replace(from.name(), "").replace("-", "");
          boolean xip = bytes[12] == (byte) 0xC0;
          (xip ? packets : resolutions)
              .computeIfAbsent(from.name() + ">" + to, k -> new ArrayList<>())
              .add(bytes);
        });
  }

  private XiaNode router0() {
    return at.routers().get(0);
  }

  private XiaNode router1() {
    return at.routers().get(1);
  }

  /** Feeds a captured frame to router1 as if host1 had sent it, and lets things happen. */
  private void fromHost1(Vector vector) {
    router1().receive(0, ByteBuffer.wrap(vector.bytes()));
    net.run(Duration.ofSeconds(2));
  }

  private void bindSourceOf(Vector vector) {
    XipFlyweight packet = packetOf(ByteBuffer.wrap(vector.bytes()));
    Xid sid = packet.sourceXid(packet.sourceCount() - 1);
    at.host1().context().bind(sid, ignored -> {});
  }

  private void assertSent(String hop, Vector expected) {
    assertThat(packets.getOrDefault(hop, List.of()))
        .as("%s on %s", expected, hop)
        .anySatisfy(sent -> assertThat(comparable(sent, expected)).isEqualTo(wanted(expected)));
  }

  private static String wanted(Vector expected) {
    return comparable(expected.bytes(), expected);
  }

  /** Undefined bytes and the checksum over them cleared; the checksum's own value is checked. */
  private static String comparable(byte[] frame, Vector vector) {
    byte[] bytes = frame.clone();
    BitSet undefined = vector.undefinedBytesOfXcmp();
    if (!undefined.isEmpty()) {
      ByteBuffer b = ByteBuffer.wrap(bytes);
      int message = packetOf(b).payloadOffset();
      assertThat(new XcmpFlyweight().wrap(b, message, bytes.length).hasRightChecksum()).isTrue();
      undefined.set(2, 4);
      undefined.stream()
          .filter(i -> message + i < bytes.length)
          .forEach(i -> bytes[message + i] = 0);
    }
    return HexFormat.of().formatHex(bytes);
  }

  private static Vector xcmp(String name) {
    return Vectors.get("xcmp", "xcmp_" + name);
  }

  @Test
  void carriesAnEchoRequestAndItsReplyOverEveryHopAsCaptured() {
    Vector request = xcmp("echo_request_56_host1_to_router1");
    bindSourceOf(request);
    fromHost1(request);
    assertSent("router1>router0", xcmp("echo_request_56_router1_to_router0"));
    assertSent("router0>host0", xcmp("echo_request_56_router0_to_host0"));
    assertSent("host0>router0", xcmp("echo_reply_to_56_host0_to_router0"));
    assertSent("router0>router1", xcmp("echo_reply_to_56_router0_to_router1"));
    assertSent("router1>host1", xcmp("echo_reply_to_56_router1_to_host1"));
    assertThat(at.host1().counters().drops()).isZero();
  }

  @Test
  void answersAShortAndALongEchoRequestAsCaptured() {
    for (String size : List.of("8", "400")) {
      Vector request = xcmp("echo_request_" + size);
      bindSourceOf(request);
      fromHost1(request);
      assertSent("router1>host1", xcmp("echo_reply_to_" + size));
    }
  }

  @Test
  void reportsASpentHopLimitAsCapturedAtEachHop() {
    Vector first = xcmp("echo_request_hlim1");
    bindSourceOf(first);
    fromHost1(first);
    assertSent("router1>host1", xcmp("time_exceeded_router1"));
    // The later requests of that run differ in hop limit, checksum and sequence number.
    for (int hop = 2; hop <= 3; hop++) {
      Vector reply = xcmp(hop == 2 ? "time_exceeded_router0" : "time_exceeded_host0");
      byte[] request = first.bytes();
      XipFlyweight packet = packetOf(ByteBuffer.wrap(request)).hopLimit(hop);
      byte[] quoted = HexFormat.of().parseHex(reply.fields().at("/xcmp/trailing_hex").asText());
      System.arraycopy(quoted, 0, request, packet.payloadOffset(), quoted.length);
      // The time stamp behind them is not quoted; any that fits the checksum will do.
      fitToChecksum(packet.buffer(), packet.payloadOffset(), packet.payloadLength());
      router1().receive(0, ByteBuffer.wrap(request));
      net.run(Duration.ofSeconds(2));
      assertSent("router1>host1", reply);
    }
  }

  private static void fitToChecksum(ByteBuffer b, int message, int length) {
    int wanted = Short.toUnsignedInt(b.getShort(message + 2));
    b.putShort(message + 16, (short) 0);
    XcmpFlyweight.seal(b, message, length);
    int without = Short.toUnsignedInt(b.getShort(message + 2));
    int word = without + (~wanted & 0xffff);
    b.putShort(message + 16, (short) (word + (word >>> 16))).putShort(message + 2, (short) wanted);
  }

  private static XipFlyweight packetOf(ByteBuffer frame) {
    return new XipFlyweight().wrap(frame, ETHERNET_HEADER, frame.limit());
  }

  @Test
  void reportsWhatCannotBeReachedAsCaptured() {
    for (String cause : List.of("unknown_ad", "unknown_hid", "absent_cid")) {
      Vector report = xcmp("unreachable_" + cause);
      fromHost1(offender(report));
      assertSent("router1>host1", report);
    }
  }

  /** Rebuilds the packet that an error message quotes, as host1 sent it to router1. */
  private Vector offender(Vector report) {
    ByteBuffer b = ByteBuffer.wrap(report.bytes());
    XipFlyweight quote = new XipFlyweight();
    int message = packetOf(b).payloadOffset();
    assertThat(new XcmpFlyweight().wrap(b, message, b.limit()).quoted(quote)).isTrue();
    Dag destination = Objects.requireNonNull(quote.destination());
    Dag source = Objects.requireNonNull(quote.source());
    int length = quote.payloadLength();
    ByteBuffer frame =
        ByteBuffer.allocate(ETHERNET_HEADER + XipFlyweight.lengthOf(destination, source) + length);
    EthernetFlyweight.write(
        frame, 0, Topologies.mac(1, 0x20), Topologies.mac(1, 0x10), EthernetFlyweight.TYPE_XIP);
    int payload =
        ETHERNET_HEADER
            + XipFlyweight.write(
                frame, ETHERNET_HEADER, quote.nextHeader(), length, 249, destination, source);
    if (quote.nextHeader() == XipFlyweight.NEXT_CONTENT) {
      payload += ContentFlyweight.writeRequest(frame, payload);
      ContentFlyweight.writeRequestPayload(frame, payload);
    } else {
      frame.put(payload, b, quote.payloadOffset(), XcmpFlyweight.QUOTED_PAYLOAD);
    }
    return new Vector(report.file(), "offender", "", "ethernet", frame.array(), report.json());
  }

  @Test
  void redirectsAsCapturedAndStillForwards() {
    Vector request = xcmp("redirect_request");
    Xid next = Topologies.hid(0x56);
    router1().routes(XidType.AD).set(Topologies.ad(0x56), 0, next, 0);
    bindSourceOf(request);
    fromHost1(request);
    assertSent("router1>host1", xcmp("redirect"));
    assertThat(router1().counters().get(NodeCounter.FORWARDED)).isEqualTo(1);
  }

  @Test
  void sendsDatagramsOverEveryHopAsCaptured() {
    Xid service = Xid.parse("SID:0f00000000000000000000000000000000000889");
    Xid client = Xid.parse("SID:30000ff0000000000000000000000000064b4095");
    DatagramSocket[] sockets = new DatagramSocket[2];
    sockets[0] =
        net.await(
            net.stack(at.host0())
                .openDatagram(
                    service,
                    (source, payload, port) -> sockets[0].send(source, ascii("dgram reply"))));
    sockets[1] =
        net.await(net.stack(at.host1()).openDatagram(client, (source, payload, port) -> {}));
    sockets[1].send(sockets[0].localDag(), ascii("dgram hello"));
    net.run(Duration.ofSeconds(1));
    assertSent("host1>router1", Vectors.get("dgram", "dgram_data_hop1"));
    assertSent("router1>router0", Vectors.get("dgram", "dgram_data_hop2"));
    assertSent("router0>host0", Vectors.get("dgram", "dgram_data_hop3"));
    assertSent("host0>router0", Vectors.get("dgram", "dgram_reply_hop1"));
    assertSent("router0>router1", Vectors.get("dgram", "dgram_reply_hop2"));
    assertSent("router1>host1", Vectors.get("dgram", "dgram_reply_hop3"));
    assertThat(resolutions.get("host1>router1").get(0))
        .isEqualTo(Vectors.get("xarp", "xarp_query_broadcast").bytes());
    assertThat(resolutions.get("router1>host1").get(0))
        .isEqualTo(Vectors.get("xarp", "xarp_reply").bytes());
  }

  @Test
  void refreshesAnOldEthernetAddressAsCaptured() {
    DatagramSocket socket =
        net.await(net.stack(at.host1()).openDatagram(null, (source, payload, port) -> {}));
    var to = at.host0().localAddress().service(Topologies.sid(1));
    socket.send(to, ascii("a"));
    net.run(Duration.ofSeconds(61));
    socket.send(to, ascii("b"));
    net.run(Duration.ofSeconds(1));
    assertThat(resolutions.get("host1>router1"))
        .contains(Vectors.get("xarp", "xarp_query_unicast_poll").bytes());
    assertThat(resolutions.get("router1>host1"))
        .contains(Vectors.get("xarp", "xarp_reply_to_poll").bytes());
  }

  @Test
  void floodsABeaconOnEveryPortAsCaptured() {
    Vector toHost = Vectors.get("xhcp", "xhcp_beacon_seq0_router0_to_host0");
    ByteBuffer b = ByteBuffer.wrap(toHost.bytes());
    XipFlyweight packet = packetOf(b);
    Xid source = packet.sourceXid(packet.sourceCount() - 1);
    int payload = packet.payloadOffset() + TransportFlyweight.PLAIN_LENGTH;
    DatagramSocket beacon =
        net.await(net.stack(router0()).openDatagram(source, (from, data, port) -> {}));
    List<Integer> heardBytes = new ArrayList<>();
    net.await(
        net.stack(at.host0())
            .openDatagram(Xid.SID_XHCP, (from, data, port) -> heardBytes.add(data.remaining())));
    beacon.send(Dag.path(Xid.BHID, Xid.SID_XHCP), b.slice(payload, b.limit() - payload));
    net.run(Duration.ofSeconds(1));
    assertSent("router0>host0", toHost);
    assertSent("router0>router1", Vectors.get("xhcp", "xhcp_beacon_seq0_router0_to_router1"));
    assertThat(heardBytes).containsExactly(b.limit() - payload);
  }

  private static ByteBuffer ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }
}
