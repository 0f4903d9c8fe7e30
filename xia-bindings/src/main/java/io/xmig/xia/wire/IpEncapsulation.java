package io.xmig.xia.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * XIP in UDP in IPv4, as links between dual-stack nodes carry it. Packets start with the IPv4
 * header; there is no Ethernet header.
 *
 * <pre>
 *  0      1     2        4    6      8     9       10         12       16            20
 *  | 0x45 | TOS | length | id | frag | TTL | proto | checksum | source | destination |
 *  | source port 13781 | destination port 13781 | length | checksum |   XIP packet …
 * </pre>
 *
 * @source XIA prototype v1.1, docs/wire.md section 12
 */
public final class IpEncapsulation {
  /** Bytes in front of the XIP packet. */
  public static final int HEADER_LENGTH = 28;

  /** UDP port of XIP, both ways. */
  public static final int PORT = 13781;

  /** TTL of the prototype's IPv4 headers. */
  public static final int TTL = 250;

  private static final int IP_LENGTH = 20;
  private static final int UDP_LENGTH = 8;
  private static final int PROTOCOL_UDP = 17;

  private IpEncapsulation() {}

  /**
   * Writes the headers in front of an XIP packet that stands at {@code offset + 28}.
   *
   * @param xipLength bytes of the XIP packet, at most 65,507
   * @param id identification, counted from 0 for each port
   * @param source IPv4 address of the port as a big-endian word
   * @param destination last four bytes of the 4ID chosen
   */
  public static void write(
      ByteBuffer buffer, int offset, int xipLength, int id, int source, int destination) {
    if (xipLength < 0 || xipLength > 0xffff - HEADER_LENGTH) {
      throw new IllegalArgumentException("an IPv4 packet cannot carry " + xipLength + " bytes");
    }
    int udp = offset + IP_LENGTH;
    buffer.putInt(offset, 0x4500_0000 | HEADER_LENGTH + xipLength);
    buffer.putInt(offset + 4, id << 16);
    buffer.putInt(offset + 8, TTL << 24 | PROTOCOL_UDP << 16);
    buffer.putInt(offset + 12, source);
    buffer.putInt(offset + 16, destination);
    buffer.putShort(
        offset + 10,
        (short) InternetChecksum.finish(InternetChecksum.sum(buffer, offset, IP_LENGTH)));
    buffer.putInt(udp, PORT << 16 | PORT);
    buffer.putInt(udp + 4, UDP_LENGTH + xipLength << 16);
    int checksum = InternetChecksum.finish(udpSum(buffer, offset, udp, UDP_LENGTH + xipLength));
    buffer.putShort(udp + 6, (short) (checksum == 0 ? 0xffff : checksum));
  }

  /**
   * Where the XIP packet starts.
   *
   * @param end end of the packet, exclusive; bytes behind the IPv4 total length are ignored
   * @return its offset, or −1 if this is no sound, unfragmented IPv4 packet to the UDP port of XIP
   */
  public static int xipOffset(ByteBuffer buffer, int offset, int end) {
    if (buffer.order() != ByteOrder.BIG_ENDIAN) {
      throw new IllegalArgumentException("a packet buffer is big-endian");
    }
    if (offset < 0 || end > buffer.limit() || end - offset < HEADER_LENGTH) {
      return -1;
    }
    int ipLength = (buffer.get(offset) & 0xf) << 2;
    int total = totalLength(buffer, offset);
    boolean isPlainUdp =
        (buffer.get(offset) & 0xf0) == 0x40
            && ipLength >= IP_LENGTH
            && total <= end - offset
            && total >= ipLength + UDP_LENGTH
            && (buffer.getShort(offset + 6) & 0xbfff) == 0 // any fragment; DF does not matter
            && buffer.get(offset + 9) == PROTOCOL_UDP;
    if (!isPlainUdp || !InternetChecksum.isRight(InternetChecksum.sum(buffer, offset, ipLength))) {
      return -1;
    }
    int udp = offset + ipLength;
    int udpLength = Short.toUnsignedInt(buffer.getShort(udp + 4));
    boolean isXip =
        Short.toUnsignedInt(buffer.getShort(udp + 2)) == PORT
            && udpLength >= UDP_LENGTH
            && udpLength <= total - ipLength;
    if (!isXip) {
      return -1;
    }
    boolean hasChecksum = buffer.getShort(udp + 6) != 0;
    if (hasChecksum && !InternetChecksum.isRight(udpSum(buffer, offset, udp, udpLength))) {
      return -1;
    }
    return udp + UDP_LENGTH;
  }

  /** End of the XIP packet, exclusive, of a packet that {@link #xipOffset} accepted. */
  public static int xipEnd(ByteBuffer buffer, int offset) {
    int udp = offset + ((buffer.get(offset) & 0xf) << 2);
    return udp + Short.toUnsignedInt(buffer.getShort(udp + 4));
  }

  /** The IPv4 total length. */
  public static int totalLength(ByteBuffer buffer, int offset) {
    return Short.toUnsignedInt(buffer.getShort(offset + 2));
  }

  /** The IPv4 identification. */
  public static int id(ByteBuffer buffer, int offset) {
    return Short.toUnsignedInt(buffer.getShort(offset + 4));
  }

  /** The IPv4 source address. */
  public static int source(ByteBuffer buffer, int offset) {
    return buffer.getInt(offset + 12);
  }

  /** The IPv4 destination address. */
  public static int destination(ByteBuffer buffer, int offset) {
    return buffer.getInt(offset + 16);
  }

  private static long udpSum(ByteBuffer buffer, int ip, int udp, int udpLength) {
    return InternetChecksum.sum(buffer, ip + 12, 8)
        + PROTOCOL_UDP
        + udpLength
        + InternetChecksum.sum(buffer, udp, udpLength);
  }
}
