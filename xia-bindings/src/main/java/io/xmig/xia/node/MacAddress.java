package io.xmig.xia.node;

import java.nio.ByteBuffer;
import java.util.Locale;

/** Ethernet addresses as the low 48 bits of a long, so that none is ever allocated. */
public final class MacAddress {
  /** The address of all stations. */
  public static final long BROADCAST = 0xffff_ffff_ffffL;

  private static final long MULTICAST_BIT = 0x0100_0000_0000L;

  private MacAddress() {}

  /** Reads the six bytes at {@code offset} of a big-endian buffer. */
  public static long read(ByteBuffer buffer, int offset) {
    return (buffer.getShort(offset) & 0xffffL) << 32 | (buffer.getInt(offset + 2) & 0xffffffffL);
  }

  /** Writes six bytes at {@code offset} of a big-endian buffer. */
  public static void write(ByteBuffer buffer, int offset, long mac) {
    buffer.putShort(offset, (short) (mac >>> 32));
    buffer.putInt(offset + 2, (int) mac);
  }

  /** Whether the address means more than one station. */
  public static boolean isMulticast(long mac) {
    return (mac & MULTICAST_BIT) != 0;
  }

  /**
   * Parses {@code 02:00:00:00:00:10}; {@code -} may stand for {@code :}.
   *
   * @throws IllegalArgumentException when the text is anything else
   */
  public static long parse(String text) {
    String[] parts = text.split("[:-]", -1);
    long mac = 0;
    for (String part : parts) {
      if (parts.length != 6 || part.isEmpty() || part.length() > 2 || !isHex(part)) {
        throw new IllegalArgumentException(
            "'" + text + "' is not an Ethernet address, expected six hexadecimal bytes with ':'");
      }
      mac = mac << 8 | Integer.parseInt(part, 16);
    }
    return mac;
  }

  private static boolean isHex(String part) {
    return part.chars().allMatch(c -> Character.digit(c, 16) >= 0);
  }

  /** Six hexadecimal bytes with colons. */
  public static String text(long mac) {
    return String.format(
        Locale.ROOT,
        "%02x:%02x:%02x:%02x:%02x:%02x",
        mac >> 40 & 0xff,
        mac >> 32 & 0xff,
        mac >> 24 & 0xff,
        mac >> 16 & 0xff,
        mac >> 8 & 0xff,
        mac & 0xff);
  }
}
