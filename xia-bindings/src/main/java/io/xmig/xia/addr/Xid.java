package io.xmig.xia.addr;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.commons.codec.binary.Hex;

/**
 * An XIA identifier: a principal type and 160 bits. Immutable, cheap to hash and to compare.
 *
 * <pre>
 *  0       4                                    24
 *  | type  | id (20 opaque bytes)               |   type big-endian on the wire
 * </pre>
 *
 * @source XIA prototype v1.1, docs/wire.md section 1
 */
public final class Xid implements Comparable<Xid> {
  /** Bytes of an XID on the wire. */
  public static final int LENGTH = 24;

  /** Bytes of the identifier without its type. */
  public static final int ID_LENGTH = 20;

  /** The broadcast host. */
  public static final Xid BHID = parse("HID:ffffffffffffffffffffffffffffffffffffffff");

  /** Service of the host configuration protocol (beacons). */
  public static final Xid SID_XHCP = parse("SID:1110000000000000000000000000000000001111");

  /** Service of the routing daemons; hosts register here. */
  public static final Xid SID_XROUTE = parse("SID:1110000000000000000000000000000000001112");

  /** The name service. */
  public static final Xid SID_NS = parse("SID:1110000000000000000000000000000000001113");

  /** The 4ID of 0.0.0.0. */
  public static final Xid NULL_4ID = ofIpv4(0);

  private final int typeCode;
  private final long high;
  private final long middle;
  private final int low;

  private Xid(int typeCode, long high, long middle, int low) {
    this.typeCode = typeCode;
    this.high = high;
    this.middle = middle;
    this.low = low;
  }

  /** An XID of a known type. {@code id} is copied; it must hold 20 bytes. */
  public static Xid of(XidType type, byte[] id) {
    if (id.length != ID_LENGTH) {
      throw new IllegalArgumentException("an XID has 20 identifier bytes, not " + id.length);
    }
    ByteBuffer b = ByteBuffer.wrap(id);
    return new Xid(type.code(), b.getLong(0), b.getLong(8), b.getInt(16));
  }

  /** An XID from its parts: the three words are the identifier bytes in big-endian order. */
  public static Xid of(int typeCode, long high, long middle, int low) {
    return new Xid(typeCode, high, middle, low);
  }

  /** Reads the 24 wire bytes at {@code offset}; position and limit stay. */
  public static Xid read(ByteBuffer buffer, int offset) {
    if (buffer.order() == ByteOrder.BIG_ENDIAN) {
      return new Xid(
          buffer.getInt(offset),
          buffer.getLong(offset + 4),
          buffer.getLong(offset + 12),
          buffer.getInt(offset + 20));
    }
    return read(buffer.duplicate().order(ByteOrder.BIG_ENDIAN), offset);
  }

  /** Writes the 24 wire bytes at {@code offset}; position and limit stay. */
  public void write(ByteBuffer buffer, int offset) {
    if (buffer.order() != ByteOrder.BIG_ENDIAN) {
      write(buffer.duplicate().order(ByteOrder.BIG_ENDIAN), offset);
      return;
    }
    buffer.putInt(offset, typeCode);
    buffer.putLong(offset + 4, high);
    buffer.putLong(offset + 12, middle);
    buffer.putInt(offset + 20, low);
  }

  /** Whether the 24 wire bytes at {@code offset} of a big-endian buffer are this XID. */
  public boolean matches(ByteBuffer buffer, int offset) {
    return buffer.getInt(offset) == typeCode
        && buffer.getLong(offset + 4) == high
        && buffer.getLong(offset + 12) == middle
        && buffer.getInt(offset + 20) == low;
  }

  /** The 4ID of an IPv4 address given as a big-endian word. */
  public static Xid ofIpv4(int address) {
    return new Xid(XidType.IP.code(), 0x4500000000010000L, 0xfafa000000000000L, address);
  }

  /**
   * Parses {@code TYPE:} and 40 hexadecimal digits, or {@code IP:a.b.c.d}.
   *
   * @throws DagParseException with the offending column when the text is anything else
   */
  public static Xid parse(String text) {
    return XidText.parse(text, 0, text.length());
  }

  /**
   * Parses an XID as leniently as Click does, e.g. in its routing table handlers: a short
   * identifier is filled up with zeros on the right ({@code AD:10}), a long one is cut, and the
   * type may be a decimal number (whose bytes then stand in reverse order on the wire).
   *
   * @throws DagParseException if even Click would not read it
   */
  public static Xid parseLenient(String text) {
    return XidText.parseLenient(text);
  }

  /** The principal type, or {@code null} for a code that the prototype does not define. */
  public @org.jspecify.annotations.Nullable XidType type() {
    return XidType.ofCode(typeCode);
  }

  /** The 32-bit type code. */
  public int typeCode() {
    return typeCode;
  }

  /** Identifier bytes 0 to 7 as a big-endian word. */
  public long high() {
    return high;
  }

  /** Identifier bytes 8 to 15 as a big-endian word. */
  public long middle() {
    return middle;
  }

  /** Identifier bytes 16 to 19 as a big-endian word. */
  public int low() {
    return low;
  }

  /** Whether this XID is of the given type. */
  public boolean is(XidType type) {
    return typeCode == type.code();
  }

  /** A copy of the 20 identifier bytes. */
  public byte[] id() {
    return ByteBuffer.allocate(ID_LENGTH).putLong(high).putLong(middle).putInt(low).array();
  }

  /** The 40 digits of the identifier in lower case. */
  public String idHex() {
    return Hex.encodeHexString(id());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Xid x
        && typeCode == x.typeCode
        && high == x.high
        && middle == x.middle
        && low == x.low;
  }

  @Override
  public int hashCode() {
    return hash(typeCode, high, middle, low);
  }

  /** The hash of an XID given by its words, equal to {@link #hashCode()} of that XID. */
  public static int hash(int typeCode, long high, long middle, int low) {
    long h =
        (high ^ Long.rotateLeft(middle, 23) ^ ((long) low << 16) ^ typeCode) * 0x9E3779B97F4A7C15L;
    return (int) (h >>> 32);
  }

  @Override
  public int compareTo(Xid other) {
    int byType = Integer.compareUnsigned(typeCode, other.typeCode);
    return byType != 0 ? byType : Arrays.compareUnsigned(id(), other.id());
  }

  /**
   * {@code TYPE:} and 40 lower-case digits. An unknown type is printed as Click does: the number
   * that its bytes make in little-endian order, in hexadecimal.
   */
  @Override
  public String toString() {
    XidType type = type();
    String name = type == null ? Integer.toHexString(Integer.reverseBytes(typeCode)) : type.name();
    return name + ":" + idHex();
  }
}
