package io.xmig.xia.wire;

import java.nio.ByteBuffer;

/**
 * Ethernet headers: static accessors, since there is nothing to remember between them.
 *
 * <pre>
 *  0             6        12     14
 *  | destination | source | type | payload, neither padded nor followed by a checksum
 * </pre>
 *
 * <p>Addresses are {@code long}s with the six bytes in the low 48 bits. Buffers are big-endian.
 *
 * @source XIA prototype v1.1, docs/wire.md section 8
 */
public final class EthernetFlyweight {
  /** Bytes of the header. */
  public static final int LENGTH = 14;

  /** Ethernet type of XIP. */
  public static final int TYPE_XIP = 0xc0de;

  /** Ethernet type of XARP. */
  public static final int TYPE_XARP = 0x9990;

  /** The broadcast address. */
  public static final long BROADCAST = 0xffff_ffff_ffffL;

  private static final int SOURCE_OFFSET = 6;
  private static final int TYPE_OFFSET = 12;

  private EthernetFlyweight() {}

  /** Whether a whole header lies between {@code offset} and {@code end}. */
  public static boolean fits(ByteBuffer buffer, int offset, int end) {
    return offset >= 0 && end <= buffer.limit() && end - offset >= LENGTH;
  }

  /** The destination address. */
  public static long destination(ByteBuffer buffer, int offset) {
    return mac(buffer, offset);
  }

  /** The source address. */
  public static long source(ByteBuffer buffer, int offset) {
    return mac(buffer, offset + SOURCE_OFFSET);
  }

  /** The Ethernet type. */
  public static int type(ByteBuffer buffer, int offset) {
    return Short.toUnsignedInt(buffer.getShort(offset + TYPE_OFFSET));
  }

  /** Writes a header of {@value #LENGTH} bytes. */
  public static void write(ByteBuffer buffer, int offset, long destination, long source, int type) {
    putMac(buffer, offset, destination);
    putMac(buffer, offset + SOURCE_OFFSET, source);
    buffer.putShort(offset + TYPE_OFFSET, (short) type);
  }

  /** Reads the six bytes of an address. */
  public static long mac(ByteBuffer buffer, int offset) {
    return (long) Short.toUnsignedInt(buffer.getShort(offset)) << 32
        | Integer.toUnsignedLong(buffer.getInt(offset + 2));
  }

  /** Writes the six bytes of an address. */
  public static void putMac(ByteBuffer buffer, int offset, long mac) {
    buffer.putShort(offset, (short) (mac >>> 32));
    buffer.putInt(offset + 2, (int) mac);
  }

  /** Whether an address is a group address (broadcast included). */
  public static boolean isGroup(long mac) {
    return (mac & 0x0100_0000_0000L) != 0;
  }

  /**
   * Reads {@code aa:bb:cc:dd:ee:ff} (also with {@code -}), each part one or two digits.
   *
   * @throws IllegalArgumentException for any other text
   */
  public static long parseMac(String text) {
    String[] parts = text.split("[:-]", -1);
    long mac = 0;
    boolean good = parts.length == 6;
    for (String part : parts) {
      good &= part.matches("[0-9A-Fa-f]{1,2}");
      mac = mac << 8 | (good ? Integer.parseInt(part, 16) : 0);
    }
    if (!good) {
      throw new IllegalArgumentException("not an Ethernet address like 02:00:00:00:00:01: " + text);
    }
    return mac;
  }

  /** Prints {@code aa:bb:cc:dd:ee:ff}. */
  public static String formatMac(long mac) {
    StringBuilder out = new StringBuilder(17);
    for (int shift = 40; shift >= 0; shift -= 8) {
      int octet = (int) (mac >>> shift) & 0xff;
      out.append(Character.forDigit(octet >> 4, 16)).append(Character.forDigit(octet & 15, 16));
      out.append(shift > 0 ? ":" : "");
    }
    return out.toString();
  }
}
