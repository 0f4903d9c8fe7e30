package io.xmig.testbed.run;

import io.xmig.xia.XiaException;
import java.util.Map;

/** A run that could not go on: what happened, where the evidence is, what to try. */
public final class RunException extends XiaException {
  private static final long serialVersionUID = 1L;

  public RunException(String what, Map<String, ?> facts) {
    super(Recovery.ABORT, what, facts);
  }

  public RunException(String what, Throwable cause) {
    super(
        Recovery.ABORT,
        what + ": " + (cause.getMessage() == null ? cause.toString() : cause.getMessage()),
        Map.of(),
        cause);
  }
}
