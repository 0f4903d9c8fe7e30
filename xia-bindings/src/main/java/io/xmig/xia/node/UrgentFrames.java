package io.xmig.xia.node;

import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XcmpFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Tells frames that the node answers by itself from those that are work for somebody above it. */
final class UrgentFrames {
  private UrgentFrames() {}

  /**
   * Whether a frame asks for an Ethernet address or for an echo. Says nothing about whether the
   * frame is meant for this node; anything malformed asks for nothing.
   *
   * @param frame the bytes from position to limit; not changed
   * @param scratch for the packet in it
   */
  static boolean asksTheNode(ByteBuffer frame, XipFlyweight scratch) {
    int start = frame.position();
    int end = frame.limit();
    if (frame.order() != ByteOrder.BIG_ENDIAN || !EthernetFlyweight.fits(frame, start, end)) {
      return false;
    }
    int type = EthernetFlyweight.type(frame, start);
    if (type != EthernetFlyweight.TYPE_XIP) {
      return type == EthernetFlyweight.TYPE_XARP;
    }
    return scratch.tryWrap(frame, start + EthernetFlyweight.LENGTH, end)
        && scratch.nextHeader() == XipFlyweight.NEXT_XCMP
        && scratch.payloadLength() > 0
        && frame.get(scratch.payloadOffset()) == XcmpFlyweight.ECHO_REQUEST;
  }
}
