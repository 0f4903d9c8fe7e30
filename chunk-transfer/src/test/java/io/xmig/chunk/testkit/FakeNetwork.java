package io.xmig.chunk.testkit;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.testkit.VirtualLoop;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Hosts that reach each other with a delay, sometimes. */
public final class FakeNetwork {
  final VirtualLoop loop = new VirtualLoop();
  final SplittableRandom random;
  final Map<Xid, FakeStack> hosts = new HashMap<>();

  long delayNs = 1_000_000;
  long jitterNs;
  double bytesPerSecond = 100e6;
  double chunkFailure;
  double chunkCorruption;
  double chunkSilence;
  boolean partitioned;
  long streamPatienceNs = Duration.ofSeconds(20).toNanos();
  private long busyUntilNs;
  private long trace;
  private int nextHost = 1;

  /** A network whose chances come from this seed. */
  public FakeNetwork(long seed) {
    random = new SplittableRandom(seed);
    trace = seed;
  }

  /** The clock of all hosts. */
  public VirtualLoop loop() {
    return loop;
  }

  /** Randomness of this run. */
  public SplittableRandom random() {
    return random;
  }

  /** Sets delay and jitter of everything. */
  public FakeNetwork delay(Duration delay, Duration jitter) {
    delayNs = delay.toNanos();
    jitterNs = jitter.toNanos();
    return this;
  }

  /** Sets the rate at which chunks travel. */
  public FakeNetwork rate(double perSecond) {
    bytesPerSecond = perSecond;
    return this;
  }

  /** Sets how often a chunk request fails, and how often it brings wrong bytes. */
  public FakeNetwork chunkFaults(double failure, double corruption) {
    chunkFailure = failure;
    chunkCorruption = corruption;
    return this;
  }

  /** Sets how often a chunk request is never answered at all. */
  public FakeNetwork chunkSilence(double probability) {
    chunkSilence = probability;
    return this;
  }

  /** How long a stream connection outlives a partition. */
  public FakeNetwork streamPatience(Duration patience) {
    streamPatienceNs = patience.toNanos();
    return this;
  }

  /** A host with a stack. */
  public FakeStack host() {
    Xid hid = Xid.of(XidType.HID.code(), 0, 0, nextHost++);
    FakeStack stack = new FakeStack(this, hid, 1 << 20);
    hosts.put(hid, stack);
    return stack;
  }

  /** A host whose stack takes chunks up to this size. */
  public FakeStack host(int maxChunkBytes) {
    Xid hid = Xid.of(XidType.HID.code(), 0, 0, nextHost++);
    FakeStack stack = new FakeStack(this, hid, maxChunkBytes);
    hosts.put(hid, stack);
    return stack;
  }

  /** Cuts or mends the network between all hosts. */
  public void partition(boolean cut) {
    partitioned = cut;
    note(cut ? 1 : 2);
    if (!cut) {
      hosts.values().forEach(FakeStack::onMended);
    }
  }

  /** A number that tells two different runs apart. */
  public long trace() {
    return trace;
  }

  void note(long value) {
    long h = (trace ^ value ^ loop.nanoTime() * 31) * 0x9E3779B97F4A7C15L;
    trace = h ^ h >>> 29;
  }

  long travelNs() {
    return delayNs + (jitterNs == 0 ? 0 : random.nextLong(jitterNs));
  }

  /** When bytes that leave now have passed the bottleneck and arrived. */
  long arrivalDelayNs(int bytes) {
    long now = loop.nanoTime();
    busyUntilNs = Math.max(now, busyUntilNs) + (long) (bytes * 1e9 / bytesPerSecond);
    return busyUntilNs - now + travelNs();
  }

  @Nullable FakeStack owner(Dag dag) {
    Xid hid = dag.host();
    return hid == null ? null : hosts.get(hid);
  }
}
