package io.xmig.xia.wire;

import java.nio.ByteBuffer;

/**
 * The ones'-complement checksum of IPv4, UDP and XCMP.
 *
 * @source RFC 1071
 */
final class InternetChecksum {
  private InternetChecksum() {}

  /**
   * The sum of the 16-bit big-endian words of a range; an odd last byte counts as a high byte. Sums
   * can be added before {@link #finish}. Ranges up to 65,535 bytes.
   */
  static long sum(ByteBuffer buffer, int offset, int length) {
    long sum = 0;
    int at = offset;
    int wordsEnd = offset + (length & ~3);
    for (; at < wordsEnd; at += 4) {
      int word = buffer.getInt(at);
      sum += (word >>> 16) + (word & 0xffff);
    }
    if ((length & 2) != 0) {
      sum += Short.toUnsignedInt(buffer.getShort(at));
      at += 2;
    }
    return (length & 1) != 0 ? sum + (Byte.toUnsignedInt(buffer.get(at)) << 8) : sum;
  }

  /** The checksum to be stored for a sum over bytes whose checksum field is zero. */
  static int finish(long sum) {
    long folded = sum;
    while (folded > 0xffff) {
      folded = (folded >>> 16) + (folded & 0xffff);
    }
    return (int) ~folded & 0xffff;
  }

  /** Whether a sum over bytes that include their checksum is right. */
  static boolean isRight(long sum) {
    return finish(sum) == 0;
  }
}
