package io.xmig.testbed.perf;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The first bytes of every connection: what the client wants.
 *
 * <pre>
 *  0      4         5      6        8               12               16              24        32
 *  | XPRF | version | kind | zeroes | message bytes | response bytes | duration, ns  | zeroes  |
 * </pre>
 *
 * All integers are big-endian. After it come messages of the length given, whose first byte is 1 in
 * the last one of a direction and 0 before, so that the end is seen also on stacks that do not tell
 * of a close.
 *
 * @param test {@link PerfTest#STREAM}, {@link PerfTest#REVERSE} or {@link PerfTest#RR}
 * @param messageBytes length of a message, of a request in RR
 * @param responseBytes length of a response in RR
 * @param durationNs how long the server sends in REVERSE
 */
record PerfHello(PerfTest test, int messageBytes, int responseBytes, long durationNs) {
  static final int LENGTH = 32;
  static final int MAGIC = 0x58505246;
  static final int VERSION = 1;
  static final int MIN_MESSAGE_BYTES = 16;
  static final int MAX_MESSAGE_BYTES = 4 << 20;
  static final long MAX_DURATION_NS = 3_600_000_000_000L;

  void write(ByteBuffer out) {
    out.putInt(MAGIC).put((byte) VERSION).put((byte) test.ordinal()).putShort((short) 0);
    out.putInt(messageBytes).putInt(responseBytes).putLong(durationNs).putLong(0);
  }

  /** Reads {@value #LENGTH} bytes; {@code null} if they are not a hello with allowed values. */
  static @Nullable PerfHello read(ByteBuffer in) {
    int magic = in.getInt();
    int version = in.get();
    int kind = in.get();
    in.getShort();
    int message = in.getInt();
    int response = in.getInt();
    long duration = in.getLong();
    in.getLong();
    if (magic != MAGIC
        || version != VERSION
        || kind < 0
        || kind >= PerfTest.values().length
        || !PerfTest.values()[kind].onStream()
        || outside(message)
        || outside(response)
        || duration < 0
        || duration > MAX_DURATION_NS) {
      return null;
    }
    return new PerfHello(PerfTest.values()[kind], message, response, duration);
  }

  private static boolean outside(int length) {
    return length < MIN_MESSAGE_BYTES || length > MAX_MESSAGE_BYTES;
  }
}
