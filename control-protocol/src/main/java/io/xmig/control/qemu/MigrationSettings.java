package io.xmig.control.qemu;

/**
 * How the source QEMU is to migrate.
 *
 * @param withDisk send the disk in the same stream
 * @param outageTargetMs outage to stay within, as far as guest and path allow it
 * @param downtimeLimitMs QEMU stops the guest once it believes the rest takes no longer; 0 for what
 *     follows from the outage target and the rate of the path
 * @param maxBandwidth bytes per second QEMU may send before the guest is stopped; 0 for a little
 *     more than the path carries
 */
public record MigrationSettings(
    boolean withDisk, int outageTargetMs, int downtimeLimitMs, long maxBandwidth) {
  /** QEMU's default of 128 MiB/s would be a limit on any fast link. */
  public static final long UNLIMITED = 10L << 30;

  /** On a fast path half of it is the outage, and it costs no total time. */
  public static final int DEFAULT_OUTAGE_TARGET_MS = 150;

  private static final int MAX_MS = 2_000_000;
  private static final int MIN_BANDWIDTH = 1 << 10;

  public MigrationSettings {
    if (outageTargetMs < 1 || outageTargetMs > MAX_MS) {
      throw new IllegalArgumentException("outage target out of range: " + outageTargetMs + " ms");
    }
    if (downtimeLimitMs < 0 || downtimeLimitMs > MAX_MS) {
      throw new IllegalArgumentException("downtime limit out of range: " + downtimeLimitMs + " ms");
    }
    if (maxBandwidth != 0 && maxBandwidth < MIN_BANDWIDTH) {
      throw new IllegalArgumentException("bandwidth limit too small: " + maxBandwidth + " B/s");
    }
  }

  /** Settings of which nothing is derived. */
  public static MigrationSettings fixed(boolean withDisk, int downtimeLimitMs, long maxBandwidth) {
    return new MigrationSettings(withDisk, DEFAULT_OUTAGE_TARGET_MS, downtimeLimitMs, maxBandwidth);
  }

  /** Settings of which everything is derived. */
  public static MigrationSettings usual(boolean withDisk) {
    return new MigrationSettings(withDisk, DEFAULT_OUTAGE_TARGET_MS, 0, 0);
  }

  /** The same for a VM whose disk travels or not. */
  public MigrationSettings withDisk(boolean travels) {
    return new MigrationSettings(travels, outageTargetMs, downtimeLimitMs, maxBandwidth);
  }
}
