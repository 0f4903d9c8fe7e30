package io.xmig.xia.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.testkit.Vectors;
import io.xmig.xia.testkit.Vectors.Vector;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every captured packet is taken apart, compared with the fields written down beside it, put
 * together again by the writers, and compared byte by byte.
 */
class PacketVectorsTest {
  static final List<String> FILES =
      List.of(
          "xhcp",
          "xrouted",
          "xarp",
          "xcmp",
          "stream",
          "dgram",
          "nameservice",
          "content",
          "fourid",
          "handoff");

  static Stream<Vector> packets() {
    return FILES.stream().flatMap(file -> Vectors.load(file).stream());
  }

  @ParameterizedTest
  @MethodSource("packets")
  void aCapturedPacketIsReadAndWrittenAgain(Vector vector) {
    ByteBuffer in = ByteBuffer.wrap(vector.bytes());
    ByteBuffer out = ByteBuffer.allocate(in.capacity());
    JsonNode fields = vector.fields();
    if (vector.link().equals("ip")) {
      ip(in, out, fields);
    } else {
      assertThat(vector.link()).isEqualTo("ethernet");
      ethernet(in, out, fields);
    }
    if (fields.has("xcmp")) {
      int message = in.capacity() - fields.at("/xcmp/length").asInt();
      BitSet undefined = vector.undefinedBytesOfXcmp();
      undefined.stream().forEach(i -> out.put(message + i, in.get(message + i)));
      XcmpFlyweight.seal(out, message, in.capacity() - message); // covers the undefined bytes
    }
    if (vector.link().equals("ip")) {
      JsonNode ip = fields.get("ip");
      IpEncapsulation.write(
          out,
          0,
          in.capacity() - IpEncapsulation.HEADER_LENGTH,
          ip.get("id").asInt(),
          IpEncapsulation.source(in, 0),
          IpEncapsulation.destination(in, 0));
    }
    assertThat(HexFormat.of().formatHex(out.array()))
        .isEqualTo(HexFormat.of().formatHex(in.array()));
  }

  private static void ethernet(ByteBuffer in, ByteBuffer out, JsonNode fields) {
    assertThat(EthernetFlyweight.fits(in, 0, in.limit())).isTrue();
    long destination = EthernetFlyweight.parseMac(fields.get("eth_dst").asText());
    long source = EthernetFlyweight.parseMac(fields.get("eth_src").asText());
    int type = Integer.decode(fields.get("eth_type").asText());
    assertThat(EthernetFlyweight.destination(in, 0)).isEqualTo(destination);
    assertThat(EthernetFlyweight.source(in, 0)).isEqualTo(source);
    assertThat(EthernetFlyweight.type(in, 0)).isEqualTo(type);
    assertThat(EthernetFlyweight.formatMac(source)).isEqualTo(fields.get("eth_src").asText());
    EthernetFlyweight.write(out, 0, destination, source, type);
    if (type == EthernetFlyweight.TYPE_XARP) {
      xarp(in, out, fields.get("xarp"));
    } else {
      xip(in, EthernetFlyweight.LENGTH, out, fields);
    }
  }

  private static void ip(ByteBuffer in, ByteBuffer out, JsonNode fields) {
    JsonNode ip = fields.get("ip");
    int offset = IpEncapsulation.xipOffset(in, 0, in.limit());
    assertThat(offset).isEqualTo(IpEncapsulation.HEADER_LENGTH);
    assertThat(IpEncapsulation.xipEnd(in, 0)).isEqualTo(in.limit());
    assertThat(IpEncapsulation.totalLength(in, 0)).isEqualTo(ip.get("total_length").asInt());
    assertThat(IpEncapsulation.id(in, 0)).isEqualTo(ip.get("id").asInt());
    assertThat(Xid.ofIpv4(IpEncapsulation.source(in, 0)))
        .isEqualTo(Xid.parse("IP:" + ip.get("src").asText()));
    assertThat(Xid.ofIpv4(IpEncapsulation.destination(in, 0)))
        .isEqualTo(Xid.parse("IP:" + ip.get("dst").asText()));
    xip(in, offset, out, fields);
  }

