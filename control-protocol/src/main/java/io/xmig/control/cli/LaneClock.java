package io.xmig.control.cli;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.function.LongSupplier;

/** What the work of a lane costs: time of a processor, not time in which others had it. */
final class LaneClock {
  private LaneClock() {}

  /**
   * Nanoseconds that the calling thread has had a processor; where nobody counts them, the time.
   */
  static LongSupplier ofThisMachine() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return threads.isCurrentThreadCpuTimeSupported() && threads.isThreadCpuTimeEnabled()
        ? threads::getCurrentThreadCpuTime
        : System::nanoTime;
  }
}
