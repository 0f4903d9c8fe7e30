package io.xmig.xia.addr;

import java.util.Locale;

/**
 * The principal types of the prototype and their codes on the wire.
 *
 * @source XIA prototype v1.1, docs/wire.md section 1
 */
public enum XidType {
  /** Administrative domain. */
  AD(0x10),
  /** Host. */
  HID(0x11),
  /** Content: the SHA-1 of a chunk. */
  CID(0x12),
  /** Service. */
  SID(0x13),
  /** 4ID: an IPv4 address in an XID. */
  IP(0x14);

  private static final XidType[] BY_CODE = new XidType[0x15];

  static {
    for (XidType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;

  XidType(int code) {
    this.code = code;
  }

  /** The 32-bit type code, big-endian on the wire. */
  public int code() {
    return code;
  }

  /** The type with this code, or {@code null} for a code that the prototype does not define. */
  public static @org.jspecify.annotations.Nullable XidType ofCode(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }

  /** The type with this name in any case, or {@code null}. */
  public static @org.jspecify.annotations.Nullable XidType ofName(String name) {
    for (XidType type : values()) {
      if (type.name().equals(name.toUpperCase(Locale.ROOT))) {
        return type;
      }
    }
    return null;
  }
}
