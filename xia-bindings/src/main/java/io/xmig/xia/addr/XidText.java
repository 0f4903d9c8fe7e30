package io.xmig.xia.addr;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The text form of an XID. */
final class XidText {
  private static final int DIGITS = 2 * Xid.ID_LENGTH;

  private XidText() {}

  /** Reads exactly {@code TYPE:} and 40 digits, or {@code IP:a.b.c.d}, from a part of a text. */
  static Xid parse(String text, int start, int length) {
    int end = start + length;
    int colon = text.indexOf(':', start);
    if (colon < 0 || colon >= end) {
      throw new DagParseException("expected TYPE:identifier", text, start);
    }
    XidType type = XidType.ofName(text.substring(start, colon));
    if (type == null) {
      throw new DagParseException("unknown principal type (AD, HID, CID, SID, IP)", text, start);
    }
    if (type == XidType.IP && text.substring(colon, end).indexOf('.') >= 0) {
      return Xid.ofIpv4(parseIpv4(text, colon + 1, end));
    }
    byte[] id = new byte[Xid.ID_LENGTH];
    int digits = readDigits(text, colon + 1, end, id);
    if (digits != DIGITS || end - colon - 1 != DIGITS) {
      throw new DagParseException(
          "expected 40 hexadecimal digits, found " + (end - colon - 1),
          text,
          colon + 1 + Math.min(digits, DIGITS));
    }
    return Xid.of(type, id);
  }

  /**
   * Reads an XID as leniently as Click: a short identifier is filled up with zeros on the right, a
   * long one is cut, and the type may be a decimal number, whose bytes then stand in reverse order.
   */
  static Xid parseLenient(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new DagParseException("expected TYPE:identifier", text, 0);
    }
    XidType type = XidType.ofName(text.substring(0, colon));
    Integer code = type == null ? numericType(text.substring(0, colon)) : (Integer) type.code();
    if (code == null) {
      throw new DagParseException("unknown principal type (AD, HID, CID, SID, IP)", text, 0);
    }
    if (type == XidType.IP && text.indexOf('.', colon) >= 0) {
      return Xid.ofIpv4(parseIpv4(text, colon + 1, text.length()));
    }
    byte[] id = new byte[Xid.ID_LENGTH];
    readDigits(text, colon + 1, text.length(), id);
    ByteBuffer b = ByteBuffer.wrap(id);
    return Xid.of(code, b.getLong(0), b.getLong(8), b.getInt(16));
  }

  private static @Nullable Integer numericType(String digits) {
    long value = 0;
    for (int i = 0; i < digits.length(); i++) {
      char c = digits.charAt(i);
      value = value * 10 + (c - '0');
      if (c < '0' || c > '9' || value > 0xffffffffL) {
        return null;
      }
    }
    return digits.isEmpty() ? null : (Integer) Integer.reverseBytes((int) value);
  }

  /** Fills {@code id} from hexadecimal digits, ignores those that do not fit, and counts all. */
  private static int readDigits(String text, int start, int end, byte[] id) {
    int count = 0;
    for (int i = start; i < end; i++, count++) {
      int value = nibble(text.charAt(i));
      if (value < 0) {
        throw new DagParseException("not a hexadecimal digit", text, i);
      }
      if (count < DIGITS) {
        id[count >> 1] |= (byte) ((count & 1) == 0 ? value << 4 : value);
      }
    }
    return count;
  }

  /** ASCII only: {@link Character#digit} would take digits of other scripts too. */
  private static int nibble(char c) {
    if (c >= '0' && c <= '9') {
      return c - '0';
    }
    int letter = c | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
  }

  private static int parseIpv4(String text, int start, int end) {
    int address = 0;
    int at = start;
    for (int part = 0; part < 4; part++) {
      if (part > 0) {
        if (at >= end || text.charAt(at) != '.') {
          throw new DagParseException("not an IPv4 address a.b.c.d", text, at);
        }
        at++;
      }
      int first = at;
      int value = 0;
      while (at < end && at - first < 3 && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
        value = value * 10 + text.charAt(at++) - '0';
      }
      if (at == first || value > 255) {
        throw new DagParseException("not an IPv4 address a.b.c.d", text, first);
      }
      address = address << 8 | value;
    }
    if (at != end) {
      throw new DagParseException("not an IPv4 address a.b.c.d", text, at);
    }
    return address;
  }
}
