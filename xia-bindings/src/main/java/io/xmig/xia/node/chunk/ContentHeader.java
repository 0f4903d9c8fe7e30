package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.wire.ContentFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;

/**
 * The content header with this transport's extension entries, which a v1.1 node skips.
 *
 * <pre>
 *  request    key 0x40: serial u32, offset u32, length u32, largest packet u16, flags u8;
 *             behind the header v1.1's payload; towards a host that has answered such requests
 *             the serial stands in place of its bytes 4 to 7
 *  answer     key 0x41: serial u32, flags u8
 *  refusal    key 0x41 and key 0x42: reason u8, 20 bytes of the CID
 * </pre>
 *
 * An answer leaves out the entries of a v1.1 response that nobody reads: OFFSET (0 when missing, as
 * it always is), CONTEXT_ID, TTL, CACHE_SIZE and CACHE_POLICY. Reads and writes without allocation.
 *
 * @source docs/wire.md section 6; the extensions: docs/chunk.md section 2
 */
final class ContentHeader {
  /** Next-header number of content packets. */
  static final int NEXT_HEADER = XipFlyweight.NEXT_CONTENT;

  /** Bytes of a request's header with extension. */
  static final int REQUEST_LENGTH = 32;

  /** Bytes of an answer's header. */
  static final int ANSWER_LENGTH = 28;

  /** Bytes of a refusal's header. */
  static final int REFUSAL_LENGTH = 36;

  /** Request flag: the source of the answer may be the bare CID. */
  static final int FLAG_COMPACT = 1;

  /** Refusal reason: the chunk is not here. */
  static final int REASON_NOT_FOUND = 1;

  /** The first bytes of v1.1's payload of requests, and those that a serial takes the place of. */
  private static final int QUOTE_MARK = 0x4368756e;

  private static final int NO_SERIAL = 0x6b207265;

  private static final int KEY_REQUEST = 0x40;
  private static final int KEY_ANSWER = 0x41;
  private static final int KEY_REFUSAL = 0x42;
  private static final int REQUEST_VALUE = 15;
  private static final int ANSWER_VALUE = 5;
  private static final int REFUSAL_VALUE = 1 + Xid.ID_LENGTH;

  // The entries of v1.1 that an answer has, docs/wire.md section 6
  private static final int KEY_OPCODE = 0;
  private static final int KEY_CHUNK_OFFSET = 2;
  private static final int KEY_LENGTH = 3;
  private static final int KEY_CHUNK_LENGTH = 4;

