package io.xmig.control.host;

import java.util.ArrayDeque;

/**
 * How long the rest of a migration takes, by how fast it has become less. QEMU's own rate is that
 * of the pipe, and an empty part of a disk goes by without a byte in it.
 *
 * @threading one thread
 */
final class TimeToGo {
  /** What came before says nothing of the rest. */
  private static final long WINDOW_NS = 3_000_000_000L;

  /** A shorter time says nothing either. */
  private static final long LEAST_NS = 500_000_000L;

  private record Seen(long nowNs, long left) {}

  private final ArrayDeque<Seen> seen = new ArrayDeque<>();

  /**
   * What is left now.
   *
   * @return milliseconds to go, 0 while it cannot be told
   */
  long ms(long nowNs, long left) {
    seen.addLast(new Seen(nowNs, left));
    while (nowNs - seen.getFirst().nowNs() > WINDOW_NS) {
      seen.removeFirst();
    }
    Seen first = seen.getFirst();
    long tookNs = nowNs - first.nowNs();
    long less = first.left() - left;
    return tookNs < LEAST_NS || less <= 0 ? 0 : Math.round((double) left / less * tookNs / 1e6);
  }
}
