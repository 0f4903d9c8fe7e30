package io.xmig.xia.testkit;

import io.xmig.xia.socket.EventLoop;
import java.time.Duration;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;

/**
 * An event loop whose time passes only from task to task. Tasks due at the same instant run in the
 * order in which they were scheduled, so a run depends on nothing but its inputs.
 *
 * <p>What a task throws ends the run and reaches the test.
 *
 * @threading the thread that made it; work from another thread would not be repeatable and is
 *     refused
 */
public final class VirtualLoop implements EventLoop {
  /** Tasks at one instant beyond which a run is taken for a hang. */
  private static final int MAX_TASKS_PER_INSTANT = 5_000_000;

  private static final class Task implements Timer, Comparable<Task> {
    final long dueNs;
    final long order;
    Runnable work;
    boolean done;

    Task(long dueNs, long order, Runnable work) {
      this.dueNs = dueNs;
      this.order = order;
      this.work = work;
    }

    @Override
    public void cancel() {
      done = true;
      work = () -> {};
    }

    @Override
    public int compareTo(Task other) {
      int byTime = Long.compare(dueNs, other.dueNs);
      return byTime != 0 ? byTime : Long.compare(order, other.order);
    }
  }

  private final Thread owner = Thread.currentThread();
  private final PriorityQueue<Task> tasks = new PriorityQueue<>();
  private long nowNs;
  private long order;
  private int tasksAtThisInstant;

  @Override
  public long nanoTime() {
    return nowNs;
  }

  @Override
  public Timer schedule(long delayNs, Runnable task) {
    requireOwner();
    Task scheduled = new Task(nowNs + Math.max(0, delayNs), order++, task);
    tasks.add(scheduled);
    return scheduled;
  }

  @Override
  public void execute(Runnable task) {
    schedule(0, task);
  }

  @Override
  public boolean inLoop() {
    return Thread.currentThread() == owner;
  }

  private void requireOwner() {
    if (Thread.currentThread() != owner) {
      throw new IllegalStateException(
          "a simulation runs on one thread, this is " + Thread.currentThread().getName());
    }
  }

  /** Whether nothing is left to do. */
  public boolean isIdle() {
    dropCancelled();
    return tasks.isEmpty();
  }

  private void dropCancelled() {
    while (!tasks.isEmpty() && tasks.peek().done) {
      tasks.poll();
    }
  }

  /** Runs everything that is due within {@code time} and lets that time pass. */
  public void run(Duration time) {
    runUntil(() -> false, time);
  }

  /**
   * Runs task by task until {@code condition} holds after one, or {@code limit} has passed, or
   * nothing is left to do.
   *
   * @return whether the condition holds
   */
  public boolean runUntil(BooleanSupplier condition, Duration limit) {
    requireOwner();
    long end = nowNs + limit.toNanos();
    if (condition.getAsBoolean()) {
      return true;
    }
    while (true) {
      dropCancelled();
      Task next = tasks.peek();
      if (next == null || next.dueNs > end) {
        advanceTo(end);
        return condition.getAsBoolean();
      }
      tasks.poll();
      advanceTo(next.dueNs);
      if (++tasksAtThisInstant > MAX_TASKS_PER_INSTANT) {
        throw new IllegalStateException("no end of tasks at " + Duration.ofNanos(nowNs));
      }
      next.done = true;
      next.work.run();
      if (condition.getAsBoolean()) {
        return true;
      }
    }
  }

  private void advanceTo(long timeNs) {
    if (timeNs > nowNs) {
      nowNs = timeNs;
      tasksAtThisInstant = 0;
    }
  }
}
