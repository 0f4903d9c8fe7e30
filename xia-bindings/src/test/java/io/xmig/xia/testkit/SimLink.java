package io.xmig.xia.testkit;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.random.RandomGenerator;

/** A link between two stations of a {@link SimNetwork}. */
public final class SimLink {
  /** What became of a frame. */
  public enum Fate {
    /** It arrived. */
    DELIVERED,
    /** By chance, as the profile says. */
    LOST,
    /** By the test's own predicate. */
    FILTERED,
    /** The link was cut. */
    CUT,
    /** Too many bytes were waiting for the rate. */
    QUEUE_FULL,
    /** Longer than the MTU. */
    TOO_BIG
  }

  private static final int ETHERNET_HEADER = 14;
  private static final int POOLED = 2048;

  private final SimNetwork network;
  private final int id;
  private final RandomGenerator random;
  private final Direction[] directions;
  private final Map<Fate, Long> fates = new EnumMap<>(Fate.class);
  private final ArrayDeque<ByteBuffer> pool = new ArrayDeque<>();
  private final SimStation[] stations;
  private final int[] ports;
  private BiPredicate<SimStation, ByteBuffer> filter = (from, frame) -> true;
  private boolean cut;
  private int epoch;
  private boolean plugged = true;

  private static final class Direction {
    LinkProfile profile;
    long busyUntilNs;
    long lastArrivalNs;

    Direction(LinkProfile profile) {
      this.profile = profile;
    }
  }

  SimLink(
      SimNetwork network,
      int id,
      RandomGenerator random,
      LinkProfile profile,
      SimStation a,
      int portA,
      SimStation b,
      int portB) {
    this.network = network;
    this.id = id;
    this.random = random;
    this.directions = new Direction[] {new Direction(profile), new Direction(profile)};
    this.stations = new SimStation[] {a, b};
    this.ports = new int[] {portA, portB};
    a.plug(portA, frame -> send(0, frame));
    b.plug(portB, frame -> send(1, frame));
  }

  /** Changes both directions; frames under way are not affected. */
  public void profile(LinkProfile profile) {
    directions[0].profile = profile;
    directions[1].profile = profile;
  }

  /** Changes the direction that leaves {@code from}. */
  public void profile(SimStation from, LinkProfile profile) {
    directions[from == stations[0] ? 0 : 1].profile = profile;
  }

  /** Loses everything, frames under way included, until {@link #heal}. */
  public void cut() {
    cut = true;
    epoch++;
  }

  /** Ends {@link #cut}. */
  public void heal() {
    cut = false;
  }

  /** Takes the link out of both stations for good; frames under way are lost. */
  public void unplug() {
    if (plugged) {
      plugged = false;
      cut();
      stations[0].plug(ports[0], null);
      stations[1].plug(ports[1], null);
    }
  }

  /**
   * Loses the frames for which {@code passes} is false; it is given the sending station and the
   * frame, position to limit, and must leave both as they are.
   */
  public void filter(BiPredicate<SimStation, ByteBuffer> passes) {
    filter = passes;
  }

  /** Frames of both directions with this fate. */
  public long count(Fate fate) {
    return fates.getOrDefault(fate, 0L);
  }

  private void send(int side, ByteBuffer frame) {
    Direction direction = directions[side];
    LinkProfile profile = direction.profile;
    int length = frame.remaining();
    network.observe(this, side, frame);
    if (!filter.test(stations[side], frame)) {
      end(side, Fate.FILTERED, frame);
    } else if (cut) {
      end(side, Fate.CUT, frame);
    } else if (length - ETHERNET_HEADER > profile.mtu()) {
      end(side, Fate.TOO_BIG, frame);
    } else if (!queue(direction, length)) {
      end(side, Fate.QUEUE_FULL, frame);
    } else if (chance(profile.loss())) {
      end(side, Fate.LOST, frame);
    } else {
      carry(side, frame);
      if (chance(profile.duplicate())) {
        carry(side, frame);
      }
    }
  }

  private boolean chance(double probability) {
    return probability > 0 && random.nextDouble() < probability;
  }

  /** Takes the time the frame occupies the link; false if too much is waiting already. */
  private boolean queue(Direction direction, int length) {
    LinkProfile profile = direction.profile;
    long now = network.loop().nanoTime();
    if (profile.bitsPerSecond() == 0) {
      direction.busyUntilNs = now;
      return true;
    }
    long waitNs = Math.max(0, direction.busyUntilNs - now);
    double waitingBytes = waitNs * 1e-9 * profile.bitsPerSecond() / 8;
    if (waitingBytes + length > profile.queueBytes() && waitNs > 0) {
      return false;
    }
    long takesNs = (long) (length * 8e9 / profile.bitsPerSecond());
    direction.busyUntilNs = Math.max(now, direction.busyUntilNs) + takesNs;
    return true;
  }

  private void carry(int side, ByteBuffer frame) {
    Direction direction = directions[side];
    LinkProfile profile = direction.profile;
    ByteBuffer copy = copyOf(frame);
    if (chance(profile.corrupt())) {
      for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
        int at = random.nextInt(copy.limit());
        copy.put(at, (byte) (copy.get(at) ^ 1 << random.nextInt(8)));
      }
    }
    long arrivalNs = direction.busyUntilNs + profile.delay().toNanos();
    if (!profile.jitter().isZero()) {
      arrivalNs += random.nextLong(profile.jitter().toNanos() + 1);
    }
    if (chance(profile.reorder())) {
      arrivalNs += 1 + random.nextLong(profile.reorderBy().toNanos() + 1);
    } else {
      arrivalNs = Math.max(arrivalNs, direction.lastArrivalNs);
      direction.lastArrivalNs = arrivalNs;
    }
    int sentIn = epoch;
    long delayNs = arrivalNs - network.loop().nanoTime();
    network.loop().schedule(delayNs, () -> arrive(side, copy, sentIn));
  }

  private void arrive(int side, ByteBuffer frame, int sentIn) {
    if (sentIn != epoch) {
      end(side, Fate.CUT, frame);
    } else {
      end(side, Fate.DELIVERED, frame);
      stations[1 - side].receive(ports[1 - side], frame);
    }
    if (frame.capacity() == POOLED) {
      pool.add(frame);
    }
  }

  private ByteBuffer copyOf(ByteBuffer frame) {
    int length = frame.remaining();
    ByteBuffer pooled = length <= POOLED ? pool.poll() : null;
    ByteBuffer copy =
        pooled != null ? pooled : ByteBuffer.allocate(length <= POOLED ? POOLED : length);
    copy.clear();
    copy.put(0, frame, frame.position(), length).limit(length);
    return copy;
  }

  private void end(int side, Fate fate, ByteBuffer frame) {
    fates.merge(fate, 1L, Long::sum);
    network.record(this, side, fate, frame);
  }

  int id() {
    return id;
  }

  /** The station that sends on a side, 0 or 1. */
  SimStation station(int side) {
    return stations[side];
  }

  /** {@code a:0-b:1}. */
  @Override
  public String toString() {
    return stations[0].name() + ":" + ports[0] + "-" + stations[1].name() + ":" + ports[1];
  }
}
