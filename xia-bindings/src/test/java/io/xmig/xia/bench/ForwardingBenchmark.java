package io.xmig.xia.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long a router takes for one packet of 1,000 bytes, with and without in-memory links. Run it
 * with {@code -prof gc}: nothing may be allocated.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ForwardingBenchmark {
  private static final int PACKET_BYTES = 1000;

  @Param ForwardingRig.Path path;
  @Param ForwardingRig.Links links;

  /** Routes in the tables besides those in use. */
  @Param({"10", "10000"})
  int routes;

  private ForwardingRig rig;

  /** The router and the packets. */
  @Setup
  public void prepare() {
    rig = new ForwardingRig(path, links, routes, PACKET_BYTES);
  }

  /** One packet, in batches as a busy loop has them. */
  @Benchmark
  @OperationsPerInvocation(ForwardingRig.BATCH)
  public long forward() {
    return rig.forwardBatch();
  }
}