  private final ContentFlyweight view = new ContentFlyweight();
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
    if (!view.tryWrap(in, offset, end)) {
      return false;
    }
    headerLength = view.headerLength();
    opcode = view.opcode();
    chunkOffset = view.chunkOffset();
    length = view.length();
    chunkLength = view.chunkLength();
    isRangeRequest = false;
    isAnswer = false;
    isRefusal = false;
    if (chunkOffset < 0 || chunkLength < 0) {
      return false; // beyond 2 GiB: no chunk of ours
    }
    return view.extensionSet() == 0 || readExtensions(in);
  }

  private boolean readExtensions(ByteBuffer in) {
    isRangeRequest = view.hasExtension(KEY_REQUEST);
    isAnswer = view.hasExtension(KEY_ANSWER);
    isRefusal = view.hasExtension(KEY_REFUSAL);
    if (isRangeRequest) {
      if (view.extensionLength(KEY_REQUEST) < REQUEST_VALUE) {
        return false;
      }
      int at = view.extensionOffset(KEY_REQUEST);
      serial = int32(in, at);
      rangeOffset = int32(in, at + 4);
      rangeLength = int32(in, at + 8);
      maxPacketBytes = Short.toUnsignedInt(Short.reverseBytes(in.getShort(at + 12)));
      flags = in.get(at + 14);
      return rangeOffset >= 0 && rangeLength >= 0;
    }
    if (isAnswer) {
      if (view.extensionLength(KEY_ANSWER) < ANSWER_VALUE) {
        return false;
      }
      int at = view.extensionOffset(KEY_ANSWER);
      serial = int32(in, at);
      flags = in.get(at + 4);
    }
    if (isRefusal) {
      if (view.extensionLength(KEY_REFUSAL) < REFUSAL_VALUE) {
        return false;
      }
      int at = view.extensionOffset(KEY_REFUSAL);
      reason = in.get(at);
      refusedCidOffset = at + 1;
    }
    return true;
  }

  /**
   * Writes a v1.1 request with its payload at the buffer's position and moves it.
   *
   * @return bytes written
   */
  static int putPlainRequest(ByteBuffer out) {
    int at = out.position();
    int header = ContentFlyweight.writeRequest(out, at);
    int all = header + ContentFlyweight.writeRequestPayload(out, at + header);
    out.position(at + all);
    return all;
  }

  /**
   * Writes a request with extension. Nobody reads v1.1's payload, but errors quote its first eight
   * bytes and nothing of the header.
   *
   * @param toExtended whether the serial may stand there once more: the other end is known not to
   *     be of release 1.1, whose payload is what it is
   * @return bytes written
   */
  int putRequest(
      ByteBuffer out,
      int newSerial,
      int offset,
      int bytes,
      int maxPacket,
      int newFlags,
      boolean toExtended) {
    int at = out.position();
    view.beginRequest(out, at, 0, 0);
    int value = view.openEntry(KEY_REQUEST, REQUEST_VALUE);
    out.putInt(value, Integer.reverseBytes(newSerial));
    out.putInt(value + 4, Integer.reverseBytes(offset));
    out.putInt(value + 8, Integer.reverseBytes(bytes));
    out.putShort(value + 12, Short.reverseBytes((short) maxPacket));
    out.put(value + 14, (byte) newFlags);
    int header = view.finish();
    int all = header + ContentFlyweight.writeRequestPayload(out, at + header);
    if (toExtended) {
      out.putInt(at + header + 4, Integer.reverseBytes(newSerial));
    }
    out.position(at + all);
    return all;
  }

  /** Whether these eight bytes, quoted by an error, have a serial in them. */
  static boolean quotesSerial(long quoted) {
    return (int) (quoted >>> 32) == QUOTE_MARK && (int) quoted != NO_SERIAL;
  }

  /** The serial of the request they are of. */
  static int quotedSerial(long quoted) {
    return Integer.reverseBytes((int) quoted);
  }

  /** Writes the header of a v1.1 response. */
  static void putPlainResponse(ByteBuffer out, int chunkOffset, int length, int chunkLength) {
    int at = out.position();
    out.position(at + ContentFlyweight.writeResponse(out, at, chunkOffset, length, chunkLength));
  }

  /** Writes the header of one segment of an answer: {@link #ANSWER_LENGTH} bytes. */
  static void putAnswer(
      ByteBuffer out, int chunkOffset, int length, int chunkLength, int serial, int flags) {
    out.put((byte) XipFlyweight.NEXT_NONE).put((byte) ANSWER_LENGTH);
    out.put((byte) 2).put((byte) KEY_OPCODE).put((byte) ContentFlyweight.RESPONSE);
    out.put((byte) 5).put((byte) KEY_CHUNK_OFFSET).putInt(Integer.reverseBytes(chunkOffset));
    out.put((byte) 3).put((byte) KEY_LENGTH).putShort(Short.reverseBytes((short) length));
    out.put((byte) 5).put((byte) KEY_CHUNK_LENGTH).putInt(Integer.reverseBytes(chunkLength));
    out.put((byte) (1 + ANSWER_VALUE)).put((byte) KEY_ANSWER).putInt(Integer.reverseBytes(serial));
    out.put((byte) flags);
  }

  /** Writes a refusal: {@link #REFUSAL_LENGTH} bytes. */
  static void putRefusal(ByteBuffer out, int serial, int reason, byte[] cidId) {
    out.put((byte) XipFlyweight.NEXT_NONE).put((byte) REFUSAL_LENGTH);
    out.put((byte) 2).put((byte) KEY_OPCODE).put((byte) ContentFlyweight.RESPONSE);
    out.put((byte) (1 + ANSWER_VALUE)).put((byte) KEY_ANSWER).putInt(Integer.reverseBytes(serial));
    out.put((byte) 0);
    out.put((byte) (1 + REFUSAL_VALUE)).put((byte) KEY_REFUSAL).put((byte) reason).put(cidId);
    out.put((byte) 0); // to a multiple of four
  }

  private static int int32(ByteBuffer in, int at) {
    return Integer.reverseBytes(in.getInt(at));
  }
}
