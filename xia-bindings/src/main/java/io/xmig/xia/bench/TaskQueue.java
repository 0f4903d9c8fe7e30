package io.xmig.xia.bench;

import io.xmig.xia.socket.EventLoop;
import java.util.ArrayDeque;

/** An event loop without a thread: tasks wait until {@link #run}; timers never fire. */
final class TaskQueue implements EventLoop {
  private static final Timer NO_TIMER = () -> {};

  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();

  void run() {
    for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
      task.run();
    }
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public Timer schedule(long delayNs, Runnable task) {
    return NO_TIMER;
  }

  @Override
  public boolean inLoop() {
    return true;
  }

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }
}
