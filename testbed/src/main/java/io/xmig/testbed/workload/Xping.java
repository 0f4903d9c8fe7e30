package io.xmig.testbed.workload;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Asks a host for an XCMP echo at a fixed rhythm and keeps every answer's time: the paper's
 * instrument for downtime. With interval Δt the outage is known to ± Δt.
 *
 * @threading on the stack's loop
 * @source paper, section 3.2; docs/wire.md section 7 for the message
 */
public final class Xping implements AutoCloseable {
  private static final int ECHO_REPLY = 0;
  private static final int UNREACHABLE = 3;
  private static final int TIME_EXCEEDED = 11;
  private static final int MAX_OUTSTANDING = 1 << 16;

  private final EventLoop loop;
  private final WallClock clock;
  private final Dag target;
  private long intervalNs;
  private final int id;
  private final ByteBuffer data;
  private final int hopLimit;
  private final @Nullable Listener listener;
  private final List<Probe> probes = new ArrayList<>();
  private @Nullable XcmpSocket socket;
  private EventLoop.@Nullable Timer next;
  private long nextAtNs;
  private boolean running = true;
  private int limit;

  private static final class Probe {
    final long sentUs;
    long rttUs = Sample.LOST;

    Probe(long sentUs) {
      this.sentUs = sentUs;
    }
  }

  /** Told of answers as they come. */
  public interface Listener {
    /** An answer to probe {@code sequence} from {@code source}. */
    void onReply(int sequence, Dag source, long rttUs, int bytes);

    /** A router or host reports a problem: destination unreachable or hop limit exceeded. */
    default void onError(Dag source, String what) {}
  }

  private Xping(
      XiaStack stack,
      Dag target,
      Duration interval,
      int id,
      int dataBytes,
      int hopLimit,
      @Nullable Listener listener) {
    this.loop = stack.loop();
    this.clock = new WallClock(loop);
    this.target = target;
    this.intervalNs = interval.toNanos();
    this.id = id & 0xffff;
    this.data = ByteBuffer.allocateDirect(dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    this.hopLimit = hopLimit;
    this.listener = listener;
    for (int i = 0; i < dataBytes; i++) {
      data.put(i, (byte) i);
    }
  }

  /**
   * Starts probing at once; call it on the stack's loop.
   *
   * @param target address down to a HID
   * @param interval time between two probes, at least 1 ms
   * @param id tells this prober's answers from others'
   * @param dataBytes payload of a probe after identifier and sequence, 16 to 1400
   */
  public static CompletableFuture<Xping> start(
      XiaStack stack,
      Dag target,
      Duration interval,
      int id,
      int dataBytes,
      int hopLimit,
      @Nullable Listener listener) {
    Xping ping = new Xping(stack, target, interval, id, dataBytes, hopLimit, listener);
    return stack
        .openXcmp(ping::onMessage)
        .thenApply(
            opened -> {
              ping.socket = opened;
              ping.nextAtNs = ping.loop.nanoTime();
              ping.probe();
              return ping;
            });
  }

  private void probe() {
    if (!running || socket == null || limit > 0 && probes.size() >= limit) {
      return;
    }
    int sequence = probes.size();
    long nowUs = clock.nowUs();
    probes.add(new Probe(nowUs));
    if (data.capacity() >= 16) {
      data.putLong(0, nowUs / 1_000_000);
      data.putLong(8, nowUs % 1_000_000);
    }
    socket.echo(target, id, sequence & 0xffff, data.duplicate(), hopLimit);
    nextAtNs += intervalNs;
    next = loop.schedule(nextAtNs - loop.nanoTime(), this::probe);
  }

  private void onMessage(Dag source, ByteBuffer message) {
    if (message.remaining() < 8) {
      return;
    }
    ByteBuffer m = message.slice().order(ByteOrder.LITTLE_ENDIAN);
    int type = m.get(0) & 0xff;
    if (type == ECHO_REPLY) {
      onReply(source, m);
    } else if (listener != null && (type == UNREACHABLE || type == TIME_EXCEEDED)) {
      listener.onError(
          source, type == UNREACHABLE ? "destination unreachable" : "hop limit exceeded");
    }
  }

  private void onReply(Dag source, ByteBuffer m) {
    if ((m.getShort(4) & 0xffff) != id || probes.isEmpty()) {
      return;
    }
    // The sequence field has 16 bits: the newest probe with these low bits is meant.
    int low = m.getShort(6) & 0xffff;
    int newest = probes.size() - 1;
    int sequence = newest - ((newest - low) & (MAX_OUTSTANDING - 1));
    if (sequence < 0) {
      return;
    }
    Probe probe = probes.get(sequence);
    if (probe.rttUs == Sample.LOST) {
      probe.rttUs = Math.max(0, clock.nowUs() - probe.sentUs);
      if (listener != null) {
        listener.onReply(sequence, source, probe.rttUs, m.remaining());
      }
    }
  }

  /**
   * Probes in another rhythm from now on, beginning at once.
   *
   * @param interval as for {@link #start}; {@link #log} is of this one then
   */
  public void interval(Duration interval) {
    intervalNs = interval.toNanos();
    if (next != null) {
      next.cancel();
    }
    nextAtNs = loop.nanoTime();
    probe();
  }

  /** Whom it probes. */
  public Dag target() {
    return target;
  }

  /** Stops sending by itself after this many probes; 0 for no end. */
  public void limit(int probesAtMost) {
    limit = probesAtMost;
  }

  /** Probes sent so far. */
  public int sent() {
    return probes.size();
  }

  /** Stops probing but still takes answers, until {@link #close}. */
  public void stopSending() {
    running = false;
    if (next != null) {
      next.cancel();
    }
  }

  /** What has been seen up to now. */
  public ProbeLog log() {
    return new ProbeLog(
        intervalNs / 1000, probes.stream().map(p -> new Sample(p.sentUs, p.rttUs)).toList());
  }

  @Override
  public void close() {
    stopSending();
    if (socket != null) {
      socket.close();
    }
  }
}
