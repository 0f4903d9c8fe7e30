package io.xmig.adapt.service;

import java.time.Instant;

/** The wall clock that statements are dated with. */
final class EpochClock {
  private EpochClock() {}

  /** Microseconds since the epoch. */
  static long micros() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000L + now.getNano() / 1000;
  }
}