  private static void xarp(ByteBuffer in, ByteBuffer out, JsonNode fields) {
    XarpFlyweight xarp = new XarpFlyweight().wrap(in, EthernetFlyweight.LENGTH, in.limit());
    assertThat(xarp.operation()).isEqualTo(fields.get("op").asInt());
    assertThat(EthernetFlyweight.formatMac(xarp.senderMac())).isEqualTo(fields.get("sha").asText());
    assertThat(xarp.senderXid()).hasToString(fields.get("spa").asText());
    assertThat(EthernetFlyweight.formatMac(xarp.targetMac())).isEqualTo(fields.get("tha").asText());
    assertThat(xarp.targetXid()).hasToString(fields.get("tpa").asText());
    assertThat(xarp.isTarget(xarp.targetXid())).isTrue();
    assertThat(xarp.isTarget(xarp.senderXid())).isFalse();
    XarpFlyweight.write(
        out,
        EthernetFlyweight.LENGTH,
        xarp.operation(),
        xarp.senderMac(),
        xarp.senderXid(),
        xarp.targetMac(),
        xarp.targetXid());
  }

  private static void xip(ByteBuffer in, int offset, ByteBuffer out, JsonNode fields) {
    JsonNode expected = fields.get("xip");
    XipFlyweight xip = new XipFlyweight().wrap(in, offset, in.limit());
    assertThat(xip.nextHeader()).isEqualTo(expected.get("nxt").asInt());
    assertThat(xip.payloadLength()).isEqualTo(expected.get("plen").asInt());
    assertThat(xip.hopLimit()).isEqualTo(expected.get("hlim").asInt());
    assertThat(xip.destinationCount()).isEqualTo(expected.get("dnode").asInt());
    assertThat(xip.sourceCount()).isEqualTo(expected.get("snode").asInt());
    assertThat(xip.last()).isEqualTo(expected.get("last").asInt());
    assertThat(xip.headerLength()).isEqualTo(expected.get("header_len").asInt());
    assertThat(xip.payloadEnd()).isEqualTo(in.limit());
    nodes(xip, expected);

    Dag destination = xip.destination();
    Dag source = xip.source();
    assertThat(destination).isNotNull();
    assertThat(source).isNotNull();
    assertThat(destination.toString()).isEqualTo(text(expected, "dst"));
    assertThat(source.toString()).isEqualTo(text(expected, "src"));
    XipFlyweight.write(
        out, offset, xip.nextHeader(), xip.payloadLength(), xip.hopLimit(), destination, source);
    XipFlyweight written = new XipFlyweight().wrap(out, offset, out.limit()).last(xip.last());
    for (int node = 0; node < xip.destinationCount(); node++) {
      for (int k = 0; k < Dag.MAX_EDGES; k++) {
        if (xip.isVisited(node, k)) {
          written.markVisited(node, k);
        }
      }
    }
    payload(in, xip, out, fields);
  }

  private static String text(JsonNode xip, String which) {
    JsonNode re = xip.get(which + "_re");
    return re.isNull() ? xip.get(which + "_dag").asText() : re.asText();
  }

