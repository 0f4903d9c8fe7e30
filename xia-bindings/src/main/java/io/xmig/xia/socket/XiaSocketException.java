package io.xmig.xia.socket;

import io.xmig.xia.XiaException;
import java.util.Map;

/** A socket operation that failed, with the reason in a form that code can act on. */
public final class XiaSocketException extends XiaException {
  private static final long serialVersionUID = 1L;

  /** Reasons, each with its C counterpart. */
  public enum Kind {
    /** EADDRINUSE: the SID is bound by another socket of the node. */
    ADDRESS_IN_USE(Recovery.ABORT),
    /** EADDRNOTAVAIL: the address makes no sense here. */
    BAD_ADDRESS(Recovery.ABORT),
    /** ECONNREFUSED: the host answers, nobody listens there. */
    REFUSED(Recovery.RETRY),
    /** ECONNRESET: the peer dropped the connection. */
    RESET(Recovery.ABORT),
    /** EHOSTUNREACH: a router knows no way to the destination. */
    UNREACHABLE(Recovery.RETRY),
    /** ETIMEDOUT: no answer. */
    TIMED_OUT(Recovery.RETRY),
    /** ENOTCONN, EPIPE, EBADF: the socket is closed. */
    CLOSED(Recovery.ABORT),
    /** EMSGSIZE: more bytes than the stack can carry in one piece. */
    MESSAGE_TOO_LONG(Recovery.ABORT),
    /** ENOSPC: the cache slice is full. */
    NO_SPACE(Recovery.RETRY),
    /** The chunk is not there. */
    NOT_FOUND(Recovery.RETRY),
    /** ECLICKCONTROL: the node refused, or its process is gone. */
    NODE(Recovery.FATAL),
    /** EOPNOTSUPP: this stack cannot do that. */
    UNSUPPORTED(Recovery.ABORT);

    private final Recovery recovery;

    Kind(Recovery recovery) {
      this.recovery = recovery;
    }
  }

  private final Kind kind;

  public XiaSocketException(Kind kind, String what, Map<String, ?> facts) {
    super(kind.recovery, what, facts);
    this.kind = kind;
  }

  public XiaSocketException(Kind kind, String what) {
    this(kind, what, Map.of());
  }

  public XiaSocketException(Kind kind, String what, Map<String, ?> facts, Throwable cause) {
    super(kind.recovery, what, facts, cause);
    this.kind = kind;
  }

  /** The reason. */
  public Kind kind() {
    return kind;
  }
}
