package io.xmig.control.session;

/** Bounds of a session's messages, the same for both sides. */
public final class SessionLimits {
  /** Largest message. */
  public static final int MAX_MESSAGE_BYTES = 64 * 1024;

  /** Bytes of a chunk in one message. */
  static final int PART_BYTES = 32 * 1024;

  /** A destination must be able to take at least this much ahead. */
  static final long LEAST_IN_FLIGHT = 1 << 20;

  private SessionLimits() {}
}
