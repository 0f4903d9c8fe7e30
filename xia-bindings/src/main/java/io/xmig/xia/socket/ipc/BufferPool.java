package io.xmig.xia.socket.ipc;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.TreeMap;

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
  private static final int MOST_TIMES_TOO_LARGE = 8;

  private final long maxIdleBytes;
  private final TreeMap<Integer, ArrayDeque<ByteBuffer>> idle = new TreeMap<>();
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
    // a larger one that is idle is better than more memory, if not much larger
    var fitting = idle.ceilingEntry(size);
    if (fitting == null || fitting.getKey() > (long) size * MOST_TIMES_TOO_LARGE) {
      return ByteBuffer.allocateDirect(size).limit(length);
    }
    return removeIdle(fitting).limit(length);
  }

  private ByteBuffer removeIdle(Map.Entry<Integer, ArrayDeque<ByteBuffer>> ofSize) {
    ByteBuffer buffer = ofSize.getValue().removeLast();
    if (ofSize.getValue().isEmpty()) {
      idle.remove(ofSize.getKey());
    }
    idleBytes -= buffer.capacity();
    return buffer;
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
        || size > maxIdleBytes) {
      return;
    }
    // What is wanted now is kept, what was wanted once goes: sizes change together, seldom.
    while (idleBytes + size > maxIdleBytes) {
      removeIdle(size > idle.firstKey() ? idle.firstEntry() : idle.lastEntry());
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
