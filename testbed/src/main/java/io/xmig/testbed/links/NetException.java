package io.xmig.testbed.links;

import io.xmig.xia.XiaException;
import java.util.Map;

/** Links that could not be made: what, why, and what to use instead. */
public final class NetException extends XiaException {
  private static final long serialVersionUID = 1L;

  NetException(String what, Map<String, ?> facts) {
    super(Recovery.ABORT, what, facts);
  }

  NetException(String what, Map<String, ?> facts, Throwable cause) {
    super(Recovery.ABORT, what, facts, cause);
  }
}
