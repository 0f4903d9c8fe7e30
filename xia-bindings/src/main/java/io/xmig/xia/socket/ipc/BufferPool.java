package io.xmig.xia.socket.ipc;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * Direct buffers for chunks, used again instead of being left to the garbage collector, which would
 * have to run for every few dozen megabytes of chunks.
 *
 * <p>Sizes are rounded up to four steps per power of two. Buffers that are never given back are
 * collected like any others.
 *
 * @threading one loop
 */
public final class BufferPool {
  private static final int SMALLEST = 4096;

  private final long maxIdleBytes;
  private final Map<Integer, ArrayDeque<ByteBuffer>> idle = new HashMap<>();
  private long idleBytes;

  /**
   * @param maxIdleBytes memory kept for later use at most
   */
  public BufferPool(long maxIdleBytes) {
    this.maxIdleBytes = maxIdleBytes;
  }

  /** A direct buffer, position 0 and limit {@code length}; its bytes are arbitrary. */
  public ByteBuffer take(int length) {
    int size = sizeFor(length);
    ArrayDeque<ByteBuffer> free = idle.get(size);
    ByteBuffer buffer = free == null ? null : free.pollLast();
    if (buffer != null) {
      idleBytes -= size;
    } else {
      buffer = ByteBuffer.allocateDirect(size);
    }
    return buffer.limit(length);
  }

  /**
   * Gives a buffer back; nobody may use it, or a view of it, any more. One that was not taken here
   * is ignored.
   */
  public void release(ByteBuffer buffer) {
    int size = buffer.capacity();
    if (!buffer.isDirect()
        || buffer.isReadOnly()
        || size < SMALLEST
        || sizeFor(size) != size
        || idleBytes + size > maxIdleBytes) {
      return;
    }
    idle.computeIfAbsent(size, s -> new ArrayDeque<>()).addLast(buffer.clear());
    idleBytes += size;
  }

  /** Memory kept for later use. */
  public long idleBytes() {
    return idleBytes;
  }

  static int sizeFor(int length) {
    if (length <= SMALLEST) {
      return SMALLEST;
    }
    int power = Integer.highestOneBit(length - 1);
    int step = Math.max(1, power / 4);
    long size = (long) power + (long) ((length - power + step - 1) / step) * step;
    return (int) Math.min(Integer.MAX_VALUE, size);
  }
}
