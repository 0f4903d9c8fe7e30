package io.xmig.xia.node.stream;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Direct buffers of power-of-two sizes for the rings of all connections, within one budget.
 *
 * <p>Space is reserved before it is allocated, so that a connection that was let in never fails for
 * want of memory later. Returned buffers are kept for the next connection: direct memory is only
 * freed by the garbage collector, and allocating it means zeroing it.
 *
 * @threading on the node's loop
 */
final class BufferPool {
  private static final int KEPT_PER_SIZE = 8;
  private static final int SIZES = 31;

  private final long budgetBytes;
  private final @Nullable ArrayDeque<ByteBuffer>[] free;
  private long reservedBytes;

  @SuppressWarnings({"unchecked", "rawtypes"})
  BufferPool(long budgetBytes) {
    this.budgetBytes = budgetBytes;
    this.free = new ArrayDeque[SIZES];
  }

  /** Sets space aside; false when the budget does not allow it. */
  boolean reserve(long bytes) {
    if (reservedBytes + bytes > budgetBytes) {
      return false;
    }
    reservedBytes += bytes;
    return true;
  }

  /** Gives back what {@link #reserve} set aside. */
  void unreserve(long bytes) {
    reservedBytes -= bytes;
  }

  long reservedBytes() {
    return reservedBytes;
  }

  /** A buffer of {@code size} bytes, a power of two; its space must have been reserved. */
  ByteBuffer take(int size) {
    ArrayDeque<ByteBuffer> list = free[Integer.numberOfTrailingZeros(size)];
    ByteBuffer kept = list == null ? null : list.pollLast();
    return kept == null ? ByteBuffer.allocateDirect(size) : kept.clear();
  }

  /** Takes a buffer back; nothing may refer to it any more. */
  void give(ByteBuffer buffer) {
    int index = Integer.numberOfTrailingZeros(buffer.capacity());
    ArrayDeque<ByteBuffer> list = free[index];
    if (list == null) {
      list = new ArrayDeque<>();
      free[index] = list;
    }
    // Big ones are dropped sooner: what is kept per size is bounded in number and in bytes.
    int keep = Math.max(1, Math.min(KEPT_PER_SIZE, (2 << 20) / buffer.capacity()));
    if (list.size() < keep) {
      list.addLast(buffer);
    }
  }
}