  private static void nodes(XipFlyweight xip, JsonNode expected) {
    int index = 0;
    for (JsonNode node : expected.get("dst_nodes")) {
      assertThat(xip.destinationXid(index)).hasToString(node.get("xid").asText());
      assertThat(xip.destinationXid(index).matches(xip.buffer(), xip.destinationNodeOffset(index)))
          .isTrue();
      assertThat(xip.destinationType(index)).isEqualTo(xip.destinationXid(index).typeCode());
      List<Integer> visited = new ArrayList<>();
      for (int k = 0; k < Dag.MAX_EDGES; k++) {
        JsonNode edge = node.get("edges").get(k);
        assertThat(xip.edge(index, k)).isEqualTo(edge == null ? Dag.UNUSED_EDGE : edge.asInt());
        if (xip.isVisited(index, k)) {
          visited.add(xip.edge(index, k));
        }
      }
      assertThat(visited.toString().replace(" ", "")).isEqualTo(node.get("visited").toString());
      index++;
    }
    index = 0;
    for (JsonNode node : expected.get("src_nodes")) {
      assertThat(xip.sourceXid(index)).hasToString(node.get("xid").asText());
      assertThat(xip.sourceType(index)).isEqualTo(xip.sourceXid(index).typeCode());
      index++;
    }
  }

  private static void payload(ByteBuffer in, XipFlyweight xip, ByteBuffer out, JsonNode fields) {
    int at = xip.payloadOffset();
    switch (xip.nextHeader()) {
      case XipFlyweight.NEXT_TRANSPORT -> transport(in, at, xip.payloadEnd(), out, fields);
      case XipFlyweight.NEXT_CONTENT -> content(in, at, xip.payloadEnd(), out, fields);
      case XipFlyweight.NEXT_XCMP -> xcmp(in, xip, out, fields.get("xcmp"));
      default -> throw new AssertionError("next header " + xip.nextHeader());
    }
  }

  private static void transport(ByteBuffer in, int at, int end, ByteBuffer out, JsonNode fields) {
    JsonNode expected = fields.get("transport");
    TransportFlyweight transport = new TransportFlyweight().wrap(in, at, end);
    assertThat(transport.nextHeader()).isEqualTo(expected.get("nxt").asInt());
    assertThat(transport.headerLength()).isEqualTo(expected.get("hlen").asInt());
    assertThat(transport.type()).isEqualTo(expected.get("TYPE").asInt());
    assertThat(transport.packetInfo()).isEqualTo(expected.get("PKT_INFO").asInt());
    assertThat(Integer.toUnsignedLong(transport.sequence()))
        .isEqualTo(expected.get("SEQ_NUM").asLong());
    assertThat(Integer.toUnsignedLong(transport.acknowledgement()))
        .isEqualTo(expected.get("ACK_NUM").asLong());
    assertThat(transport.lengthField()).isEqualTo(expected.get("LENGTH").asInt());
    assertThat(transport.extensionSet()).isZero();
    int length =
        TransportFlyweight.write(
            out,
            at,
            transport.type(),
            transport.packetInfo(),
            transport.sequence(),
            transport.acknowledgement());
    assertThat(length).isEqualTo(transport.headerLength());
    ByteBuffer data = in.slice(transport.dataOffset(), end - transport.dataOffset());
    assertData(data, fields);
    byte[] again = application(data, fields.path("application"));
    out.put(transport.dataOffset(), again);
  }

  private static void content(ByteBuffer in, int at, int end, ByteBuffer out, JsonNode fields) {
    JsonNode expected = fields.get("content");
    ContentFlyweight content = new ContentFlyweight().wrap(in, at, end);
    assertThat(content.headerLength()).isEqualTo(expected.get("hlen").asInt());
    assertThat(content.opcode()).isEqualTo(expected.get("OPCODE").asInt());
    assertThat(content.chunkOffset()).isEqualTo(expected.path("CHUNK_OFFSET").asInt());
    assertThat(content.length()).isEqualTo(expected.path("LENGTH").asInt());
    assertThat(content.chunkLength()).isEqualTo(expected.path("CHUNK_LENGTH").asInt());
    assertThat(content.contextId()).isEqualTo(expected.path("CONTEXT_ID").asInt());
    assertThat(content.ttl()).isEqualTo(expected.path("TTL").asInt());
    assertThat(content.cacheSize()).isEqualTo(expected.path("CACHE_SIZE").asInt());
    assertThat(content.cachePolicy()).isEqualTo(expected.path("CACHE_POLICY").asInt());
    int dataAt = content.dataOffset();
    assertData(in.slice(dataAt, end - dataAt), fields);
    int length;
    if (content.opcode() == ContentFlyweight.REQUEST) {
      length = ContentFlyweight.writeRequest(out, at);
      assertThat(ContentFlyweight.writeRequestPayload(out, dataAt)).isEqualTo(end - dataAt);
    } else {
      length =
          ContentFlyweight.writeResponse(
              out, at, content.chunkOffset(), content.length(), content.chunkLength());
      assertThat(content.length()).isEqualTo(end - dataAt);
      out.put(dataAt, in, dataAt, end - dataAt);
    }
    assertThat(length).isEqualTo(content.headerLength());
  }

