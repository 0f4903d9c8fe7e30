package io.xmig.xia.link;

import io.xmig.xia.link.posix.Descriptor;
import io.xmig.xia.link.posix.Epoll;
import io.xmig.xia.link.posix.EventDescriptor;
import io.xmig.xia.link.posix.Threads;
import io.xmig.xia.socket.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that drives any number of nodes, links and sockets.
 *
 * <pre>
 *   wait ─▶ descriptors ready ─▶ timers due ─▶ tasks ─▶ flush what was gathered ─┐
 *    ▲                                                                           │
 *    └── 0 if there is more to do, else until the next timer ◀── pause for busy ◀┘
 *                                                                links, if any
 * </pre>
 *
 * Under load each turn handles whole batches; without it the thread sleeps in the kernel. The clock
 * is read once per step of a turn, so {@link #nanoTime} is cheap and may lag by the length of one
 * handler.
 *
 * @threading {@link #execute}, {@link #call}, {@link #inLoop}, {@link #onEnd} and {@link #close}
 *     from any thread, the rest on the loop
 */
public final class NodeLoop implements EventLoop, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NodeLoop.class);

  /** Wake-ups are this exact; the kernel's default of 50 µs would blur emulated links. */
  private static final long TIMER_SLACK_NS = 1_000;

  /** Tasks run before the links are flushed and descriptors looked at again. */
  private static final int TASKS_PER_TURN = 256;

  private static final int EVENTS_PER_TURN = 64;

  /** Gets the events of a descriptor. */
  @FunctionalInterface
  public interface Handler {
    /** {@code events} is a union of the constants of {@link Epoll}. */
    void ready(int events);
  }

  /** A descriptor being watched. */
  public final class Registration {
    private final Descriptor descriptor;
    private final Handler handler;
    private final int token;
    private final boolean canWait;
    private int interest;
    private boolean cancelled;

    private Registration(
        Descriptor descriptor, int interest, Handler handler, int token, boolean canWait) {
      this.descriptor = descriptor;
      this.interest = interest;
      this.handler = handler;
      this.token = token;
      this.canWait = canWait;
    }

    /** Changes the events waited for; costs nothing if they are the same. */
    public void interest(int events) {
      if (!cancelled && events != interest) {
        interest = events;
        epoll.modify(descriptor, events, token);
        if (!canWait) {
          urgent.modify(descriptor, events, token);
        }
      }
    }

    /** Stops watching; before the descriptor is closed. */
    public void cancel() {
      if (!cancelled) {
        cancelled = true;
        epoll.remove(descriptor);
        if (!canWait) {
          urgent.remove(descriptor);
        }
        registrations.set(token, null);
        freeTokens.add(token);
      }
    }
  }

  private final Epoll epoll = new Epoll(EVENTS_PER_TURN);

  /** What ends a pause: every descriptor but those of links that can wait. */
  private final Epoll urgent = new Epoll(1);

  private final EventDescriptor wakeUp = new EventDescriptor();
  private final List<@Nullable Registration> registrations = new ArrayList<>();
  private final ArrayDeque<Integer> freeTokens = new ArrayDeque<>();
  private final @Nullable Registration[] readyNow = new @Nullable Registration[EVENTS_PER_TURN];
  private final TimerHeap timers = new TimerHeap();
  private final ArrayDeque<Runnable> local = new ArrayDeque<>();
  private final Queue<Runnable> remote = new ConcurrentLinkedQueue<>();
  private final ArrayList<Runnable> flushes = new ArrayList<>();
  private final List<AutoCloseable> owned = new ArrayList<>();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final Set<Farewell> farewells = ConcurrentHashMap.newKeySet();
  private final Thread thread;
  private volatile boolean asleep;
  private volatile boolean stopping;
  private long nowNs = System.nanoTime();
  private final InterruptModeration moderation;

  private NodeLoop(String name, InterruptModeration moderation) {
    this.moderation = moderation;
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
  }

  /** Starts a loop on a thread of this name. */
  public static NodeLoop start(String name) {
    return start(name, new InterruptModeration(System.nanoTime()));
  }

  static NodeLoop start(String name, InterruptModeration moderation) {
    NodeLoop loop = new NodeLoop(name, moderation);
    loop.register(loop.wakeUp, Epoll.IN, events -> loop.wakeUp.drain());
    loop.thread.start();
    return loop;
  }

  @Override
  public long nanoTime() {
    return inLoop() ? nowNs : System.nanoTime();
  }

  @Override
  public boolean inLoop() {
    return Thread.currentThread() == thread;
  }

  @Override
  public Timer schedule(long delayNs, Runnable task) {
    if (!inLoop()) {
      throw new IllegalStateException("timers are set on the loop; come in through execute");
    }
    return timers.add(nowNs + Math.max(0, delayNs), task);
  }

  @Override
  public void execute(Runnable task) {
    if (inLoop()) {
      local.add(task);
      return;
    }
    remote.add(task);
    if (asleep) {
      wakeUp.signal();
    }
  }

  /** Runs a function on the loop; for set-up and commands, not for the packet path. */
  public <T> CompletableFuture<T> call(Callable<T> function) {
    CompletableFuture<T> result = new CompletableFuture<>();
    execute(
        () -> {
          try {
            result.complete(function.call());
          } catch (Exception e) {
            result.completeExceptionally(e);
          }
        });
    if (stopping) {
      ended.whenComplete(
          (v, e) -> result.completeExceptionally(new IllegalStateException("the loop has ended")));
    }
    return result;
  }

  /** Watches a descriptor. */
  public Registration register(Descriptor descriptor, int interest, Handler handler) {
    return register(descriptor, interest, handler, false);
  }

  /**
   * Watches the descriptor of a link whose kernel side holds what comes for some milliseconds.
   * While such links are busy they are looked at in intervals ({@link #receivedLarge}).
   */
  Registration registerBulk(Descriptor descriptor, int interest, Handler handler) {
    return register(descriptor, interest, handler, true);
  }

  /**
   * Reads the clock anew within a turn. A link that has received something does so: a round trip
   * must not seem shorter than it was because the loop was kept from running meanwhile.
   */
  void readClock() {
    nowNs = System.nanoTime();
  }

  /** Large frames have come by a link that can wait. */
  void receivedLarge(int frames) {
    moderation.frames(frames);
  }

  private Registration register(
      Descriptor descriptor, int interest, Handler handler, boolean canWait) {
    Integer free = freeTokens.poll();
    int token = free == null ? registrations.size() : free;
    Registration registration = new Registration(descriptor, interest, handler, token, canWait);
    epoll.add(descriptor, interest, token);
    if (!canWait) {
      urgent.add(descriptor, interest, token);
    }
    if (free == null) {
      registrations.add(registration);
    } else {
      registrations.set(token, registration);
    }
    return registration;
  }

  /**
   * Runs {@code flush} once at the end of this turn. Links call it when their first frame of the
   * turn is queued, always with the same object, so that nothing is allocated.
   */
  public void flushLater(Runnable flush) {
    flushes.add(flush);
  }

  /** Closes {@code resource} on the loop when the loop ends, the last one first. */
  public void own(AutoCloseable resource) {
    owned.add(resource);
  }

  private void run() {
    Threads.timerSlack(TIMER_SLACK_NS);
    try {
      while (!stopping) {
        turn();
      }
    } catch (Throwable e) { // also errors: whoever waits for the loop must hear of its end
      log.error("the loop {} has died", thread.getName(), e);
    } finally {
      stopping = true;
      closeOwned();
      runTasks(); // what was handed in before the end: it may carry somebody's completion
      epoll.close();
      urgent.close();
      wakeUp.close();
      ended.complete(null);
      sayFarewells();
    }
  }

  private void turn() {
    int events = awaitEvents();
    nowNs = System.nanoTime();
    moderation.looking(nowNs);
    for (int i = 0; i < events; i++) {
      // looked up at once: a handler may close descriptors whose events follow
      readyNow[i] = registrations.get((int) epoll.token(i));
    }
    for (int i = 0; i < events; i++) {
      Registration registration = readyNow[i];
      if (registration != null && !registration.cancelled) {
        try {
          registration.handler.ready(epoll.events(i));
        } catch (RuntimeException e) {
          log.error("handler of {} failed", registration.descriptor, e);
        }
        nowNs = System.nanoTime();
      }
    }
    for (Runnable due = timers.pollDue(nowNs); due != null; due = timers.pollDue(nowNs)) {
      runGuarded(due);
    }
    runTasks();
    flush();
  }

  private int awaitEvents() {
    if (hasTasks()) {
      return epoll.await(0);
    }
    nowNs = System.nanoTime();
    long untilTimerNs = timers.isEmpty() ? -1 : Math.max(0, timers.firstDueNs() - nowNs);
    long pauseNs = moderation.pauseNs(nowNs);
    if (untilTimerNs == 0) {
      return epoll.await(0);
    }
    asleep = true;
    try {
      // a task added before the line above was not announced, one added after it is
      if (!remote.isEmpty() || stopping) {
        return epoll.await(0);
      }
      if (pauseNs == 0) {
        return epoll.await(untilTimerNs);
      }
      boolean timerFirst = untilTimerNs >= 0 && untilTimerNs < pauseNs;
      if (urgent.await(timerFirst ? untilTimerNs : pauseNs) == 0 && !timerFirst) {
        moderation.pausedToTheEnd();
      }
      return epoll.await(0);
    } finally {
      asleep = false;
    }
  }

  private boolean hasTasks() {
    return !local.isEmpty() || !flushes.isEmpty() || !remote.isEmpty();
  }

  private void runTasks() {
    for (int i = 0; i < TASKS_PER_TURN; i++) {
      Runnable task = local.poll();
      if (task == null) {
        task = remote.poll();
      }
      if (task == null) {
        return;
      }
      runGuarded(task);
    }
  }

  private void flush() {
    for (int i = 0; i < flushes.size(); i++) {
      runGuarded(flushes.get(i));
    }
    flushes.clear();
  }

  private void runGuarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      log.error("task failed on {}", thread.getName(), e);
    }
  }

  private void closeOwned() {
    for (int i = owned.size() - 1; i >= 0; i--) {
      try {
        owned.get(i).close();
      } catch (Exception e) {
        log.warn("closing {} failed", owned.get(i), e);
      }
    }
    owned.clear();
  }

  /** By identity: somebody who wants to hear of the end. */
  private static final class Farewell {
    final Runnable task;

    Farewell(Runnable task) {
      this.task = task;
    }
  }

  /**
   * Runs {@code task} once when the loop ends, at once if it has ended; from any thread. For what
   * lives shorter than the loop: {@link #ended} would keep hold of it.
   *
   * @return forgets the task
   */
  public Runnable onEnd(Runnable task) {
    Farewell farewell = new Farewell(task);
    farewells.add(farewell);
    if (ended.isDone()) {
      sayFarewells();
    }
    return () -> farewells.remove(farewell);
  }

  private void sayFarewells() {
    for (Farewell farewell : farewells) {
      if (farewells.remove(farewell)) {
        runGuarded(farewell.task);
      }
    }
  }

  /** Completes when the loop has ended and everything it owned is closed. */
  public CompletableFuture<Void> ended() {
    return ended;
  }

  /** Ends the loop; from another thread, waits until everything it owned is closed. */
  @Override
  public void close() {
    stopping = true;
    if (inLoop()) {
      return;
    }
    if (!ended.isDone()) {
      wakeUpIfOpen();
    }
    awaitEnd(Duration.ofSeconds(10));
  }

  private void wakeUpIfOpen() {
    try {
      wakeUp.signal();
    } catch (IllegalStateException e) {
      log.debug("the loop ended by itself", e);
    }
  }

  private void awaitEnd(Duration longest) {
    try {
      ended.get(longest.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(thread.getName() + " does not end", e);
    }
  }
}
