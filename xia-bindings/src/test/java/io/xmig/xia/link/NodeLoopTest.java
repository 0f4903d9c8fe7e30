package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class NodeLoopTest {
  private final NodeLoop loop = NodeLoop.start("test-loop");

  @AfterEach
  void close() {
    loop.close();
  }

  @Test
  void runsTasksOfOtherThreadsOnItsOwnInTheirOrder() throws Exception {
    List<Integer> seen = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      int n = i;
      loop.execute(() -> seen.add(loop.inLoop() ? n : -1));
    }
    int last = loop.call(() -> seen.get(seen.size() - 1)).get(60, TimeUnit.SECONDS);
    assertThat(last).isEqualTo(999);
    assertThat(seen).isSorted().hasSize(1000);
  }

  @Test
  void wakesForTimersWithinAFractionOfAMillisecond() throws Exception {
    long best = Long.MAX_VALUE;
    for (int round = 0;
        round < 250 && best >= 1_000_000;
        round++) { // until the machine has a moment
      long[] late = new long[40];
      CompletableFuture<Void> done = new CompletableFuture<>();
      loop.execute(() -> next(late, 0, done));
      done.get(60, TimeUnit.SECONDS);
      java.util.Arrays.sort(late);
      assertThat(late[0]).as("never early").isGreaterThanOrEqualTo(0);
      best = Math.min(best, late[late.length / 4]);
    }
    assertThat(best).as("lateness of the better quarter in ns").isLessThan(1_000_000);
  }

  private void next(long[] late, int i, CompletableFuture<Void> done) {
    if (i == late.length) {
      done.complete(null);
      return;
    }
    long due = loop.nanoTime() + 700_000;
    loop.schedule(
        700_000,
        () -> {
          late[i] = System.nanoTime() - due;
          next(late, i + 1, done);
        });
  }

  @Test
  void sleepsWhenThereIsNothingToDo() throws Exception {
    Thread loopThread = loop.call(Thread::currentThread).get(60, TimeUnit.SECONDS);
    var threads = java.lang.management.ManagementFactory.getThreadMXBean();
    long before = threads.getThreadCpuTime(loopThread.getId());
    CompletableFuture<Void> later = new CompletableFuture<>();
    loop.execute(() -> loop.schedule(300_000_000, () -> later.complete(null)));
    later.get(60, TimeUnit.SECONDS);
    assertThat(threads.getThreadCpuTime(loopThread.getId()) - before).isLessThan(50_000_000L);
  }

  @Test
  void goesOnAfterATaskThatFails() throws Exception {
    loop.execute(
        () -> {
          throw new IllegalStateException("a task that fails on purpose");
        });
    assertThat(loop.call(() -> 7).get(60, TimeUnit.SECONDS)).isEqualTo(7);
  }

  @Test
  void closesWhatItOwnsInReverseOrderAndRefusesLaterCalls() throws Exception {
    List<String> closed = new ArrayList<>();
    loop.call(
            () -> {
              loop.own(() -> closed.add("first"));
              loop.own(() -> closed.add("second"));
              return 0;
            })
        .get(60, TimeUnit.SECONDS);
    loop.close();
    assertThat(closed).containsExactly("second", "first");
    assertThatThrownBy(() -> loop.call(() -> 1).get(60, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("ended");
  }

  @Test
  void losesNoWakeUpWhenManyThreadsCallAtOnce() throws Exception {
    AtomicInteger ran = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      Thread thread =
          new Thread(
              () -> {
                for (int i = 0; i < 2000; i++) {
                  try {
                    loop.call(ran::incrementAndGet).get(60, TimeUnit.SECONDS);
                  } catch (Exception e) {
                    return;
                  }
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(ran.get()).isEqualTo(8000);
  }
}
