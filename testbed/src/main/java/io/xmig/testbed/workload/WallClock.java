package io.xmig.testbed.workload;

import io.xmig.control.qemu.EpochMicros;
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
    this.originUs = EpochMicros.now();
    this.originNs = loop.nanoTime();
  }

  long nowUs() {
    return originUs + (loop.nanoTime() - originNs) / 1000;
  }
}
