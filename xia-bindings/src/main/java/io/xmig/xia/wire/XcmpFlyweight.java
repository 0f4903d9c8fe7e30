package io.xmig.xia.wire;

import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A view over an XCMP message (next header 61).
 *
 * <pre>
 *  0      1      2          4                 28                     52           52+h
 *  | type | code | checksum | XID (redirect)  | next hop (redirect)  | XIP header | 8 bytes |
 *  echo:                    | id | seq (LE16) | data …
 * </pre>
 *
 * <p>Errors quote the header of the packet they are about (h bytes) and the first eight bytes
 * behind it. In messages other than redirects the prototype leaves uninitialised memory between 4
 * and 52; here those bytes are zero.
 *
 * @threading one thread
 * @source XIA prototype v1.1, docs/wire.md section 7
 */
public final class XcmpFlyweight {
  /** Bytes of every message. */
  public static final int HEADER_LENGTH = 4;

  /** Bytes before an echo's data. */
  public static final int ECHO_HEADER_LENGTH = 8;

  /** Where errors and echo replies quote the header of the packet they are about. */
  public static final int QUOTE_OFFSET = 52;

  /** Bytes quoted behind the header. */
  public static final int QUOTED_PAYLOAD = 8;

  /** {@link #type()}. */
  public static final int ECHO_REPLY = 0;

  /** {@link #type()}. */
  public static final int UNREACHABLE = 3;

  /** {@link #type()}. */
  public static final int REDIRECT = 5;

  /** {@link #type()}. */
  public static final int ECHO_REQUEST = 8;

  /** {@link #type()}. */
  public static final int TIME_EXCEEDED = 11;

  /** The code of every unreachable, redirect and time exceeded message of the prototype. */
  public static final int CODE_ERROR = 1;

  private static final int CODE_OFFSET = 1;
  private static final int CHECKSUM_OFFSET = 2;
  private static final int ID_OFFSET = 4;
  private static final int SEQUENCE_OFFSET = 6;
  private static final int REDIRECT_XID_OFFSET = 4;
  private static final int REDIRECT_NEXT_HOP_OFFSET = 28;

  private ByteBuffer buffer = ByteBuffer.allocate(0);
  private int base;
  private int end;

  /**
   * Aims this view at a message; position and limit stay. The checksum is not looked at: the
   * prototype's peers do not verify it; see {@link #hasRightChecksum}.
   *
   * @param end end of the message, exclusive
   * @return whether all the fields of its type are there; if not, the view keeps its old aim
   */
  public boolean tryWrap(ByteBuffer buffer, int offset, int end) {
    if (isTruncated(buffer, offset, end)) {
      return false;
    }
    this.buffer = buffer;
    this.base = offset;
    this.end = end;
    return true;
  }

  /**
   * Like {@link #tryWrap}.
   *
   * @throws MalformedPacketException saying what is wrong
   */
  public XcmpFlyweight wrap(ByteBuffer buffer, int offset, int end) {
    if (!tryWrap(buffer, offset, end)) {
      throw new MalformedPacketException("xcmp truncated", offset, end - offset);
    }
    return this;
  }

  private static boolean isTruncated(ByteBuffer buffer, int offset, int end) {
    if (buffer.order() != ByteOrder.BIG_ENDIAN) {
      throw new IllegalArgumentException("a packet buffer is big-endian");
    }
    if (offset < 0 || end > buffer.limit() || end - offset < HEADER_LENGTH) {
      return true;
    }
    int needed =
        switch (Byte.toUnsignedInt(buffer.get(offset))) {
          case ECHO_REQUEST, ECHO_REPLY -> ECHO_HEADER_LENGTH;
          case UNREACHABLE, REDIRECT, TIME_EXCEEDED -> QUOTE_OFFSET + XipFlyweight.FIXED_LENGTH;
          default -> HEADER_LENGTH;
        };
    return end - offset < needed;
  }

  /** {@link #ECHO_REQUEST}, {@link #UNREACHABLE}, … */
  public int type() {
    return Byte.toUnsignedInt(buffer.get(base));
  }

  /** Meaning depends on the type. */
  public int code() {
    return Byte.toUnsignedInt(buffer.get(base + CODE_OFFSET));
  }

  /** Length of the message. */
  public int length() {
    return end - base;
  }

  /** Whether the checksum over the whole message is right. */
  public boolean hasRightChecksum() {
    return InternetChecksum.isRight(InternetChecksum.sum(buffer, base, end - base));
  }

  /** Identifier of an echo. */
  public int id() {
    return Short.toUnsignedInt(Short.reverseBytes(buffer.getShort(base + ID_OFFSET)));
  }

  /** Sequence number of an echo. */
  public int sequence() {
    return Short.toUnsignedInt(Short.reverseBytes(buffer.getShort(base + SEQUENCE_OFFSET)));
  }

  /** Offset in the buffer of an echo's data. */
  public int dataOffset() {
    return base + ECHO_HEADER_LENGTH;
  }

