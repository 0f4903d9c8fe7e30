package io.xmig.xia.socket;

import java.util.concurrent.Executor;

/**
 * The thread (or, in a simulation, the virtual clock) that a stack and its callers run on.
 *
 * <p>Every method of a stack and of what it hands out is called on this loop, and every handler and
 * every completion is run on it, one at a time. Code from other threads comes in through {@link
 * #execute}.
 *
 * @threading {@link #execute} and {@link #inLoop} from any thread, the rest on the loop only
 */
public interface EventLoop extends Executor {
  /** The loop's clock in nanoseconds; monotonic, arbitrary origin, virtual in a simulation. */
  long nanoTime();

  /** Runs {@code task} once, {@code delayNs} from now; a negative delay counts as 0. */
  Timer schedule(long delayNs, Runnable task);

  /** Whether the calling thread is the loop. */
  boolean inLoop();

  /** A task that has been scheduled. */
  interface Timer {
    /** Forgets the task if it has not run; repeating this is harmless. */
    void cancel();
  }
}
