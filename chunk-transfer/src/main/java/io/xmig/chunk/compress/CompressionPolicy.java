package io.xmig.chunk.compress;

/**
 * Decides piece by piece whether to compress.
 *
 * <p>A byte costs the path {@code 1/R} seconds plain and {@code ratio/R} compressed, and the
 * processor {@code 1/C} to compress. AUTO compresses when that saves clearly more than it costs, as
 * if the one had to wait for the other; while it does not, a piece is tried now and then so that a
 * change of data or path is noticed, so rarely that it costs at most a hundredth.
 *
 * @threading the loop
 * @source local choice: a share of processor time is left to the virtual machines
 */
public final class CompressionPolicy {
  private static final int TRY_EVERY = 32;

  /** The first time may be slow for reasons of its own: a library is loaded, a page is cold. */
  private static final int FIRST_TRIALS = 2;

  private static final double TRIAL_SHARE = 0.01;
  private static final double SMOOTHING = 0.2;
  private static final double WORTH = 0.9;
  private static final int TELLING_BYTES = 4096;

  private final Compression mode;
  private double ratio = 0.5; // of what was compressed
  private double sentRatio = 1; // of all pieces
  private double bytesPerSecond; // of the compressor
  private int sinceTried;
  private int tries;

  public CompressionPolicy(Compression mode) {
    this.mode = mode;
  }

  /**
   * Whether to compress the next piece.
   *
   * @param streamBytesPerSecond rate at which the stream arrives at the other end, 0 if unknown
   */
  public boolean compressNext(double streamBytesPerSecond) {
    return switch (mode) {
      case OFF -> false;
      case ON -> true;
      case AUTO -> worthwhile(streamBytesPerSecond * sentRatio);
    };
  }

  private boolean worthwhile(double path) {
    sinceTried++;
    if (path <= 0) {
      return false;
    }
    if (tries == 0) {
      return tryNow(TRY_EVERY);
    }
    double plain = 1 / path;
    double compressed = ratio / path + 1 / bytesPerSecond;
    if (compressed < plain * WORTH) {
      sinceTried = 0;
      return true;
    }
    return tryNow(
        tries < FIRST_TRIALS
            ? TRY_EVERY
            : Math.max(TRY_EVERY, path / bytesPerSecond / TRIAL_SHARE));
  }

  private boolean tryNow(double every) {
    if (sinceTried < every) {
      return false;
    }
    sinceTried = 0;
    return true;
  }

  /** A piece goes as it is. */
  public void onPlain() {
    sentRatio += (1 - sentRatio) * SMOOTHING;
  }

  /**
   * What compressing a piece gave.
   *
   * @param payloadBytes size of the chunk, {@code rawBytes} if it was left as it was
   */
  public void onCompressed(int rawBytes, int payloadBytes, long tookNs) {
    double found = (double) payloadBytes / rawBytes;
    sentRatio += (found - sentRatio) * SMOOTHING;
    if (rawBytes < TELLING_BYTES) {
      return;
    }
    ratio += (found - ratio) * SMOOTHING;
    double speed = rawBytes * 1e9 / Math.max(1, tookNs);
    tries++;
    bytesPerSecond =
        tries <= FIRST_TRIALS
            ? Math.max(bytesPerSecond, speed)
            : bytesPerSecond + (speed - bytesPerSecond) * SMOOTHING;
  }
}
