package io.xmig.testbed.perf;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Measures towards a {@link PerfServer}.
 *
 * @threading on the stack's loop
 */
public final class PerfClient {
  private static final Duration CONNECT = Duration.ofSeconds(10);
  private static final long FINISH_NS = 30_000_000_000L;
  private static final long LONGEST_ROUND_TRIP_NS = 60_000_000_000L;
  private static final int DIGITS = 3;

  private final EventLoop loop;
  private final PerfOptions options;
  private final Dag server;
  private final Consumer<PerfReport.Interval> listener;
  private final Histogram roundTrips = new Histogram(LONGEST_ROUND_TRIP_NS, DIGITS);
  private final List<PerfFlow> flows = new ArrayList<>();
  private final List<PerfReport.Interval> intervals = new ArrayList<>();
  private final CompletableFuture<PerfReport> result = new CompletableFuture<>();
  private EventLoop.@Nullable Timer tick;
  private EventLoop.@Nullable Timer end;
  private long beganNs;
  private long cpuAtStartNs;
  private long lastTickNs;
  private long lastBytes;
  private long lastMessages;

  private PerfClient(
      EventLoop loop, PerfOptions options, Dag server, Consumer<PerfReport.Interval> listener) {
    this.loop = loop;
    this.options = options;
    this.server = server;
    this.listener = listener;
  }

  /**
   * Runs one test; call it on the stack's loop.
   *
   * @param server the service of the test's kind
   * @param listener is told of every interval while the test runs
   * @return the report; fails if the server cannot be reached or breaks off
   */
  public static CompletableFuture<PerfReport> run(
      XiaStack stack, Dag server, PerfOptions options, Consumer<PerfReport.Interval> listener) {
    int most = stack.capabilities().maxDatagramBytes();
    if (!options.test().onStream() && options.messageBytes() > most) {
      throw new XiaSocketException(
          XiaSocketException.Kind.MESSAGE_TOO_LONG,
          "datagrams of this stack are shorter",
          Map.of("bytes", options.messageBytes(), "most", most));
    }
    PerfClient client = new PerfClient(stack.loop(), options, server, listener);
    client.open(stack);
    return client.result;
  }

  private void open(XiaStack stack) {
    SecureRandom random = new SecureRandom();
    CompletableFuture<?>[] opening = new CompletableFuture<?>[options.parallel()];
    for (int i = 0; i < opening.length; i++) {
      opening[i] = openFlow(stack, random.nextLong()).thenAccept(flows::add);
    }
    CompletableFuture.allOf(opening)
        .whenComplete(
            (all, failure) -> {
              if (failure != null) {
                fail(failure);
              } else {
                begin();
              }
            });
  }

  private CompletableFuture<PerfFlow> openFlow(XiaStack stack, long session) {
    if (options.test().onStream()) {
      StreamFlow flow = new StreamFlow(loop, options, roundTrips);
      return stack.connect(server, CONNECT, flow).thenApply(flow::connected);
    }
    DatagramFlow flow = new DatagramFlow(loop, options, server, session, roundTrips);
    return stack.openDatagram(null, flow).thenApply(flow::opened);
  }

  private void begin() {
    cpuAtStartNs = cpuNs();
    beganNs = loop.nanoTime();
    lastTickNs = beganNs;
    end = loop.schedule(options.duration().toNanos(), this::stop);
    tickLater();
    CompletableFuture.allOf(flows.stream().map(PerfFlow::done).toArray(CompletableFuture<?>[]::new))
        .whenComplete(
            (all, failure) -> {
              if (failure != null) {
                fail(failure);
              } else {
                finish();
              }
            });
    for (PerfFlow flow : flows) {
      flow.done().exceptionally(this::giveUp);
      flow.begin();
    }
  }

  private PerfFlow.@Nullable Outcome giveUp(Throwable failure) {
    fail(failure);
    return null;
  }

  private void stop() {
    if (tick != null) {
      tick.cancel();
      if (loop.nanoTime() - lastTickNs >= options.interval().toNanos() / 2) {
        report();
      }
    }
    end =
        loop.schedule(
            FINISH_NS,
            () ->
                fail(
                    new XiaSocketException(
                        XiaSocketException.Kind.TIMED_OUT, "the server does not finish the test")));
    flows.forEach(PerfFlow::stop);
  }

  private void tickLater() {
    if (!options.interval().isZero()) {
      long passed = lastTickNs + options.interval().toNanos() - loop.nanoTime();
      tick = loop.schedule(passed, this::tick);
    }
  }

  private void tick() {
    report();
    tickLater();
  }

  private void report() {
    long now = loop.nanoTime();
    long bytes = flows.stream().mapToLong(PerfFlow::bytes).sum();
    long messages = flows.stream().mapToLong(PerfFlow::messages).sum();
    PerfReport.Interval interval =
        new PerfReport.Interval(
            rounded((lastTickNs - beganNs) / 1e9),
            rounded((now - beganNs) / 1e9),
            bytes - lastBytes,
            messages - lastMessages,
            rounded((bytes - lastBytes) * 1e3 / (now - lastTickNs)));
    lastTickNs = now;
    lastBytes = bytes;
    lastMessages = messages;
    intervals.add(interval);
    listener.accept(interval);
  }

  private void finish() {
    double seconds = (loop.nanoTime() - beganNs) / 1e9;
    close();
    PerfFlow.Outcome all =
        flows.stream()
            .map(flow -> flow.done().join())
            .reduce(PerfFlow.Outcome.NOTHING, PerfFlow.Outcome::plus);
    PerfReport.Datagrams datagrams = null;
    if (!options.test().onStream()) {
      long lost = Math.max(0, all.sent() - all.received());
      datagrams =
          new PerfReport.Datagrams(
              all.sent(),
              lost,
              rounded(all.sent() == 0 ? 0 : 100.0 * lost / all.sent()),
              all.reordered(),
              all.duplicates(),
              rounded(all.jitterNs() / 1e3));
    }
    result.complete(
        new PerfReport(
            options.test().word(),
            server.toString(),
            options.parallel(),
            options.messageBytes(),
            rounded(seconds),
            all.bytes(),
            all.received(),
            rounded(all.bytes() / seconds / 1e6),
            rounded(all.bytes() / seconds / 125e3),
            rounded(all.received() / seconds),
            datagrams,
            PerfReport.RoundTrips.of(roundTrips),
            rounded((cpuNs() - cpuAtStartNs) / 1e9),
            List.copyOf(intervals)));
  }

  private void fail(Throwable cause) {
    if (!result.isDone()) {
      close();
      result.completeExceptionally(cause);
    }
  }

  private void close() {
    if (tick != null) {
      tick.cancel();
    }
    if (end != null) {
      end.cancel();
    }
    flows.forEach(PerfFlow::close);
  }

  private static long cpuNs() {
    return ProcessHandle.current().info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
  }

  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }
}
