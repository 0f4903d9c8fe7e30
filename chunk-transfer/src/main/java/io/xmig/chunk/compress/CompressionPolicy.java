package io.xmig.chunk.compress;

/**
 * Decides piece by piece whether to compress.
 *
 * <p>A byte costs the path {@code 1/R} seconds plain and {@code ratio/R} compressed, and the
 * processor {@code 1/C} to compress. AUTO compresses when that saves clearly more than it costs;
 * while it does not, one piece in 32 is tried so that a change of data or path is noticed.
 *
 * @threading the loop
 * @source local choice: a fixed share of processor time is left to the virtual machines
 */
public final class CompressionPolicy {
  private static final int TRY_EVERY = 32;
  private static final double SMOOTHING = 0.2;
  private static final double WORTH = 0.9;

  private final Compression mode;
  private double ratio = 0.5;
  private double bytesPerSecond;
  private int sinceTried;

  public CompressionPolicy(Compression mode) {
    this.mode = mode;
  }

  /**
   * Whether to compress the next piece.
   *
   * @param pathBytesPerSecond rate of the path, 0 if unknown
   */
  public boolean compressNext(double pathBytesPerSecond) {
    return switch (mode) {
      case OFF -> false;
      case ON -> true;
      case AUTO -> worthwhile(pathBytesPerSecond);
    };
  }

  private boolean worthwhile(double pathBytesPerSecond) {
    if (pathBytesPerSecond > 0 && bytesPerSecond > 0) {
      double plain = 1 / pathBytesPerSecond;
      double compressed = ratio / pathBytesPerSecond + 1 / bytesPerSecond;
      if (compressed < plain * WORTH) {
        sinceTried = 0;
        return true;
      }
    }
    if (++sinceTried >= TRY_EVERY) {
      sinceTried = 0;
      return pathBytesPerSecond > 0;
    }
    return false;
  }

  /**
   * What compressing a piece gave.
   *
   * @param payloadBytes size of the chunk, {@code rawBytes} if it was left as it was
   */
  public void onCompressed(int rawBytes, int payloadBytes, long tookNs) {
    if (rawBytes < 4096) {
      return;
    }
    ratio += ((double) payloadBytes / rawBytes - ratio) * SMOOTHING;
    double speed = rawBytes * 1e9 / Math.max(1, tookNs);
    bytesPerSecond =
        bytesPerSecond == 0 ? speed : bytesPerSecond + (speed - bytesPerSecond) * SMOOTHING;
  }
}
