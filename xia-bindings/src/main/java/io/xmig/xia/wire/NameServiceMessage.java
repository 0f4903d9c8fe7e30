package io.xmig.xia.wire;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A datagram to or from the name service (SID_NS). There is no transaction number: a client
 * recognises its answer by the SID at which it arrives.
 *
 * <pre>
 *  0             2
 *  | type (LE16) | name, 00 | DAG text, 00 (not in a query) | further texts, 00 each …
 * </pre>
 *
 * @param type what is asked or answered
 * @param name the name; the prototype's hosts are called {@code NAME.xia}
 * @param dag address text, stored and returned unchanged (libdagaddr's DAG form); empty in a query
 * @param extensions further texts, which the prototype neither sends nor reads
 * @source XIA prototype v1.1, docs/wire.md section 11
 */
public record NameServiceMessage(Type type, String name, String dag, List<String> extensions) {
  /** Longest message of the prototype. */
  public static final int MAX_PROTOTYPE_BYTES = 1024;

  /** Longest message that is read; extensions need the room. */
  public static final int MAX_BYTES = 4096;

  /** Most extension texts that are read. */
  public static final int MAX_EXTENSIONS = 16;

  /** What the text of an {@link Type#ERROR} says instead of an address. */
  public static final String NOT_FOUND = "not found";

  /** What a message asks or answers. */
  public enum Type {
    /** Store this address under this name. */
    REGISTER(1),
    /** Which address has this name? */
    QUERY(2),
    /** The address, sent for both. */
    RESPONSE(3),
    /** There is none. */
    ERROR(4);

    private final int code;

    Type(int code) {
      this.code = code;
    }

    /** The number on the wire. */
    public int code() {
      return code;
    }
  }

  public NameServiceMessage {
    extensions = List.copyOf(extensions);
  }

  /** A message as the prototype sends it. */
  public NameServiceMessage(Type type, String name, String dag) {
    this(type, name, dag, List.of());
  }

  /** A query. */
  public static NameServiceMessage query(String name) {
    return new NameServiceMessage(Type.QUERY, name, "");
  }

  /**
   * Reads the bytes from position to limit, which both stay.
   *
   * @throws MalformedPacketException if they are not a message of a known type
   */
  public static NameServiceMessage decode(ByteBuffer payload) {
    TextReader in = new TextReader("name-service-message", payload, MAX_BYTES);
    int code = in.readShort();
    if (code < 1 || code > Type.values().length) {
      throw in.bad("of an unknown type");
    }
    Type type = Type.values()[code - 1];
    String name = in.readText((byte) 0);
    if (name.isEmpty()) {
      throw in.bad("without a name");
    }
    String dag = type == Type.QUERY ? "" : in.readText((byte) 0);
    List<String> extensions = new ArrayList<>();
    while (in.hasRemaining()) {
      if (extensions.size() == MAX_EXTENSIONS) {
        throw in.bad("with too many texts");
      }
      extensions.add(in.readText((byte) 0));
    }
    return new NameServiceMessage(type, name, dag, extensions);
  }

  /**
   * The bytes of the message.
   *
   * @throws IllegalArgumentException if it would be longer than {@link #MAX_BYTES}
   */
  public byte[] encode() {
    ByteArrayOutputStream out = new ByteArrayOutputStream(256);
    out.write(type.code());
    out.write(type.code() >> 8);
    putText(out, name);
    if (type != Type.QUERY) {
      putText(out, dag);
    }
    extensions.forEach(text -> putText(out, text));
    if (out.size() > MAX_BYTES) {
      throw new IllegalArgumentException("a name service message of " + out.size() + " bytes");
    }
    return out.toByteArray();
  }

  private static void putText(ByteArrayOutputStream out, String text) {
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("a text of a message contains no zero character");
    }
    out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    out.write(0);
  }
}
