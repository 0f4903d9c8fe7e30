package io.xmig.control.qemu;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Microseconds since the epoch: what QEMU dates its events with, and what everything that is
 * compared with them uses.
 */
public final class EpochMicros {
  private EpochMicros() {}

  /** A moment in microseconds. */
  public static long of(Instant time) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, time);
  }

  /** Now, by the system's clock. */
  public static long now() {
    return of(Instant.now());
  }
}
