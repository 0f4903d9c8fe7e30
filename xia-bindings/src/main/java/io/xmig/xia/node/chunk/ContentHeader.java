package io.xmig.xia.node.chunk;

import java.nio.ByteBuffer;

/**
 * The content extension header with the extensions of this node, read in one pass and written
 * without allocation.
 *
 * <pre>
 *  0      1      2                                         hlen
 *  | nxt  | hlen | entries: len, key, value (LE) …  | 0 …  |
 *  |  59  | 4·n  | len = 1 + bytes of the value     |      |
 *
 *  request    key 0x40: serial u32, offset u32, length u32, largest packet u16, flags u8
 *  answer     key 0x41: serial u32, flags u8
 *  refusal    key 0x42: reason u8, 20 bytes of the CID
 * </pre>
 *
 * A v1.1 node skips keys that it does not know.
 *
 * @source XIA prototype v1.1, docs/wire.md section 6; keys from 0x40: docs/chunk.md section 2
 */
final class ContentHeader {
  /** Next-header number of content packets. */
  static final int NEXT_HEADER = 12;

  static final int OPCODE_REQUEST = 1;
  static final int OPCODE_RESPONSE = 2;

  /** Bytes of a request's header without extension. */
  static final int PLAIN_REQUEST_LENGTH = 16;

  /** Bytes of a response's header as v1.1 writes it. */
  static final int PLAIN_RESPONSE_LENGTH = 52;

  /** Bytes of a request's header with extension. */
  static final int REQUEST_LENGTH = 32;

  /** Bytes of an answer's header with only the keys that caches on the way need. */
  static final int COMPACT_RESPONSE_LENGTH = 28;

  /** Bytes of a refusal's header. */
  static final int REFUSAL_LENGTH = 36;

  /** What v1.1 puts behind a request's header. */
  private static final byte[] REQUEST_TEXT =
      "Chunk request\0".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

  static final int REQUEST_TEXT_LENGTH = REQUEST_TEXT.length;

  /** Request flag: the answer may leave out what only v1.1 needs. */
  static final int FLAG_COMPACT = 1;

  /** Refusal reason: the chunk is not here. */
  static final int REASON_NOT_FOUND = 1;

  private static final int KEY_OPCODE = 0;
  private static final int KEY_OFFSET = 1;
  private static final int KEY_CHUNK_OFFSET = 2;
  private static final int KEY_LENGTH = 3;
  private static final int KEY_CHUNK_LENGTH = 4;
  private static final int KEY_CONTEXT_ID = 5;
  private static final int KEY_TTL = 6;
  private static final int KEY_CACHE_SIZE = 7;
  private static final int KEY_CACHE_POLICY = 8;
  private static final int KEY_REQUEST = 0x40;
  private static final int KEY_ANSWER = 0x41;
  private static final int KEY_REFUSAL = 0x42;

  private static final int NEXT_NONE = 59;
  private static final int RESPONSE_TTL = 86_400;
  private static final int RESPONSE_CACHE_SIZE = 1024;

  int headerLength;
  int opcode;
  int chunkOffset;
  int length;
  int chunkLength;

  /** Whether key 0x40 is there; then the next five. */
  boolean isRangeRequest;

  int serial;
  int rangeOffset;
  int rangeLength;
  int maxPacketBytes;
  int flags;

  /** Whether key 0x41 is there; then {@link #serial} and {@link #flags}. */
  boolean isAnswer;

  /** Whether key 0x42 is there; then the reason and where the CID's 20 bytes are. */
  boolean isRefusal;

  int reason;
  int refusedCidOffset;

  /**
   * Reads the header at {@code offset} of a big-endian buffer.
   *
   * @return false when it is malformed; the fields are then undefined
   */
  boolean read(ByteBuffer in, int offset, int end) {
    opcode = 0;
    chunkOffset = 0;
    length = 0;
    chunkLength = 0;
    isRangeRequest = false;
    isAnswer = false;
    isRefusal = false;
    serial = 0;
    flags = 0;
    if (end - offset < 2) {
      return false;
    }
    headerLength = Byte.toUnsignedInt(in.get(offset + 1));
    if (headerLength < 4 || (headerLength & 3) != 0 || headerLength > end - offset) {
      return false;
    }
    int stop = offset + headerLength;
    int at = offset + 2;
    while (at < stop) {
      int size = Byte.toUnsignedInt(in.get(at));
      if (size == 0) {
        break; // padding
      }
      if (at + 1 + size > stop) {
        return false;
      }
      if (!entry(in, Byte.toUnsignedInt(in.get(at + 1)), at + 2, size - 1)) {
        return false;
      }
      at += 1 + size;
    }
    return chunkOffset >= 0 && chunkLength >= 0;
  }

