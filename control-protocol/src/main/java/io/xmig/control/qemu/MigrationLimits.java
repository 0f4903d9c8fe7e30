package io.xmig.control.qemu;

import io.xmig.chunk.cut.DowntimeLimit;
import java.util.Optional;

/**
 * Chooses QEMU's {@code max-bandwidth} and {@code downtime-limit} while a migration runs, from what
 * its pipe measures.
 *
 * <pre>
 *   max-bandwidth   1.25 · R, at least 1 MiB/s; no limit until R has been known for a second
 *   downtime-limit  what the pipe counts with; after 10 passes what an idle guest needs with R
 * </pre>
 *
 * <p>QEMU divides what is left by the rate at which it got rid of bytes in the last tenth of a
 * second. A burst into buffers that have just been emptied makes that a rate which the path does
 * not have, and the guest is stopped too early. With the limit it cannot be wrong by more than a
 * quarter.
 *
 * @threading one thread; time is an argument
 * @source docs/protocol.md, section 5
 */
public final class MigrationLimits {
  /** What a path that has been measured wrongly can still recover from. */
  static final long MIN_BANDWIDTH = 1 << 20;

  private static final double HEADROOM = 1.25;

  /** A change that is smaller is not worth a command. */
  private static final double TOLERANCE = 0.2;

  /** The rate rises from round to round at first. */
  private static final long KNOWN_NS = 1_000_000_000L;

  /** A guest that converges does so in three to five. */
  private static final int PATIENCE_PASSES = 10;

  /**
   * Values of QEMU's parameters.
   *
   * @param maxBandwidth bytes per second
   * @param downtimeLimitMs milliseconds
   */
  public record Limits(long maxBandwidth, int downtimeLimitMs) {
    /** Whether there is a limit. */
    public boolean isBandwidthLimited() {
      return maxBandwidth < MigrationSettings.UNLIMITED;
    }
  }

  private final MigrationSettings settings;
  private Limits current;
  private long knownSinceNs;
  private boolean known;
  private boolean impatient;

  public MigrationLimits(MigrationSettings settings) {
    this.settings = settings;
    this.current = first(settings);
  }

  /** The limits of a migration whose path has not been measured yet. */
  public static Limits first(MigrationSettings settings) {
    return new Limits(
        settings.maxBandwidth() > 0 ? settings.maxBandwidth() : MigrationSettings.UNLIMITED,
        settings.downtimeLimitMs() > 0
            ? settings.downtimeLimitMs()
            : millis(DowntimeLimit.within(settings.outageTargetMs() * 1_000_000L, 0, 0)));
  }

  /** What QEMU has. */
  public Limits current() {
    return current;
  }

  /** QEMU has taken these. */
  public void taken(Limits limits) {
    current = limits;
  }

  /**
   * What QEMU should be given now, if that is something else than it has.
   *
   * @param bytesPerSecond measured rate of the path, 0 while it is not known
   * @param pipesLimitMs downtime-limit that the pipe counts with, 0 if it does not say
   * @param passes passes over memory that QEMU has begun
   */
  public Optional<Limits> next(long nowNs, long bytesPerSecond, int pipesLimitMs, long passes) {
    if (bytesPerSecond > 0 && !known) {
      known = true;
      knownSinceNs = nowNs;
    }
    if (bytesPerSecond <= 0 || nowNs - knownSinceNs < KNOWN_NS) {
      return Optional.empty();
    }
    Limits next =
        new Limits(bandwidth(bytesPerSecond), downtimeLimit(bytesPerSecond, pipesLimitMs, passes));
    return next.equals(current) ? Optional.empty() : Optional.of(next);
  }

  private long bandwidth(long bytesPerSecond) {
    if (settings.maxBandwidth() > 0) {
      return settings.maxBandwidth();
    }
    double wanted = Math.max(MIN_BANDWIDTH, HEADROOM * bytesPerSecond);
    long bounded = (long) Math.min(MigrationSettings.UNLIMITED, wanted);
    return differs(bounded, current.maxBandwidth()) ? bounded : current.maxBandwidth();
  }

  private int downtimeLimit(long bytesPerSecond, int pipesLimitMs, long passes) {
    if (settings.downtimeLimitMs() > 0) {
      return settings.downtimeLimitMs();
    }
    impatient |= passes > PATIENCE_PASSES;
    int wanted = pipesLimitMs > 0 ? pipesLimitMs : current.downtimeLimitMs();
    if (impatient) {
      wanted = Math.max(wanted, millis(DowntimeLimit.forIdleGuest(bytesPerSecond)));
    }
    return differs(wanted, current.downtimeLimitMs()) ? wanted : current.downtimeLimitMs();
  }

  private static boolean differs(double wanted, double has) {
    return Math.abs(wanted - has) > TOLERANCE * has;
  }

  private static int millis(long ns) {
    return Math.toIntExact(ns / 1_000_000);
  }
}
