package io.xmig.xia.bench;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.RoutePort;
import io.xmig.xia.node.RouteTable;
import java.util.SplittableRandom;
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
 * Looking up a route. Should not grow with {@code routes} beyond what the processor's caches cost.
 *
 * <ul>
 *   <li>{@code known}: an XID of the table
 *   <li>{@code unknown}: one that only the default route answers
 *   <li>{@code repoint}: replacing a route, as a machine that moves makes a router do
 * </ul>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class RoutingBenchmark {
  private static final int ASKED = 1024;

  /** Routes in the table. */
  @Param({"10", "10000", "1000000"})
  int routes;

  private final RouteTable table = new RouteTable(XidType.HID, RoutePort.UNREACHABLE);
  private final Xid[] known = new Xid[ASKED];
  private final Xid[] unknown = new Xid[ASKED];
  private int next;

  /** Fills the table with random XIDs. */
  @Setup
  public void fill() {
    SplittableRandom random = new SplittableRandom(1);
    Xid[] all = new Xid[routes];
    for (int i = 0; i < routes; i++) {
      all[i] = xid(random);
      table.set(all[i], i % 4, null, 0);
    }
    for (int i = 0; i < ASKED; i++) {
      known[i] = all[random.nextInt(routes)];
      unknown[i] = xid(random);
    }
  }

  private static Xid xid(SplittableRandom random) {
    return Xid.of(XidType.HID.code(), random.nextLong(), random.nextLong(), random.nextInt());
  }

  private Xid of(Xid[] asked) {
    next = (next + 1) % ASKED;
    return asked[next];
  }

  /** An XID of the table. */
  @Benchmark
  public Object known() {
    return table.lookup(of(known));
  }

  /** An XID that is not in it. */
  @Benchmark
  public Object unknown() {
    return table.lookup(of(unknown));
  }

  /** A route is replaced. */
  @Benchmark
  public void repoint() {
    table.set(of(known), next % 4, known[0], 0);
  }
}
