package io.xmig.chunk.order;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Where the bytes of a stream go.
 *
 * @threading methods and handler on the loop, one write at a time
 */
public interface ByteOutput extends AutoCloseable {
  /**
   * Writes all remaining bytes of the buffers, in order, and then calls the handler, never before
   * this method has returned. The buffers belong to the output until then.
   */
  void write(List<ByteBuffer> buffers, WriteHandler handler);

  /** Ends the stream; what was written stays written. */
  @Override
  void close();

  /** Outcome of one write. */
  interface WriteHandler {
    /** Everything has been written. */
    void onWritten();

    /** The reader is gone, or the output is broken. */
    void onFailed(IOException cause);
  }
}
