package io.xmig.chunk.verify;

import io.xmig.chunk.ChunkException;
import io.xmig.xia.socket.EventLoop;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * One line of work beside the loop: jobs run one after the other in the order given, their results
 * come back on the loop in that order. In a simulation the executor is the loop itself.
 *
 * @threading {@link #run} on the loop
 */
public final class Lane {
  private final Executor executor;
  private final EventLoop loop;

  /**
   * @param executor runs tasks one at a time, in order
   */
  public Lane(Executor executor, EventLoop loop) {
    this.executor = executor;
    this.loop = loop;
  }

  /**
   * Runs {@code work} beside the loop, then {@code then} with its result on the loop; if {@code
   * work} throws, {@code failed} instead.
   */
  public <T> void run(Supplier<T> work, Consumer<T> then, Consumer<RuntimeException> failed) {
    executor.execute(
        () -> {
          T result;
          try {
            result = work.get();
          } catch (RuntimeException e) {
            loop.execute(() -> failed.accept(e));
            return;
          } catch (Error e) { // no memory, a native library that does not load: somebody waits
            loop.execute(
                () ->
                    failed.accept(
                        new ChunkException(
                            "work on the stream failed", Map.of("reason", e.toString()), e)));
            return;
          }
          loop.execute(() -> then.accept(result));
        });
  }
}
