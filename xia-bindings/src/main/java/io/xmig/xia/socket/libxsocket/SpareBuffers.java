package io.xmig.xia.socket.libxsocket;

import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * Buffers for chunks that their readers have given back.
 *
 * @threading any thread
 */
final class SpareBuffers {
  private static final int MOST = 64;

  private final Queue<ByteBuffer> spare = new ArrayBlockingQueue<>(MOST);
  private final int largest;

  /** Keeps none that are larger. */
  SpareBuffers(int largest) {
    this.largest = largest;
  }

  /** A buffer of its own with the first {@code length} bytes of another. */
  ByteBuffer copyOf(ByteBuffer bytes, int length) {
    ByteBuffer used = spare.poll();
    ByteBuffer data =
        used == null || used.capacity() < length ? ByteBuffer.allocate(length) : used.clear();
    return data.put(0, bytes, 0, length).limit(length);
  }

  void recycle(ByteBuffer data) {
    if (data.hasArray() && data.capacity() <= largest) {
      spare.offer(data);
    }
  }
}
