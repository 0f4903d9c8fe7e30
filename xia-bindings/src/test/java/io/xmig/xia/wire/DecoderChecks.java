package io.xmig.xia.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.testkit.Vectors.Vector;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What every decoder promises for any bytes: they are taken, and then everything the views give
 * lies inside them, or they are refused in the documented way; never anything else.
 */
final class DecoderChecks {
  private DecoderChecks() {}

  /** Bytes of a vector as the decoder of its link sees them. */
  static void captured(Vector vector, byte[] bytes) {
    if (vector.link().equals("ip")) {
      ipPacket(bytes);
    } else {
      frame(bytes);
    }
  }

  static void frame(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    if (!EthernetFlyweight.fits(in, 0, bytes.length)) {
      assertThat(bytes.length).isLessThan(EthernetFlyweight.LENGTH);
      return;
    }
    EthernetFlyweight.destination(in, 0);
    EthernetFlyweight.source(in, 0);
    if (EthernetFlyweight.type(in, 0) == EthernetFlyweight.TYPE_XARP) {
      xarp(in);
    } else {
      xip(in, EthernetFlyweight.LENGTH);
    }
  }

  static void ipPacket(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    int offset = IpEncapsulation.xipOffset(in, 0, bytes.length);
    if (offset >= 0) {
      assertThat(offset).isBetween(IpEncapsulation.HEADER_LENGTH, bytes.length);
      assertThat(IpEncapsulation.xipEnd(in, 0)).isBetween(offset, bytes.length);
      xip(in, offset);
    }
  }

  private static void xarp(ByteBuffer in) {
    XarpFlyweight xarp = new XarpFlyweight();
    if (xarp.tryWrap(in, EthernetFlyweight.LENGTH, in.limit())) {
      xarp.senderXid();
      xarp.targetXid();
      xarp.senderMac();
      xarp.targetMac();
    } else {
      assertThatThrownBy(() -> xarp.wrap(in, EthernetFlyweight.LENGTH, in.limit()))
          .isInstanceOf(MalformedPacketException.class);
    }
  }

  static void xip(ByteBuffer in, int offset) {
    XipFlyweight xip = new XipFlyweight();
    if (!xip.tryWrap(in, offset, in.limit())) {
      assertThatThrownBy(() -> xip.wrap(in, offset, in.limit()))
          .isInstanceOf(MalformedPacketException.class);
      return;
    }
    assertThat(xip.headerLength()).isBetween(64, XipFlyweight.MAX_LENGTH);
    assertThat(xip.payloadOffset()).isBetween(offset + 64, in.limit());
    assertThat(xip.payloadEnd()).isBetween(xip.payloadOffset(), in.limit());
    assertThat(xip.current()).isBetween(0, xip.destinationCount() - 1);
    for (int node = 0; node < xip.destinationCount(); node++) {
      for (int k = 0; k < Dag.MAX_EDGES; k++) {
        assertThat(xip.edge(node, k)).isBetween(0, Dag.UNUSED_EDGE);
      }
    }
    dag(xip.destination(), xip.destinationCount());
    dag(xip.source(), xip.sourceCount());
    payload(in, xip);
  }

  private static void dag(@Nullable Dag dag, int count) {
    if (dag != null) {
      assertThat(dag.size()).isEqualTo(count);
      assertThat(dag.toString()).matches("(?s)(RE|DAG) .*");
    }
  }

  private static void payload(ByteBuffer in, XipFlyweight xip) {
    int at = xip.payloadOffset();
    int end = xip.payloadEnd();
    switch (xip.nextHeader()) {
      case XipFlyweight.NEXT_TRANSPORT -> {
        TransportFlyweight transport = new TransportFlyweight();
        if (tlv(transport, in, at, end)) {
          ByteBuffer data = in.slice(transport.dataOffset(), end - transport.dataOffset());
          messages(data);
        }
      }
      case XipFlyweight.NEXT_CONTENT -> tlv(new ContentFlyweight(), in, at, end);
      case XipFlyweight.NEXT_XCMP -> xcmp(in, at, end);
      default -> {}
    }
  }

  private static boolean tlv(TlvFlyweight view, ByteBuffer in, int at, int end) {
    boolean good = view.tryWrap(in, at, end);
    if (!good) {
      assertThatThrownBy(() -> view.wrapOrThrow(in, at, end))
          .isInstanceOf(MalformedPacketException.class);
      return false;
    }
    assertThat(view.headerLength()).isBetween(4, TlvFlyweight.MAX_LENGTH);
    assertThat(view.dataOffset()).isBetween(at + 4, end);
    for (int key = TlvFlyweight.FIRST_EXTENSION; key <= TlvFlyweight.LAST_EXTENSION; key++) {
      if (view.hasExtension(key)) {
        int value = view.extensionOffset(key);
        assertThat(value).isBetween(at + 4, view.dataOffset());
        assertThat(view.extensionLength(key)).isBetween(0, view.dataOffset() - value);
        view.extensionLong(key, 0);
      } else {
        assertThat(view.extensionLong(key, -7)).isEqualTo(-7);
      }
    }
    return true;
  }

  private static void xcmp(ByteBuffer in, int at, int end) {
    XcmpFlyweight xcmp = new XcmpFlyweight();
    if (!xcmp.tryWrap(in, at, end)) {
      assertThatThrownBy(() -> xcmp.wrap(in, at, end)).isInstanceOf(MalformedPacketException.class);
      return;
    }
    xcmp.hasRightChecksum();
    switch (xcmp.type()) {
      case XcmpFlyweight.ECHO_REPLY, XcmpFlyweight.ECHO_REQUEST -> {
        assertThat(xcmp.id()).isBetween(0, 0xffff);
        assertThat(xcmp.sequence()).isBetween(0, 0xffff);
        assertThat(xcmp.dataOffset()).isLessThanOrEqualTo(end);
      }
      case XcmpFlyweight.UNREACHABLE, XcmpFlyweight.REDIRECT, XcmpFlyweight.TIME_EXCEEDED -> {
        xcmp.redirectXid();
        xcmp.redirectNextHop();
        XipFlyweight quoted = new XipFlyweight();
        if (xcmp.quoted(quoted)) {
          assertThat(quoted.payloadOffset()).isLessThanOrEqualTo(end);
          quoted.destination();
        }
      }
      default -> {}
    }
  }

  /** Every daemon's decoder on the same bytes; what is read is written and read the same again. */
  static void messages(ByteBuffer data) {
    int position = data.position();
    try {
      XhcpBeacon beacon = XhcpBeacon.decode(data);
      assertThat(XhcpBeacon.decode(ByteBuffer.wrap(beacon.encode()))).isEqualTo(beacon);
    } catch (MalformedPacketException e) {
      assertThat(e).hasMessageStartingWith("xhcp-beacon ");
    }
    try {
      RoutingMessage message = RoutingMessage.decode(data);
      assertThat(RoutingMessage.decode(ByteBuffer.wrap(message.encode()))).isEqualTo(message);
    } catch (MalformedPacketException e) {
      assertThat(e).hasMessageStartingWith("routing-message ");
    }
    try {
      NameServiceMessage message = NameServiceMessage.decode(data);
      assertThat(NameServiceMessage.decode(ByteBuffer.wrap(message.encode()))).isEqualTo(message);
    } catch (MalformedPacketException e) {
      assertThat(e).hasMessageStartingWith("name-service-message ");
    }
    assertThat(data.position()).isEqualTo(position);
  }
}
