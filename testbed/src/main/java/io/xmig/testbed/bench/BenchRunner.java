package io.xmig.testbed.bench;

import io.xmig.xia.host.RouterCache;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Benches for other commands than {@code xmig bench}, on bare links. */
public final class BenchRunner {
  private final int repetitions;
  private final Duration warmUp;
  private final long bytes;
  private final Bench.Journal journal;

  /**
   * @param repetitions measured, after the warm-up
   * @param warmUp how long a bench runs before anything counts
   * @param bytes transferred in each repetition
   * @param say is told how far a bench is
   */
  public BenchRunner(int repetitions, Duration warmUp, long bytes, Consumer<String> say) {
    this.repetitions = repetitions;
    this.warmUp = warmUp;
    this.bytes = bytes;
    this.journal =
        new Bench.Journal() {
          @Override
          public void now(String what) {
            say.accept(what);
          }

          @Override
          public void used(String bench, String setting, Map<String, ProcessUse> processes) {
            // whoever wants that runs xmig bench
          }
        };
  }

  /** Goodput of chunks over links of an MTU. */
  public Figure chunk(int mtu) throws IOException {
    return new ChunkBench().run(options(List.of(mtu)), journal).get(0);
  }

  /** Packets forwarded by one core, a figure for each kind of packet. */
  public List<Figure> forward() {
    return new ForwardBench().run(options(List.of(1500)), journal);
  }

  private BenchOptions options(List<Integer> mtus) {
    return new BenchOptions(
        repetitions,
        warmUp,
        bytes,
        mtus,
        BenchOptions.Links.UNIX,
        null,
        BenchOptions.DEFAULT_CHUNK_BYTES,
        List.of(RouterCache.OFF),
        false,
        1);
  }
}
