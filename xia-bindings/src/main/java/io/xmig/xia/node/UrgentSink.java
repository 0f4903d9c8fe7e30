package io.xmig.xia.node;

import java.nio.ByteBuffer;

/** A receiver that answers some of several frames before it is handed the others. */
public interface UrgentSink extends FrameSink {
  /**
   * Asked about each of several frames that have come together, in their order, before any of them
   * is handed on by {@link #frame}: takes one whose answer must not wait for the others.
   *
   * @param frame as for {@link #frame}
   * @return whether it has been taken; if not, it comes again
   */
  boolean urgent(ByteBuffer frame);
}