  private boolean entry(ByteBuffer in, int key, int value, int size) {
    switch (key) {
      case KEY_OPCODE -> {
        if (size != 1) {
          return false;
        }
        opcode = in.get(value);
      }
      case KEY_CHUNK_OFFSET -> {
        if (size != 4) {
          return false;
        }
        chunkOffset = int32(in, value);
      }
      case KEY_LENGTH -> {
        if (size != 2) {
          return false;
        }
        length = int16(in, value);
      }
      case KEY_CHUNK_LENGTH -> {
        if (size != 4) {
          return false;
        }
        chunkLength = int32(in, value);
      }
      case KEY_REQUEST -> {
        if (size < 15) {
          return false;
        }
        isRangeRequest = true;
        serial = int32(in, value);
        rangeOffset = int32(in, value + 4);
        rangeLength = int32(in, value + 8);
        maxPacketBytes = int16(in, value + 12);
        flags = in.get(value + 14);
        return rangeOffset >= 0 && rangeLength >= 0;
      }
      case KEY_ANSWER -> {
        if (size < 5) {
          return false;
        }
        isAnswer = true;
        serial = int32(in, value);
        flags = in.get(value + 4);
      }
      case KEY_REFUSAL -> {
        if (size < 21) {
          return false;
        }
        isRefusal = true;
        reason = in.get(value);
        refusedCidOffset = value + 1;
      }
      default -> {
        // keys of v1.1 that nothing here depends on, and keys of later versions
      }
    }
    return true;
  }

  /** Writes a v1.1 request at the buffer's position and moves it: 30 bytes. */
  static void putPlainRequest(ByteBuffer out) {
    out.put((byte) NEXT_NONE).put((byte) PLAIN_REQUEST_LENGTH);
    putRequestKeys(out);
    out.put((byte) 0).put(REQUEST_TEXT);
  }

  /** Writes a request with extension: 46 bytes. */
  static void putRequest(
      ByteBuffer out, int serial, int offset, int length, int maxPacketBytes, int flags) {
    out.put((byte) NEXT_NONE).put((byte) REQUEST_LENGTH);
    putRequestKeys(out);
    out.put((byte) 16).put((byte) KEY_REQUEST);
    put32(out, serial);
    put32(out, offset);
    put32(out, length);
    put16(out, maxPacketBytes);
    out.put((byte) flags).put(REQUEST_TEXT);
  }

  private static void putRequestKeys(ByteBuffer out) {
    out.put((byte) 2).put((byte) KEY_OPCODE).put((byte) OPCODE_REQUEST);
    out.put((byte) 5).put((byte) KEY_CHUNK_OFFSET).putInt(0);
    out.put((byte) 3).put((byte) KEY_LENGTH).putShort((short) 0);
  }

  /** Writes the header of a v1.1 response: 52 bytes. */
  static void putPlainResponse(ByteBuffer out, int chunkOffset, int length, int chunkLength) {
    out.put((byte) NEXT_NONE).put((byte) PLAIN_RESPONSE_LENGTH);
    out.put((byte) 2).put((byte) KEY_OPCODE).put((byte) OPCODE_RESPONSE);
    out.put((byte) 3).put((byte) KEY_OFFSET).putShort((short) 0);
    putSegmentKeys(out, chunkOffset, length, chunkLength);
    out.put((byte) 5).put((byte) KEY_CONTEXT_ID).putInt(0);
    out.put((byte) 5).put((byte) KEY_TTL);
    put32(out, RESPONSE_TTL);
    out.put((byte) 5).put((byte) KEY_CACHE_SIZE);
    put32(out, RESPONSE_CACHE_SIZE);
    out.put((byte) 5).put((byte) KEY_CACHE_POLICY).putInt(0);
    out.put((byte) 0).putShort((short) 0);
  }

  /** Writes the header of one segment of an answer to a request with extension: 28 bytes. */
  static void putAnswer(
      ByteBuffer out, int chunkOffset, int length, int chunkLength, int serial, int flags) {
    out.put((byte) NEXT_NONE).put((byte) COMPACT_RESPONSE_LENGTH);
    out.put((byte) 2).put((byte) KEY_OPCODE).put((byte) OPCODE_RESPONSE);
    putSegmentKeys(out, chunkOffset, length, chunkLength);
    out.put((byte) 6).put((byte) KEY_ANSWER);
    put32(out, serial);
    out.put((byte) flags);
  }

  private static void putSegmentKeys(ByteBuffer out, int chunkOffset, int length, int chunkLength) {
    out.put((byte) 5).put((byte) KEY_CHUNK_OFFSET);
    put32(out, chunkOffset);
    out.put((byte) 3).put((byte) KEY_LENGTH);
    put16(out, length);
    out.put((byte) 5).put((byte) KEY_CHUNK_LENGTH);
    put32(out, chunkLength);
  }

  /** Writes a refusal: 36 bytes. {@code cid} is where a CID starts in {@code from}. */
  static void putRefusal(ByteBuffer out, int serial, int reason, byte[] cidId) {
    out.put((byte) NEXT_NONE).put((byte) REFUSAL_LENGTH);
    out.put((byte) 2).put((byte) KEY_OPCODE).put((byte) OPCODE_RESPONSE);
    out.put((byte) 6).put((byte) KEY_ANSWER);
    put32(out, serial);
    out.put((byte) 0);
    out.put((byte) 22).put((byte) KEY_REFUSAL).put((byte) reason).put(cidId);
    out.put((byte) 0);
  }

  private static int int32(ByteBuffer in, int at) {
    return Integer.reverseBytes(in.getInt(at));
  }

  private static int int16(ByteBuffer in, int at) {
    return Short.toUnsignedInt(Short.reverseBytes(in.getShort(at)));
  }

  private static void put32(ByteBuffer out, int value) {
    out.putInt(Integer.reverseBytes(value));
  }

  private static void put16(ByteBuffer out, int value) {
    out.putShort(Short.reverseBytes((short) value));
  }
}
