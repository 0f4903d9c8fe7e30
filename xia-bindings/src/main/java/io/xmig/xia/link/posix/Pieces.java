package io.xmig.xia.link.posix;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Several pieces of memory sent or received by one call (a C {@code msghdr} with its {@code
 * iovec}s). Keeps the pieces reachable until cleared.
 */
public final class Pieces {
  private static final int HEADER_LENGTH = 56;
  private static final int IOV = 16;
  private static final int IOV_COUNT = 24;

  private final NativeBuffer memory;
  private final @Nullable NativeBuffer[] kept;
  private int count;
  private long bytes;

  /**
   * @param capacity most pieces of one call
   */
  public Pieces(int capacity) {
    memory = new NativeBuffer(HEADER_LENGTH + 16 * capacity);
    memory.bytes().putLong(IOV, memory.address(HEADER_LENGTH, 16 * capacity));
    kept = new @Nullable NativeBuffer[capacity];
  }

  /** Forgets all pieces. */
  public void clear() {
    for (int i = 0; i < count; i++) {
      kept[i] = null;
    }
    count = 0;
    bytes = 0;
  }

  /** Whether no further piece fits. */
  public boolean isFull() {
    return count == kept.length;
  }

  /** Sum of the lengths of the pieces. */
  public long bytes() {
    return bytes;
  }

  /** Adds {@code length} bytes of {@code piece} from {@code offset}. */
  public void add(NativeBuffer piece, int offset, int length) {
    ByteBuffer b = memory.bytes();
    b.putLong(HEADER_LENGTH + 16 * count, piece.address(offset, length));
    b.putLong(HEADER_LENGTH + 16 * count + 8, length);
    kept[count++] = piece;
    bytes += length;
  }

  long header() {
    memory.bytes().putLong(IOV_COUNT, count);
    return memory.address();
  }
}
