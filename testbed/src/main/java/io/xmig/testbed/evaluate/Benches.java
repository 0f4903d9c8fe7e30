package io.xmig.testbed.evaluate;

import io.xmig.testbed.bench.BenchRunner;
import io.xmig.testbed.bench.Figure;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** The lines of {@code xmig bench} that targets are about. */
final class Benches {
  private Benches() {}

  /**
   * Measures them.
   *
   * @param plan of the evaluation: the full one repeats more often
   */
  static List<Aside> run(String plan, Consumer<String> say) throws IOException {
    boolean full = plan.equals(Plan.FULL);
    BenchRunner runner =
        new BenchRunner(
            full ? 5 : 3, Duration.ofSeconds(full ? 5 : 4), (full ? 256L : 128L) << 20, say);
    List<Aside> found = new ArrayList<>();
    for (int mtu : List.of(65_535, 9_000, 1_500)) {
      Figure figure = runner.chunk(mtu);
      found.add(Aside.of(Aside.CHUNK + mtu, figure.median(), figure.unit(), note(figure)));
    }
    List<Figure> forward = runner.forward();
    Figure slowest = forward.get(0);
    double allocated = 0;
    for (Figure figure : forward) {
      slowest = figure.median() < slowest.median() ? figure : slowest;
      allocated = Math.max(allocated, figure.aside().getOrDefault("bytesAllocatedPerPacket", 0.0));
    }
    found.add(Aside.of(Aside.FORWARD, slowest.median(), slowest.unit(), note(slowest)));
    found.add(Aside.of(Aside.ALLOCATED, allocated, "B", "the most of all kinds of packets"));
    return found;
  }

  private static String note(Figure figure) {
    return String.format(
        Locale.ROOT,
        "xmig bench %s, %s, %s: %d runs, %.1f to %.1f",
        figure.bench(),
        figure.what(),
        figure.setting(),
        figure.samples().size(),
        figure.min(),
        figure.max());
  }
}
