package io.xmig.control.qemu;

import io.xmig.xia.XiaException;
import java.util.Map;

/** QEMU could not be started, refused a command, did not answer, or is gone. */
public final class QemuException extends XiaException {
  private static final long serialVersionUID = 1L;

  /** What went wrong. */
  public enum Kind {
    /** QEMU is not installed or cannot be run. */
    NOT_INSTALLED,
    /** The process did not come up. */
    START_FAILED,
    /** QEMU answered a command with an error. */
    REFUSED,
    /** No answer in time. */
    TIMED_OUT,
    /** The control connection is closed; QEMU is most likely gone. */
    GONE,
    /** Bytes on the control connection that are not QMP. */
    MALFORMED,
    /** This QEMU cannot do what was asked for. */
    UNSUPPORTED
  }

  private final Kind kind;

  public QemuException(Kind kind, String what, Map<String, ?> facts) {
    super(Recovery.ABORT, what, facts);
    this.kind = kind;
  }

  public QemuException(Kind kind, String what, Map<String, ?> facts, Throwable cause) {
    super(Recovery.ABORT, what, facts, cause);
    this.kind = kind;
  }

  /** The reason in a form that code can act on. */
  public Kind kind() {
    return kind;
  }
}
