package io.xmig.adapt.trust;

import io.xmig.xia.XiaException;
import java.util.Map;

/** A message that is not believed. Made often under attack, so it carries no stack trace. */
public final class RefusedException extends XiaException {
  private static final long serialVersionUID = 1L;

  private final Refusal refusal;

  public RefusedException(Refusal refusal, String what, Map<String, ?> facts) {
    super(Recovery.ABORT, what, facts);
    this.refusal = refusal;
  }

  public RefusedException(Refusal refusal, String what) {
    this(refusal, what, Map.of());
  }

  /** The reason in a form that code can act on. */
  public Refusal refusal() {
    return refusal;
  }

  @Override
  public Throwable fillInStackTrace() {
    return this;
  }
}
