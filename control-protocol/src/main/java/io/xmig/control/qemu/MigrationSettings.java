package io.xmig.control.qemu;

/**
 * How the source QEMU is to migrate.
 *
 * @param withDisk send the disk in the same stream
 * @param downtimeLimitMs QEMU stops the guest once it believes the rest takes no longer
 * @param maxBandwidth bytes per second QEMU may send before the guest is stopped
 */
public record MigrationSettings(boolean withDisk, int downtimeLimitMs, long maxBandwidth) {
  /** QEMU's default of 128 MiB/s would be a limit on any fast link. */
  public static final long UNLIMITED = 10L << 30;

  /** Half of QEMU's default costs no total time and a sixth of the outage. */
  public static final int DEFAULT_DOWNTIME_LIMIT_MS = 50;

  public MigrationSettings {
    if (downtimeLimitMs < 1 || downtimeLimitMs > 2_000_000) {
      throw new IllegalArgumentException("downtime limit out of range: " + downtimeLimitMs + " ms");
    }
    if (maxBandwidth < 1 << 10) {
      throw new IllegalArgumentException("bandwidth limit too small: " + maxBandwidth + " B/s");
    }
  }

  /** The usual settings. */
  public static MigrationSettings usual(boolean withDisk) {
    return new MigrationSettings(withDisk, DEFAULT_DOWNTIME_LIMIT_MS, UNLIMITED);
  }
}
