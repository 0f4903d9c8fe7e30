package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimerHeapTest {
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void runsWhatWasNotCancelledInOrderOfTimeThenOfScheduling(long seed) {
    Random random = new Random(seed);
    TimerHeap heap = new TimerHeap();
    List<long[]> expected = new ArrayList<>();
    List<Long> ran = new ArrayList<>();
    for (long i = 0; i < 2000; i++) {
      long due = random.nextInt(300);
      long id = i;
      TimerHeap.Entry entry = heap.add(due, () -> ran.add(id));
      if (random.nextInt(3) == 0) {
        entry.cancel();
        entry.cancel();
      } else {
        expected.add(new long[] {due, id});
      }
    }
    expected.sort((a, b) -> a[0] != b[0] ? Long.compare(a[0], b[0]) : Long.compare(a[1], b[1]));
    for (long now = 0; now < 300; now++) {
      for (Runnable task = heap.pollDue(now); task != null; task = heap.pollDue(now)) {
        task.run();
      }
    }
    assertThat(ran).containsExactlyElementsOf(expected.stream().map(e -> e[1]).toList());
    assertThat(heap.isEmpty()).isTrue();
  }
}
