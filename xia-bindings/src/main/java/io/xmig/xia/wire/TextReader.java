package io.xmig.xia.wire;

import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Reads the fields of a daemon's message: little-endian numbers and terminated texts. */
final class TextReader {
  private final String message;
  private final ByteBuffer in;

  /** Reads from position to limit of {@code in}, which both stay. */
  TextReader(String message, ByteBuffer in, int maxBytes) {
    this.message = message;
    this.in = in.slice().order(ByteOrder.LITTLE_ENDIAN);
    if (in.remaining() > maxBytes) {
      throw bad("too long");
    }
  }

  MalformedPacketException bad(String what) {
    return new MalformedPacketException(message + " " + what, in.position(), in.remaining());
  }

  boolean hasRemaining() {
    return in.hasRemaining();
  }

  int readShort() {
    if (in.remaining() < Short.BYTES) {
      throw bad("truncated");
    }
    return in.getShort();
  }

  int readInt() {
    if (in.remaining() < Integer.BYTES) {
      throw bad("truncated");
    }
    return in.getInt();
  }

  /** The text up to the terminator, which is skipped. */
  String readText(byte terminator) {
    int start = in.position();
    int at = start;
    while (at < in.limit() && in.get(at) != terminator) {
      at++;
    }
    if (at == in.limit()) {
      throw bad("with a text that does not end");
    }
    String text = decode(in.slice(start, at - start));
    in.position(at + 1);
    return text;
  }

  private String decode(ByteBuffer bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw bad("with a text that is not UTF-8");
    }
  }

  Xid xid(String text, XidType type) {
    Xid xid;
    try {
      xid = Xid.parse(text);
    } catch (DagParseException e) {
      throw new MalformedPacketException(
          message + " with a bad XID", Map.of("cause", String.valueOf(e.getMessage())));
    }
    if (!xid.is(type)) {
      throw new MalformedPacketException(
          message + " with an XID of the wrong type", Map.of("expected", type, "found", xid));
    }
    return xid;
  }

  int number(String text, int max) {
    boolean digits = !text.isEmpty() && text.length() <= 9;
    for (int i = 0; i < text.length(); i++) {
      digits &= text.charAt(i) >= '0' && text.charAt(i) <= '9';
    }
    if (!digits || Integer.parseInt(text) > max) {
      throw bad("with a number that is none or too large");
    }
    return Integer.parseInt(text);
  }
}
