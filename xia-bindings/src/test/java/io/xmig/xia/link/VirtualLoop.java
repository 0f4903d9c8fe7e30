package io.xmig.xia.link;

import io.xmig.xia.socket.EventLoop;
import java.util.ArrayDeque;

/** A loop whose time passes when the test says so. */
final class VirtualLoop implements EventLoop {
  private final TimerHeap timers = new TimerHeap();
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private long nowNs;

  @Override
  public long nanoTime() {
    return nowNs;
  }

  @Override
  public Timer schedule(long delayNs, Runnable task) {
    return timers.add(nowNs + Math.max(0, delayNs), task);
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  @Override
  public boolean inLoop() {
    return true;
  }

  /** Lets time pass up to {@code untilNs}, running what is due on the way. */
  void runUntil(long untilNs) {
    while (true) {
      for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
        task.run();
      }
      if (timers.isEmpty() || timers.firstDueNs() > untilNs) {
        nowNs = untilNs;
        return;
      }
      nowNs = Math.max(nowNs, timers.firstDueNs());
      Runnable due = timers.pollDue(nowNs);
      if (due != null) {
        due.run();
      }
    }
  }
}
