package io.xmig.xia.testkit;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.wire.EthernetFlyweight;
import java.nio.ByteBuffer;

/** One line about a frame, for traces. */
public final class FrameText {
  private static final int ETHERNET_HEADER = 14;
  private static final int XIP_FIXED = 8;

  /** Bytes of the payload of an XIP packet that are shown. */
  private static final int SHOWN = 48;

  private FrameText() {}

  /** Describes the frame from position to limit; anything may be in it. */
  public static String describe(ByteBuffer frame) {
    int start = frame.position();
    int length = frame.remaining();
    if (length < ETHERNET_HEADER) {
      return "short frame of " + length;
    }
    int type = frame.getShort(start + 12) & 0xffff;
    StringBuilder text = new StringBuilder();
    text.append(EthernetFlyweight.formatMac(EthernetFlyweight.mac(frame, start + 6))).append('>');
    text.append(EthernetFlyweight.formatMac(EthernetFlyweight.mac(frame, start))).append(' ');
    text.append(String.format("%04x", type)).append(" len ").append(length);
    int xip = start + ETHERNET_HEADER;
    if (type == 0xC0DE && length >= ETHERNET_HEADER + XIP_FIXED) {
      int destinations = frame.get(xip + 5) & 0xff;
      int sources = frame.get(xip + 6) & 0xff;
      int nodes = xip + XIP_FIXED;
      text.append(" nxt ").append(frame.get(xip + 1)).append(" hlim ");
      text.append(frame.get(xip + 4) & 0xff).append(" last ").append(frame.get(xip + 7));
      int payload = nodes + (destinations + sources) * Dag.NODE_LENGTH;
      if (payload <= frame.limit()) {
        text.append(" to ").append(Dag.tryRead(frame, nodes, destinations)).append(" from ");
        text.append(Dag.tryRead(frame, nodes + destinations * Dag.NODE_LENGTH, sources));
        text.append(" data ");
        for (int i = payload; i < Math.min(frame.limit(), payload + SHOWN); i++) {
          text.append(String.format("%02x", frame.get(i)));
        }
      }
    }
    return text.toString();
  }
}
