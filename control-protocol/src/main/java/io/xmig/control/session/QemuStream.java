package io.xmig.control.session;

import io.xmig.chunk.order.StreamGuard;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Watches a migration stream of QEMU go by and knows two things of it: which bytes must not reach
 * the destination before everything has been verified, and whether the stream is complete.
 *
 * <pre>
 *   "QEVM" 00000003  sections …  7e ssssssss | 00 [ 06 llllllll {…JSON…} ]
 *                    footer of the last one    |    description of the devices, often left out
 *                                              VM_EOF: the byte that starts the guest
 * </pre>
 *
 * <p>Sections are not parsed. Bytes are held back
 *
 * <ul>
 *   <li>always the last {@value #ALWAYS_HELD}, so that a VM_EOF at the very end is among them;
 *   <li>from any place that reads {@code 00 06 length '{'} as far as that description would reach:
 *       if more than that follows, it was page content and is let go.
 * </ul>
 *
 * <p>So no VM_EOF passes, wherever it is, and what merely looks like one delays a few bytes.
 *
 * <p>The stream is complete if it ends in {@code 7e} + section number + {@code 00}, or if such a
 * description ends exactly where the stream does. A stream that does not begin with {@code QEVM} is
 * not QEMU's: then the last bytes are held back in the same way and any end is an end, except that
 * nothing at all is not a stream.
 *
 * @threading one lane, in stream order
 * @source docs/testbed.md, the migration stream; QEMU 7.2 migration/savevm.c
 */
public final class QemuStream implements StreamGuard {
  /** Bytes at the end of what has come that are never released. */
  public static final int ALWAYS_HELD = 16;

  /** A description longer than this is not believed. */
  static final int MAX_DESCRIPTION = 8 << 20;

  private static final int MAGIC = 0x5145564d; // QEVM
  private static final int SECTION_FOOTER = 0x7e;
  private static final int DESCRIPTION = 0x06;
  private static final int MAX_SUSPECTS = 8;
  private static final int HEAD = 7; // 00 06 length '{'
  private static final int MAX_SECTION_ID = 1 << 16;
  private static final long LOW_BITS = 0x0101010101010101L;
  private static final long HIGH_BITS = 0x8080808080808080L;
  private static final long SIXES = 0x0606060606060606L;
  private static final long FIRST_BYTE = 0x80L;

  private final boolean forcedRaw;
  private final byte[] recent = new byte[ALWAYS_HELD]; // the last bytes, right-aligned
  private final byte[] seam = new byte[2 * ALWAYS_HELD];
  private int firstWord;
  private long length;
  private long incoming; // length with the bytes being fed
  private final long[] suspectAt = new long[MAX_SUSPECTS]; // where a description may begin (its 00)
  private final long[] suspectEnd = new long[MAX_SUSPECTS];
  private int suspects;

  /**
   * @param raw whether the user says that these are arbitrary bytes
   */
  public QemuStream(boolean raw) {
    this.forcedRaw = raw;
  }

  @Override
  public void feed(ByteBuffer data) {
    ByteBuffer bytes = data.duplicate().order(ByteOrder.BIG_ENDIAN);
    int count = bytes.remaining();
    if (count == 0) {
      return;
    }
    incoming = length + count;
    rememberFirst(bytes);
    if (!isRaw() || length < 4) {
      scan(bytes);
    }
    length = incoming;
    remember(bytes);
    clearOutrun();
  }

  /** Forgets places after which more has come than a description would have left room for. */
  private void clearOutrun() {
    int kept = 0;
    for (int i = 0; i < suspects; i++) {
      if (length <= suspectEnd[i]) {
        suspectAt[kept] = suspectAt[i];
        suspectEnd[kept++] = suspectEnd[i];
      }
    }
    suspects = kept;
  }

  private void rememberFirst(ByteBuffer bytes) {
    for (int i = 0; length + i < 4 && i < bytes.remaining(); i++) {
      firstWord = firstWord << 8 | Byte.toUnsignedInt(bytes.get(bytes.position() + i));
    }
  }

  /** Looks for a description that begins in these bytes or in the last ones before them. */
  private void scan(ByteBuffer bytes) {
    int count = bytes.remaining();
    int from = bytes.position();
    // Beginnings that straddle the seam: the last HEAD - 1 bytes before, with the first ones now.
    int before = (int) Math.min(HEAD - 1, length);
    int after = Math.min(HEAD - 1, count);
    System.arraycopy(recent, ALWAYS_HELD - before, seam, 0, before);
    bytes.get(from, seam, before, after);
    ByteBuffer joint = ByteBuffer.wrap(seam, 0, before + after);
    for (int i = 0; i + HEAD <= before + after && i < before; i++) {
      suspect(joint, i, length - before + i);
    }
    searchInside(bytes);
  }

  /**
   * Beginnings inside: words with a 06 behind a 00, eight bytes at a time. This loop reads every
   * byte of a migration.
   */
  private void searchInside(ByteBuffer bytes) {
    int from = bytes.position();
    int end = bytes.limit();
    ByteBuffer words = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    int at = from;
    for (; at + 8 <= end; at += 8) {
      long word = words.getLong(at);
      long different = word ^ SIXES;
      long sixes = (different - LOW_BITS) & ~different & HIGH_BITS;
      if (sixes != 0) {
        long zeroes = (word - LOW_BITS) & ~word & HIGH_BITS;
        // the byte before the first of a word is not in it
        if ((sixes & (zeroes << 8 | FIRST_BYTE)) != 0) {
          searchWord(bytes, at, from, end);
        }
      }
    }
    for (; at < end; at++) {
      suspectBefore(bytes, at, from, end);
    }
  }

  private void searchWord(ByteBuffer bytes, int at, int from, int end) {
    for (int i = at; i < at + 8; i++) {
      suspectBefore(bytes, i, from, end);
    }
  }

  private void suspectBefore(ByteBuffer bytes, int six, int from, int end) {
    if (bytes.get(six) == DESCRIPTION && six > from && six - 1 + HEAD <= end) {
      suspect(bytes, six - 1, length + (six - 1 - from));
    }
  }

  private void suspect(ByteBuffer bytes, int at, long position) {
    if (bytes.get(at) != 0 || bytes.get(at + 1) != DESCRIPTION || bytes.get(at + 6) != '{') {
      return;
    }
    int described = bytes.getInt(at + 2);
    if (described < 2 || described > MAX_DESCRIPTION) {
      return;
    }
    long end = position + 6 + described;
    if (end < incoming) {
      return; // outrun already
    }
    if (suspects == MAX_SUSPECTS) {
      // Beyond all likelihood: hold from the last of them as far as either reaches.
      suspectEnd[MAX_SUSPECTS - 1] = Math.max(suspectEnd[MAX_SUSPECTS - 1], end);
      return;
    }
    suspectAt[suspects] = position;
    suspectEnd[suspects++] = end;
  }

  private void remember(ByteBuffer bytes) {
    int count = bytes.remaining();
    int end = bytes.limit();
    if (count >= ALWAYS_HELD) {
      bytes.get(end - ALWAYS_HELD, recent, 0, ALWAYS_HELD);
    } else {
      System.arraycopy(recent, count, recent, 0, ALWAYS_HELD - count);
      bytes.get(bytes.position(), recent, ALWAYS_HELD - count, count);
    }
  }

  @Override
  public long releasableBytes() {
    long all = Math.max(0, length - ALWAYS_HELD);
    return suspects == 0 ? all : Math.min(all, suspectAt[0]); // they stand in stream order
  }

  /** Bytes seen. */
  public long length() {
    return length;
  }

  /** Whether these are arbitrary bytes: the user says so, or it does not begin as QEMU's do. */
  public boolean isRaw() {
    return forcedRaw || (length >= 4 && firstWord != MAGIC);
  }

  @Override
  public boolean isComplete() {
    if (forcedRaw) {
      return true;
    }
    if (length < 4) { // nothing at all, or less than the magic, is what a QEMU leaves that failed
      return firstWord != MAGIC >>> (32 - 8 * (int) length) && length > 0;
    }
    if (firstWord != MAGIC) {
      return true;
    }
    for (int i = 0; i < suspects; i++) {
      if (length == suspectEnd[i] && recent[ALWAYS_HELD - 1] == '}') {
        return true;
      }
    }
    ByteBuffer last = ByteBuffer.wrap(recent);
    int sectionId = last.getInt(ALWAYS_HELD - 5);
    return length > ALWAYS_HELD
        && recent[ALWAYS_HELD - 1] == 0
        && recent[ALWAYS_HELD - 6] == SECTION_FOOTER
        && sectionId >= 0
        && sectionId < MAX_SECTION_ID;
  }

  /** How the stream ends, for messages. */
  public String describeEnd() {
    return isRaw()
        ? "arbitrary bytes, " + length + " in all"
        : isComplete()
            ? "complete QEMU stream of " + length + " bytes"
            : "QEMU stream cut off after " + length + " bytes";
  }
}
