package io.xmig.control.host;

import io.xmig.xia.XiaException;
import java.util.Map;

/** A wish that the host service cannot fulfil; the message says why and what to try. */
public final class HostException extends XiaException {
  private static final long serialVersionUID = 1L;

  /** Why not. */
  public enum Kind {
    /** No such VM or migration. */
    NOT_FOUND,
    /** A VM of that name is there already. */
    EXISTS,
    /** Not in this state, e.g. while it migrates. */
    BUSY,
    /** The request itself makes no sense. */
    INVALID,
    /** QEMU or the system refused. */
    FAILED
  }

  private final Kind kind;

  public HostException(Kind kind, String what, Map<String, ?> facts) {
    super(kind == Kind.BUSY ? Recovery.RETRY : Recovery.ABORT, what, facts);
    this.kind = kind;
  }

  public HostException(Kind kind, String what, Map<String, ?> facts, Throwable cause) {
    super(Recovery.ABORT, what, facts, cause);
    this.kind = kind;
  }

  /** Why not. */
  public Kind kind() {
    return kind;
  }
}
