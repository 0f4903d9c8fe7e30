package io.xmig.xia.wire;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * A view over a type-length-value extension header, read in one pass by {@link #tryWrap} whatever
 * the order of its entries.
 *
 * <pre>
 *  0     1      2
 *  | nxt | hlen | entries … | zero bytes up to hlen (a multiple of 4, at most 252) |
 *
 *  entry: | len = 1 + value length | key | value, little-endian |      len = 0 ends the list
 * </pre>
 *
 * <p>Keys {@value #FIRST_EXTENSION} to {@value #LAST_EXTENSION} are this project's extensions: a
 * v1.1 peer skips them. docs/wire.md lists them. Other unknown keys are skipped.
 *
 * @threading one thread
 * @source XIA prototype v1.1, docs/wire.md section 5
 */
public abstract sealed class TlvFlyweight permits TransportFlyweight, ContentFlyweight {
  /** First key of extension entries. */
  public static final int FIRST_EXTENSION = 0x40;

  /** Last key of extension entries. */
  public static final int LAST_EXTENSION = 0x7f;

  /** Longest header. */
  public static final int MAX_LENGTH = 252;

  private static final int ENTRIES_OFFSET = 2;
  private static final int ENTRY_HEADER = 2;

  private ByteBuffer buffer = ByteBuffer.allocate(0);
  private int base;
  private int length;
  private long extensions; // bit n: key FIRST_EXTENSION + n is present
  private final int[] extensionAt = new int[LAST_EXTENSION - FIRST_EXTENSION + 1];
  private int writeAt;

  TlvFlyweight() {}

  /** Name in messages. */
  abstract String name();

  /** Sets the fields of all known keys to 0, the value of a missing one. */
  abstract void clear();

  /** Size of the value of a known key, 0 for an unknown one. */
  abstract int sizeOf(int key);

  /** Takes the value of a known key, zero-extended. */
  abstract void take(int key, int value);

  /**
   * Aims this view at a header and reads its entries; position and limit stay.
   *
   * @param buffer big-endian
   * @param end end of the bytes that may belong to the header, exclusive
   * @return whether there is a sound header; if not, the fields are meaningless
   */
  public final boolean tryWrap(ByteBuffer buffer, int offset, int end) {
    return read(buffer, offset, end) == null;
  }

  private @Nullable String read(ByteBuffer buffer, int offset, int end) {
    if (buffer.order() != ByteOrder.BIG_ENDIAN) {
      throw new IllegalArgumentException("a packet buffer is big-endian");
    }
    clear();
    extensions = 0;
    if (offset < 0 || end > buffer.limit() || end - offset < ENTRIES_OFFSET) {
      return "truncated";
    }
    int hlen = Byte.toUnsignedInt(buffer.get(offset + 1));
    if (hlen < 4 || (hlen & 3) != 0) {
      return "of a length that is not a multiple of 4";
    }
    if (hlen > end - offset) {
      return "truncated in its entries";
    }
    this.buffer = buffer;
    this.base = offset;
    this.length = hlen;
    int stop = offset + hlen;
    int at = offset + ENTRIES_OFFSET;
    while (at < stop) {
      int len = Byte.toUnsignedInt(buffer.get(at));
      if (len == 0) {
        break;
      }
      if (at + 1 + len > stop) {
        return "with an entry that leads out of it";
      }
      int key = Byte.toUnsignedInt(buffer.get(at + 1));
      if (key >= FIRST_EXTENSION) {
        if (key <= LAST_EXTENSION) {
          extensions |= 1L << (key - FIRST_EXTENSION);
          extensionAt[key - FIRST_EXTENSION] = at;
        }
      } else {
        int size = sizeOf(key);
        if (size != 0) {
          if (size != len - 1) {
            return "with a value of the wrong size";
          }
          take(key, littleEndian(buffer, at + ENTRY_HEADER, size));
        }
      }
      at += 1 + len;
    }
    return null;
  }

  private static int littleEndian(ByteBuffer buffer, int at, int size) {
    return switch (size) {
      case 1 -> Byte.toUnsignedInt(buffer.get(at));
      case 2 -> Short.toUnsignedInt(Short.reverseBytes(buffer.getShort(at)));
      default -> Integer.reverseBytes(buffer.getInt(at));
    };
  }

  final void wrapOrThrow(ByteBuffer buffer, int offset, int end) {
    String defect = read(buffer, offset, end);
    if (defect != null) {
      throw new MalformedPacketException(name() + "-header " + defect, offset, end - offset);
    }
  }

  /** What follows this header. */
  public final int nextHeader() {
    return Byte.toUnsignedInt(buffer.get(base));
  }

  /** Length of this header. */
  public final int headerLength() {
    return length;
  }

  /** Offset in the buffer of the first byte after this header. */
  public final int dataOffset() {
    return base + length;
  }

  /** The set of extension entries: bit n stands for key {@code 0x40 + n}. */
  public final long extensionSet() {
    return extensions;
  }

  /** Whether an extension entry is there. */
  public final boolean hasExtension(int key) {
    return key >= FIRST_EXTENSION
        && key <= LAST_EXTENSION
        && (extensions & 1L << (key - FIRST_EXTENSION)) != 0;
  }

  /** Offset in the buffer of an extension's value, −1 if the entry is missing. */
  public final int extensionOffset(int key) {
    return hasExtension(key) ? extensionAt[key - FIRST_EXTENSION] + ENTRY_HEADER : -1;
  }

  /** Length of an extension's value, −1 if the entry is missing. */
  public final int extensionLength(int key) {
    return hasExtension(key)
        ? Byte.toUnsignedInt(buffer.get(extensionAt[key - FIRST_EXTENSION])) - 1
        : -1;
  }

  /**
   * An extension's value of 1 to 8 bytes as a little-endian number, zero-extended; {@code
   * otherwise} if the entry is missing or its value is of another size.
   */
  public final long extensionLong(int key, long otherwise) {
    int size = extensionLength(key);
    if (size < 1 || size > Long.BYTES) {
      return otherwise;
    }
    int at = extensionOffset(key);
    long value = 0;
    for (int i = size - 1; i >= 0; i--) {
      value = value << 8 | Byte.toUnsignedLong(buffer.get(at + i));
    }
    return value;
  }

  /** {@link #extensionLong} for values that fit an {@code int}; the low 32 bits. */
  public final int extensionInt(int key, int otherwise) {
    return (int) extensionLong(key, otherwise);
  }

  // Writing: begin… of the subclass lays down the known entries, extensions follow, finish closes.

  final void beginAt(ByteBuffer buffer, int offset, int firstFree) {
    this.buffer = buffer;
    this.base = offset;
    this.writeAt = firstFree;
    this.length = 0;
  }

  /** Appends an extension entry of one byte to the header begun. */
  public final void putByte(int key, int value) {
    buffer.put(openEntry(key, 1), (byte) value);
  }

  /** Appends an extension entry of two bytes, little-endian. */
  public final void putShort(int key, int value) {
    buffer.putShort(openEntry(key, 2), Short.reverseBytes((short) value));
  }

  /** Appends an extension entry of four bytes, little-endian. */
  public final void putInt(int key, int value) {
    buffer.putInt(openEntry(key, 4), Integer.reverseBytes(value));
  }

  /** Appends an extension entry of eight bytes, little-endian. */
  public final void putLong(int key, long value) {
    buffer.putLong(openEntry(key, 8), Long.reverseBytes(value));
  }

  /** Appends an extension entry with a copy of the given bytes. */
  public final void putBytes(int key, byte[] source, int from, int count) {
    buffer.put(openEntry(key, count), source, from, count);
  }

  /**
   * Appends an extension entry for the caller to fill.
   *
   * @return offset in the buffer of its {@code size} bytes
   * @throws IllegalArgumentException if the key is not an extension's, or the header would grow
   *     beyond {@link #MAX_LENGTH}
   */
  public final int openEntry(int key, int size) {
    if (key < FIRST_EXTENSION || key > LAST_EXTENSION) {
      throw new IllegalArgumentException("extension keys are 0x40 to 0x7f, not " + key);
    }
    if (size < 0 || writeAt + ENTRY_HEADER + size - base > MAX_LENGTH) {
      throw new IllegalArgumentException("no room for an entry of " + size + " bytes");
    }
    int at = writeAt;
    buffer.put(at, (byte) (1 + size));
    buffer.put(at + 1, (byte) key);
    writeAt = at + ENTRY_HEADER + size;
    return at + ENTRY_HEADER;
  }

  /**
   * Pads the header begun and sets its length.
   *
   * @return its length; data go to {@link #dataOffset()}
   */
  public final int finish() {
    while ((writeAt - base & 3) != 0) {
      buffer.put(writeAt++, (byte) 0);
    }
    length = writeAt - base;
    buffer.put(base + 1, (byte) length);
    return length;
  }
}
