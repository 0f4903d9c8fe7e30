package io.xmig.xia;

import java.util.Map;

/**
 * Root of the failures that XIA code reports to its caller.
 *
 * <p>A message is a constant phrase followed by the facts, so that it can be searched for: {@code
 * truncated xip-header {offset=0, needed=8, available=3}}. A wrong argument of a local caller is an
 * {@link IllegalArgumentException} instead; this type is for what a peer, the network or the system
 * did.
 */
public class XiaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What the caller can sensibly do next. */
  public enum Recovery {
    /** The same call may succeed later. */
    RETRY,
    /** This operation is lost; the stack is fine. */
    ABORT,
    /** The stack itself is unusable. */
    FATAL
  }

  private final Recovery recovery;

  public XiaException(Recovery recovery, String what) {
    this(recovery, what, Map.of(), null);
  }

  public XiaException(Recovery recovery, String what, Map<String, ?> facts) {
    this(recovery, what, facts, null);
  }

  public XiaException(Recovery recovery, String what, Map<String, ?> facts, Throwable cause) {
    super(facts.isEmpty() ? what : what + " " + facts, cause);
    this.recovery = recovery;
  }

  /** What the caller can sensibly do next. */
  public final Recovery recovery() {
    return recovery;
  }
}
