package io.xmig.adapt.agent;

import java.time.Duration;

/** A deadline that moves away, doubling its distance, each time it is missed. */
final class Backoff {
  static final long NEVER = Long.MAX_VALUE;

  private final long firstNs;
  private final long maxNs;
  private long pauseNs;
  private long atNs = NEVER;
  private int tries;

  Backoff(Duration first, Duration max) {
    this.firstNs = first.toNanos();
    this.maxNs = max.toNanos();
    this.pauseNs = firstNs;
  }

  /** Starts anew; the first deadline is one first pause away. */
  void start(long nowNs) {
    pauseNs = firstNs;
    tries = 1;
    atNs = nowNs + pauseNs;
  }

  /** Moves on after a deadline. */
  void again(long nowNs) {
    pauseNs = Math.min(2 * pauseNs, maxNs);
    tries++;
    atNs = nowNs + pauseNs;
  }

  void stop() {
    atNs = NEVER;
  }

  boolean running() {
    return atNs != NEVER;
  }

  boolean due(long nowNs) {
    return atNs != NEVER && nowNs - atNs >= 0;
  }

  long atNs() {
    return atNs;
  }

  int tries() {
    return tries;
  }
}