  private static void xcmp(ByteBuffer in, XipFlyweight xip, ByteBuffer out, JsonNode expected) {
    int at = xip.payloadOffset();
    XcmpFlyweight xcmp = new XcmpFlyweight().wrap(in, at, xip.payloadEnd());
    assertThat(xcmp.type()).isEqualTo(expected.get("type").asInt());
    assertThat(xcmp.code()).isEqualTo(expected.get("code").asInt());
    assertThat(xcmp.length()).isEqualTo(expected.get("length").asInt());
    assertThat(xcmp.hasRightChecksum()).isEqualTo(expected.get("cksum_ok").asBoolean());
    if (xcmp.type() == XcmpFlyweight.ECHO_REQUEST) {
      assertThat(xcmp.id()).isEqualTo(expected.get("id_le").asInt());
      assertThat(xcmp.sequence()).isEqualTo(expected.get("seq_le").asInt());
      XcmpFlyweight.writeEchoRequest(out, at, xcmp.id(), xcmp.sequence());
      int data = xcmp.dataOffset();
      assertThat(xip.payloadEnd() - data).isEqualTo(expected.get("data_len").asInt());
      out.put(data, in, data, xip.payloadEnd() - data);
      return;
    }
    XipFlyweight quoted = new XipFlyweight();
    assertThat(xcmp.quoted(quoted)).isTrue();
    assertThat(quoted.hopLimit()).isEqualTo(expected.get("embedded_hlim").asInt());
    assertThat(quoted.last()).isEqualTo(expected.get("embedded_last").asInt());
    assertThat(quoted.destination()).hasToString(expected.get("embedded_dst").asText());
    assertThat(quoted.source()).hasToString(expected.get("embedded_src").asText());
    ByteBuffer trigger = trigger(in, at, xcmp, quoted);
    XipFlyweight about = new XipFlyweight().wrap(trigger, 0, trigger.limit());
    int length;
    switch (xcmp.type()) {
      case XcmpFlyweight.ECHO_REPLY -> {
        assertThat(xcmp.id()).isEqualTo(expected.get("id_le").asInt());
        assertThat(xcmp.sequence()).isEqualTo(expected.get("seq_le").asInt());
        length = XcmpFlyweight.writeEchoReply(out, at, about);
      }
      case XcmpFlyweight.REDIRECT -> {
        assertThat(xcmp.redirectXid()).hasToString(expected.get("redirect_dest").asText());
        assertThat(xcmp.redirectNextHop()).hasToString(expected.get("redirect_nexthop").asText());
        length =
            XcmpFlyweight.writeRedirect(out, at, xcmp.redirectXid(), xcmp.redirectNextHop(), about);
      }
      default -> length = XcmpFlyweight.writeError(out, at, xcmp.type(), about);
    }
    assertThat(length).isEqualTo(xcmp.length());
  }

