package io.xmig.chunk.cut;

/**
 * Decides how large a chunk should be: large enough that the work per chunk is small, small enough
 * that a chunk is a few milliseconds of the path and a fraction of the budget.
 *
 * @param minBytes smallest target
 * @param maxBytes largest target, at most what the stack can carry
 * @source local choice: about 5 ms of the measured rate, at least eight chunks in the budget
 */
public record ChunkSizing(int minBytes, int maxBytes) {
  /** Smallest target unless the stack wants less. */
  public static final int DEFAULT_MIN_BYTES = 64 * 1024;

  /** Largest target unless the stack wants less. */
  public static final int DEFAULT_MAX_BYTES = 512 * 1024;

  private static final double TARGET_SECONDS = 0.005;
  private static final int CHUNKS_IN_BUDGET = 8;

  /** The default range, cut to what the stack can carry. */
  public static ChunkSizing forStack(int maxChunkBytes) {
    int max = Math.min(DEFAULT_MAX_BYTES, maxChunkBytes);
    return new ChunkSizing(Math.min(DEFAULT_MIN_BYTES, max), max);
  }

  /** Chunks of one size. */
  public static ChunkSizing fixed(int bytes) {
    return new ChunkSizing(bytes, bytes);
  }

  public ChunkSizing {
    if (minBytes < 1 || maxBytes < minBytes) {
      throw new IllegalArgumentException("chunk sizes from " + minBytes + " to " + maxBytes);
    }
  }

  /**
   * The size to aim at for this rate and budget: the smallest times a power of two, or the largest,
   * so that buffers are of few sizes and can be used again.
   */
  public int targetBytes(double bytesPerSecond, long budgetBytes) {
    double byRate = bytesPerSecond * TARGET_SECONDS;
    double wanted = Math.min(byRate, (double) budgetBytes / CHUNKS_IN_BUDGET);
    int target = minBytes;
    while (target <= maxBytes / 2 && 2.0 * target <= wanted) {
      target *= 2;
    }
    return wanted >= maxBytes ? maxBytes : target;
  }
}
