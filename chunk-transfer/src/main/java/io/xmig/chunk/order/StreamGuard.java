package io.xmig.chunk.order;

import java.nio.ByteBuffer;

/**
 * Looks at the stream as it passes and says how much of it may be given away before the whole has
 * been verified.
 *
 * @threading one lane, in stream order
 */
public interface StreamGuard {
  /** Takes the next bytes of the stream; position and limit stay. */
  void feed(ByteBuffer data);

  /** Position up to which bytes may be written before the end was verified. */
  long releasableBytes();

  /** Whether the stream may end where it is now. */
  boolean isComplete();
}
