package io.xmig.chunk.cut;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Where the bytes of a stream come from.
 *
 * @threading methods and handler on the loop, one read at a time
 */
public interface ByteInput extends AutoCloseable {
  /**
   * Reads into {@code target} what is there without waiting for more, but at least one byte, and
   * then calls the handler, never before this method has returned. The buffer belongs to the input
   * until then.
   */
  void read(ByteBuffer target, ReadHandler handler);

  /** Stops reading; a read that is under way may or may not still be answered. */
  @Override
  void close();

  /** Outcome of one read. */
  interface ReadHandler {
    /**
     * @param bytes bytes put into the target (its position has moved), or −1 at the end of the
     *     stream
     */
    void onRead(int bytes);

    /** The input is broken. */
    void onFailed(IOException cause);
  }
}
