package io.xmig.adapt.trust;

/** Why a statement is not believed. The code stands in REFUSED messages and names the counter. */
public enum Refusal {
  /** Not one of our messages, or cut short. */
  MALFORMED(1),
  /** The signature does not fit the key. */
  BAD_SIGNATURE(2),
  /** The key is not that of the identifier spoken for, and no delegation says otherwise. */
  NOT_OWNER(3),
  /** Older than what is known. */
  STALE(4),
  /** Same sequence number as what is known, other content. */
  CONFLICT(5),
  /** The delegation is not valid now, or not for this. */
  DELEGATION(6),
  /** It answers no recent beacon of this gateway: recorded earlier, perhaps. */
  NOT_FRESH(7),
  /** Its time is too far from ours. */
  CLOCK(8),
  /** The key may not speak for this domain. */
  UNTRUSTED(9),
  /** Unsigned, and unsigned hosts are not accepted here. */
  UNSIGNED(10),
  /** No room for another host. */
  FULL(11),
  /** More messages than are looked at per second. */
  RATE(12),
  /** Came through a port on which such messages are not expected. */
  PORT(13),
  /** No route to where the host says it is. */
  NO_ROUTE(14);

  private final int code;

  Refusal(int code) {
    this.code = code;
  }

  /** The number in a REFUSED message. */
  public int code() {
    return code;
  }

  /** The reason with this number; an unknown one counts as {@link #MALFORMED}. */
  public static Refusal ofCode(int code) {
    for (Refusal r : values()) {
      if (r.code == code) {
        return r;
      }
    }
    return MALFORMED;
  }
}
