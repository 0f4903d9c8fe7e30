package io.xmig.testbed.workload;

import io.xmig.xia.socket.EventLoop;

/**
 * Turns the time of an event loop into microseconds since the epoch, the time base that QEMU's
 * events use too.
 */
final class WallClock {
  private final EventLoop loop;
  private final long originUs;
  private final long originNs;

  WallClock(EventLoop loop) {
    this.loop = loop;
    java.time.Instant now = java.time.Instant.now();
    this.originUs = now.getEpochSecond() * 1_000_000L + now.getNano() / 1000;
    this.originNs = loop.nanoTime();
  }

  long nowUs() {
    return originUs + (loop.nanoTime() - originNs) / 1000;
  }
}