  /** The XID that should be reached differently; a new object. */
  public Xid redirectXid() {
    return Xid.read(buffer, base + REDIRECT_XID_OFFSET);
  }

  /** The next hop to use for it; a new object. */
  public Xid redirectNextHop() {
    return Xid.read(buffer, base + REDIRECT_NEXT_HOP_OFFSET);
  }

  /**
   * Aims another view at the quoted header of an error.
   *
   * @return false if it is not sound
   */
  public boolean quoted(XipFlyweight header) {
    return header.tryWrapQuoted(buffer, base + QUOTE_OFFSET, end);
  }

  /**
   * What an error quotes behind the packet's header, 0 if it is cut off.
   *
   * @param header aimed by {@link #quoted}
   */
  public long quotedPayload(XipFlyweight header) {
    int at = header.payloadOffset();
    return end - at < QUOTED_PAYLOAD ? 0 : buffer.getLong(at);
  }

  /**
   * Begins an echo request; the caller puts its data at {@code offset + 8} and then sets the
   * checksum with {@link #seal}.
   */
  public static void writeEchoRequest(ByteBuffer buffer, int offset, int id, int sequence) {
    buffer.putInt(offset, ECHO_REQUEST << 24);
    buffer.putShort(offset + ID_OFFSET, Short.reverseBytes((short) id));
    buffer.putShort(offset + SEQUENCE_OFFSET, Short.reverseBytes((short) sequence));
  }

  /** Computes and stores the checksum of a message of {@code length} bytes. */
  public static void seal(ByteBuffer buffer, int offset, int length) {
    buffer.putShort(offset + CHECKSUM_OFFSET, (short) 0);
    buffer.putShort(
        offset + CHECKSUM_OFFSET,
        (short) InternetChecksum.finish(InternetChecksum.sum(buffer, offset, length)));
  }

  /** Length of an error about a packet. */
  public static int errorLength(XipFlyweight about) {
    return QUOTE_OFFSET + about.headerLength() + QUOTED_PAYLOAD;
  }

  /**
   * Writes a whole unreachable or time exceeded message.
   *
   * @param about the packet it is about, in another buffer or another part of this one
   * @return its length
   */
  public static int writeError(ByteBuffer buffer, int offset, int type, XipFlyweight about) {
    for (int at = offset + HEADER_LENGTH; at < offset + QUOTE_OFFSET; at += 8) {
      buffer.putLong(at, 0);
    }
    return writeQuoting(buffer, offset, type, about);
  }

  /** Writes a whole redirect message and returns its length. */
  public static int writeRedirect(
      ByteBuffer buffer, int offset, Xid xid, Xid nextHop, XipFlyweight about) {
    xid.write(buffer, offset + REDIRECT_XID_OFFSET);
    nextHop.write(buffer, offset + REDIRECT_NEXT_HOP_OFFSET);
    return writeQuoting(buffer, offset, REDIRECT, about);
  }

  private static int writeQuoting(ByteBuffer buffer, int offset, int type, XipFlyweight about) {
    buffer.putInt(offset, type << 24 | CODE_ERROR << 16);
    quote(buffer, offset, about);
    int length = errorLength(about);
    seal(buffer, offset, length);
    return length;
  }

  /** Length of the reply to an echo request. */
  public static int echoReplyLength(XipFlyweight request) {
    return Math.max(errorLength(request), HEADER_LENGTH + request.payloadLength());
  }

  /**
   * Writes a whole echo reply as the prototype lays it out: the request, its bytes from 52 on
   * overwritten by the request's header and the first eight bytes of its message. Identifier and
   * sequence number survive.
   *
   * @param request an XIP packet with an echo request, in another buffer or another part of this
   * @return its length
   */
  public static int writeEchoReply(ByteBuffer buffer, int offset, XipFlyweight request) {
    int length = echoReplyLength(request);
    int copied = request.payloadLength();
    buffer.put(offset, request.buffer(), request.payloadOffset(), copied);
    for (int at = offset + copied; at < offset + length; at++) {
      buffer.put(at, (byte) 0);
    }
    quote(buffer, offset, request);
    buffer.putInt(offset, ECHO_REPLY << 24);
    seal(buffer, offset, length);
    return length;
  }

  private static void quote(ByteBuffer buffer, int offset, XipFlyweight about) {
    int header = about.headerLength();
    buffer.put(offset + QUOTE_OFFSET, about.buffer(), about.offset(), header);
    int from = about.payloadOffset();
    if (about.nextHeader() == XipFlyweight.NEXT_CONTENT && from + 1 < about.end()) {
      from += Byte.toUnsignedInt(about.buffer().get(from + 1)); // extension headers are skipped
    }
    int to = offset + QUOTE_OFFSET + header;
    for (int i = 0; i < QUOTED_PAYLOAD; i++) {
      buffer.put(to + i, from + i < about.end() ? about.buffer().get(from + i) : 0);
    }
  }
}
