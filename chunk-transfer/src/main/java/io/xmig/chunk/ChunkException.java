package io.xmig.chunk;

import io.xmig.xia.XiaException;
import java.util.Map;

/** A transfer that cannot go on: what happened and, in the message, the facts. */
public final class ChunkException extends XiaException {
  private static final long serialVersionUID = 1L;

  public ChunkException(String what, Map<String, ?> facts) {
    super(Recovery.ABORT, what, facts);
  }

  public ChunkException(String what, Map<String, ?> facts, Throwable cause) {
    super(Recovery.ABORT, what, facts, cause);
  }
}
