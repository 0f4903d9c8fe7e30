package io.xmig.testbed.vm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Memory of the guest that is there only to be migrated, and that part of it which changes all the
 * time.
 *
 * @threading one thread
 */
public final class MemoryBallast {
  /** What the memory holds. */
  public enum Content {
    /** Nothing that a compressor could use: the worst case. */
    RANDOM,
    /**
     * Like the memory of a real guest: every page holds a third of random bytes, the rest repeats,
     * which zstd halves to thirds.
     */
    REALISTIC;

    /** The name in options. */
    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final int PAGE = 4096;
  private static final int BLOCK = 16 << 20;

  private final List<ByteBuffer> blocks = new ArrayList<>();
  private Content content;
  private long bytes;
  private long state = 0x9E37_79B9_7F4A_7C15L;
  private long nextPage;

  /** Allocates {@code mib} MiB outside the heap; the JVM's direct memory limit must allow it. */
  MemoryBallast(int mib, Content content) {
    this.content = content;
    this.bytes = (long) mib << 20;
    allocate();
  }

  /** Writes every page once. */
  void fill() {
    for (long page = 0; page < bytes / PAGE; page++) {
      writePage(page);
    }
  }

  /**
   * Holds something else from now on, and as much as this; what is beyond goes back to the system
   * at the next garbage collection.
   */
  void refill(int mib, Content with) {
    bytes = (long) mib << 20;
    content = with;
    nextPage = 0;
    allocate();
    fill();
  }

  /** Blocks of the whole size, the last of what is left; those that are right already stay. */
  private void allocate() {
    long held = 0;
    int right = 0;
    for (ByteBuffer block : blocks) {
      if (block.capacity() != Math.min(bytes - held, BLOCK)) {
        break;
      }
      held += block.capacity();
      right++;
    }
    blocks.subList(right, blocks.size()).clear();
    for (long left = bytes - held; left > 0; left -= BLOCK) {
      blocks.add(
          ByteBuffer.allocateDirect((int) Math.min(left, BLOCK)).order(ByteOrder.nativeOrder()));
    }
  }

  /**
   * Rewrites the next {@code pages} pages of the first {@code workingSetBytes}, going round.
   *
   * @return bytes rewritten
   */
  long dirty(int pages, long workingSetBytes) {
    long set = Math.max(1, Math.min(workingSetBytes, bytes) / PAGE);
    for (int i = 0; i < pages; i++) {
      writePage(nextPage);
      nextPage = (nextPage + 1) % set;
    }
    return (long) pages * PAGE;
  }

  long bytes() {
    return bytes;
  }

  /** A long of the ballast, for checks that memory survived a migration. */
  long word(long offset) {
    return blocks.get((int) (offset / BLOCK)).getLong((int) (offset % BLOCK));
  }

  private void writePage(long page) {
    long offset = page * PAGE;
    ByteBuffer block = blocks.get((int) (offset / BLOCK));
    int base = (int) (offset % BLOCK);
    int random = content == Content.RANDOM ? PAGE : PAGE / 3 & ~7;
    for (int i = 0; i < random; i += Long.BYTES) {
      block.putLong(base + i, next());
    }
    for (int i = random; i < PAGE; i += Long.BYTES) {
      block.putLong(base + i, page);
    }
  }

  /** xorshift64*: a multiplication and three shifts, cheap even on a translated processor. */
  private long next() {
    state ^= state >>> 12;
    state ^= state << 25;
    state ^= state >>> 27;
    return state * 0x2545_F491_4F6C_DD1DL;
  }
}
