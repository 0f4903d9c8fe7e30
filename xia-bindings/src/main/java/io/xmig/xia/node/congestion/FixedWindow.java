package io.xmig.xia.node.congestion;

/**
 * A window that never moves, for tests and for links whose capacity is known. Chosen as {@code
 * fixed:BYTES}.
 *
 * @source local choice: a yardstick without feedback
 */
public final class FixedWindow implements CongestionControl {
  /** Bytes of the window when the name gives none. */
  static final long DEFAULT_BYTES = 1 << 20;

  private final long windowBytes;

  FixedWindow(long windowBytes) {
    this.windowBytes = windowBytes;
  }

  @Override
  public long windowBytes() {
    return windowBytes;
  }

  @Override
  public long pacingRate() {
    return UNPACED;
  }

  @Override
  public void onAck(AckSample sample) {}

  @Override
  public void onLoss(long nowNs, long lostBytes, long inFlightBytes, long newestSentNs) {}

  @Override
  public void onTimeout(long nowNs) {}

  /** Chosen as {@code fixed} or {@code fixed:BYTES}. */
  public static final class FixedWindowProvider implements Provider {
    private final long windowBytes;

    /** One megabyte. */
    public FixedWindowProvider() {
      this(DEFAULT_BYTES);
    }

    FixedWindowProvider(long windowBytes) {
      this.windowBytes = windowBytes;
    }

    /**
     * The provider for the text behind {@code fixed:}.
     *
     * @throws IllegalArgumentException when it is not a positive number of bytes
     */
    static FixedWindowProvider parse(String bytes) {
      try {
        long window = Long.parseLong(bytes);
        if (window > 0) {
          return new FixedWindowProvider(window);
        }
      } catch (NumberFormatException e) {
        // falls through to the one message for both faults
      }
      throw new IllegalArgumentException(
          "congestion control 'fixed:' needs a positive number of bytes, not '" + bytes + "'");
    }

    @Override
    public String name() {
      return "fixed";
    }

    @Override
    public CongestionControl create(int segmentBytes, long initialWindowBytes) {
      return new FixedWindow(Math.max(windowBytes, 2L * segmentBytes));
    }
  }
}
