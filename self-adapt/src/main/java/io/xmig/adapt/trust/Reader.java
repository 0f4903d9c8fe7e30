package io.xmig.adapt.trust;

import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Reads the fields of a received message in order, big-endian, and refuses as {@link
 * Refusal#MALFORMED} what is not there.
 */
public final class Reader {
  private final String what;
  private final ByteBuffer in;

  /**
   * @param what name of the message in errors
   * @param in remaining bytes are the message; the position of this buffer does not move
   */
  public Reader(String what, ByteBuffer in) {
    this.what = what;
    this.in = in.slice().order(ByteOrder.BIG_ENDIAN);
  }

  private void need(int bytes) {
    if (in.remaining() < bytes) {
      throw new RefusedException(
          Refusal.MALFORMED,
          "truncated " + what,
          Map.of("offset", in.position(), "needed", bytes, "available", in.remaining()));
    }
  }

  public int u8() {
    need(1);
    return Byte.toUnsignedInt(in.get());
  }

  public int u16() {
    need(2);
    return Short.toUnsignedInt(in.getShort());
  }

  public int i32() {
    need(4);
    return in.getInt();
  }

  public long i64() {
    need(8);
    return in.getLong();
  }

  /** The low 48 bits of the result are the next six bytes. */
  public long u48() {
    return (long) u16() << 32 | Integer.toUnsignedLong(i32());
  }

  public Xid xid() {
    need(Xid.LENGTH);
    Xid xid = Xid.read(in, in.position());
    in.position(in.position() + Xid.LENGTH);
    return xid;
  }

  public byte[] bytes(int length) {
    need(length);
    byte[] out = new byte[length];
    in.get(out);
    return out;
  }

  /** A field with its length in two bytes before it. */
  public byte[] field(int max) {
    int length = u16();
    if (length > max) {
      throw new RefusedException(
          Refusal.MALFORMED,
          "field too long in " + what,
          Map.of("offset", in.position() - 2, "length", length, "limit", max));
    }
    return bytes(length);
  }

  public String text(int max) {
    return new String(field(max), StandardCharsets.UTF_8);
  }

  /** Bytes read so far. */
  public int position() {
    return in.position();
  }

  public int remaining() {
    return in.remaining();
  }

  /** The bytes not read yet. */
  public ByteBuffer rest() {
    return in.slice().order(ByteOrder.BIG_ENDIAN);
  }

  /** Refuses a message that goes on after its last field. */
  public void end() {
    if (in.hasRemaining()) {
      throw new RefusedException(
          Refusal.MALFORMED,
          "bytes after the end of " + what,
          Map.of("offset", in.position(), "surplus", in.remaining()));
    }
  }
}
