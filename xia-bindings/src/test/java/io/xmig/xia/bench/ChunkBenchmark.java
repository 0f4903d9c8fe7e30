package io.xmig.xia.bench;

import io.xmig.xia.node.chunk.BenchSupport;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the content cache and the chunk server cost.
 *
 * <ul>
 *   <li>{@code lookup}: one look-up in an LRU slice, counted as a use; should not grow with {@code
 *       chunks} beyond cache misses
 *   <li>{@code putAndEvict}: one put into a full FIFO slice
 *   <li>{@code answer64KiB}: reading one request and building all packets of its answer
 * </ul>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ChunkBenchmark {
  /** Chunks in the cache. */
  @Param({"100", "100000"})
  int chunks;

  /** Largest packet. */
  @Param({"1500", "9000"})
  int mtu;

  private BenchSupport support;

  /** Fills the cache. */
  @Setup
  public void fill() {
    support = new BenchSupport(mtu, chunks);
  }

  /** One look-up. */
  @Benchmark
  public Object lookup() {
    return support.lookup();
  }

  /** One put that evicts. */
  @Benchmark
  public void putAndEvict() {
    support.putAndEvict();
  }

  /** One range of 64 KiB. */
  @Benchmark
  public long answer64KiB() {
    return support.answerRange();
  }
}
