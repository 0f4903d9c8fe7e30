package io.xmig.chunk.cut;

/**
 * Derives QEMU's downtime-limit D: how long the rest may take for which QEMU dares to stop the
 * guest.
 *
 * <pre>
 *   room = T − 40 ms                            T outage target, 40 ms = restart of the guest
 *   D    = room / 2                             the other half is for what is in flight
 *   but at least  3.75 MB / R                   what an idle guest may have dirtied, R measured rate
 *       at most   room − what is in flight / R  so that both fit
 *       and       10 ms to 2 s
 * </pre>
 *
 * @threading none, a function
 * @source docs/protocol.md, section 5; 3.75 MB: at 100 Mbit/s QEMU's own default of 300 ms lets an
 *     idle guest with a Java program go, 50 ms (150 pages) do not
 */
public final class DowntimeLimit {
  /** Restart of a guest, beyond what the stream decides. */
  static final long RESTART_NS = 40_000_000L;

  private static final long GUEST_BYTES = 3_750_000;
  private static final long MIN_NS = 10_000_000L;
  private static final long MAX_NS = 2_000_000_000L;

  private DowntimeLimit() {}

  /**
   * D within the outage target.
   *
   * @param outageTargetNs T
   * @param bytesPerSecond R, 0 while it is not known
   * @param inFlightBytes what must be in flight for the path not to idle, the pipes included
   */
  public static long within(long outageTargetNs, double bytesPerSecond, long inFlightBytes) {
    long room = outageTargetNs - RESTART_NS;
    long limit = room / 2;
    if (bytesPerSecond > 0) {
      limit = Math.max(limit, drainNs(GUEST_BYTES, bytesPerSecond));
      limit = Math.min(limit, room - drainNs(inFlightBytes, bytesPerSecond));
    }
    return bounded(limit);
  }

  /** The least D with which an idle guest converges, whatever the target; R must be known. */
  public static long forIdleGuest(double bytesPerSecond) {
    return bounded(drainNs(GUEST_BYTES, bytesPerSecond));
  }

  private static long drainNs(long bytes, double bytesPerSecond) {
    return (long) Math.min(MAX_NS, bytes * 1e9 / bytesPerSecond);
  }

  private static long bounded(long ns) {
    return Math.max(MIN_NS, Math.min(MAX_NS, ns));
  }
}
