package io.xmig.testbed.perf;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The head of every datagram, big-endian. The rest of a datagram means nothing, but in a report.
 *
 * <pre>
 *  0      4         5      6        8         16         24                 32
 *  | XPRF | version | kind | zeroes | session | sequence | sent, ns of the sender |
 * </pre>
 *
 * @param session chosen at random by the client
 * @param sequence counts from 0
 * @param sentNs the sender's clock; comes back in an echo
 */
record PerfDatagram(Kind kind, long session, long sequence, long sentNs) {
  static final int LENGTH = 32;

  /** Counts behind the head of a report: received, bytes, reordered, duplicates, jitter, time. */
  static final int REPORT_LENGTH = LENGTH + 6 * Long.BYTES;

  /** What a datagram is. */
  enum Kind {
    /** One of many that are counted. */
    DATA,
    /** No more will come; answered by a report that is not longer than the question. */
    END,
    /** What the server has counted. */
    REPORT,
    /** To be sent back. */
    ECHO,
    /** Sent back. */
    ECHOED
  }

  void write(ByteBuffer out) {
    out.putInt(PerfHello.MAGIC).put((byte) PerfHello.VERSION).put((byte) kind.ordinal());
    out.putShort((short) 0).putLong(session).putLong(sequence).putLong(sentNs);
  }

  /** Reads the head; {@code null} if it is none. */
  static @Nullable PerfDatagram read(ByteBuffer in) {
    if (in.remaining() < LENGTH
        || in.getInt() != PerfHello.MAGIC
        || in.get() != PerfHello.VERSION) {
      return null;
    }
    int kind = in.get();
    if (kind < 0 || kind >= Kind.values().length) {
      return null;
    }
    in.getShort();
    return new PerfDatagram(Kind.values()[kind], in.getLong(), in.getLong(), in.getLong());
  }
}