  /** The packet that a message is about, as far as the message shows it. */
  private static ByteBuffer trigger(
      ByteBuffer in, int at, XcmpFlyweight xcmp, XipFlyweight quoted) {
    int header = quoted.headerLength();
    boolean content = quoted.nextHeader() == XipFlyweight.NEXT_CONTENT;
    int skipped = content ? ContentFlyweight.REQUEST_LENGTH : 0;
    ByteBuffer trigger = ByteBuffer.allocate(header + skipped + quoted.payloadLength());
    trigger.put(0, in, quoted.offset(), header);
    if (content) {
      ContentFlyweight.writeRequest(trigger, header);
    }
    if (xcmp.type() == XcmpFlyweight.ECHO_REPLY) {
      int copied = Math.min(quoted.payloadLength(), xcmp.length());
      trigger.put(header, in, at, copied);
    }
    int tail = at + XcmpFlyweight.QUOTE_OFFSET + header;
    trigger.put(header + skipped, in, tail, XcmpFlyweight.QUOTED_PAYLOAD);
    return trigger;
  }

  private static void assertData(ByteBuffer data, JsonNode fields) {
    byte[] bytes = new byte[data.remaining()];
    data.get(0, bytes);
    assertThat(bytes).hasSize(fields.get("payload_len").asInt());
    assertThat(HexFormat.of().formatHex(bytes)).isEqualTo(fields.get("payload_hex").asText());
  }

  /** Reads and rewrites the daemons' messages; other data are copied. */
  private static byte[] application(ByteBuffer data, JsonNode expected) {
    byte[] copy = new byte[data.remaining()];
    data.get(0, copy);
    return switch (expected.path("proto").asText("")) {
      case "XHCP-beacon" -> {
        XhcpBeacon beacon = XhcpBeacon.decode(data);
        assertThat(beacon.sequence()).isEqualTo(expected.get("seq").asInt());
        assertThat(
                List.of(
                    beacon.ad().toString(),
                    beacon.hid().toString(),
                    beacon.fourId().toString(),
                    beacon.nameServer()))
            .isEqualTo(expected.get("entries").findValuesAsText("value"));
        assertThat(beacon.nameServerDag().intent()).isEqualTo(Xid.SID_NS);
        assertThat(beacon.extensions()).isEmpty();
        yield beacon.encode();
      }
      case "HELLO", "LSA", "HOST_REGISTER" -> {
        RoutingMessage message = RoutingMessage.decode(data);
        if (message instanceof RoutingMessage.Hello hello) {
          assertThat(hello.ad()).hasToString(expected.get("ad").asText());
          assertThat(hello.hid()).hasToString(expected.get("hid").asText());
        } else if (message instanceof RoutingMessage.Lsa lsa) {
          assertThat(lsa.routerType()).isEqualTo(expected.get("router_type").asInt());
          assertThat(lsa.ad()).hasToString(expected.get("ad").asText());
          assertThat(lsa.hid()).hasToString(expected.get("hid").asText());
          assertThat(lsa.sequence()).isEqualTo(expected.get("seq").asInt());
          for (JsonNode neighbour : expected.get("neighbors")) {
            assertThat(lsa.neighbours())
                .contains(
                    new RoutingMessage.Neighbour(
                        Xid.parse(neighbour.get("ad").asText()),
                        Xid.parse(neighbour.get("hid").asText())));
          }
        } else if (message instanceof RoutingMessage.HostRegister register) {
          assertThat(register.hid()).hasToString(expected.get("hid").asText());
          assertThat(register.extensions()).isEmpty();
        }
        yield message.encode();
      }
      case "NS" -> {
        NameServiceMessage message = NameServiceMessage.decode(data);
        assertThat(message.type().code()).isEqualTo(expected.get("type").asInt());
        assertThat(message.name()).isEqualTo(expected.get("name").asText());
        assertThat(message.dag()).isEqualTo(expected.path("dag").asText(""));
        assertThat(message.extensions()).isEmpty();
        yield message.encode();
      }
      case "" -> copy;
      default -> throw new AssertionError("no codec for " + expected);
    };
  }
}
