package io.xmig.testbed.bench;

import io.xmig.testbed.perf.PerfReport;
import io.xmig.xia.host.RouterCache;
import io.xmig.xia.socket.XiaSockets;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.HdrHistogram.Histogram;

/** The local API between a program and its node: how long a call takes, how many bytes go by. */
final class IpcBench implements Bench {
  private static final String CHEAP_HANDLER = "./xrc.name";
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final int CALLS = 5000;
  private static final double MEGA = 1e6;

  @Override
  public List<Figure> run(BenchOptions options, Journal journal) throws IOException {
    journal.now("ipc: starting nodes");
    try (Chain chain = Chain.start(1500, RouterCache.OFF, options)) {
      List<Figure> figures = new ArrayList<>();
      figures.add(roundTrip(chain, options, journal));
      figures.add(chunks(chain, options, journal));
      return figures;
    }
  }

  private static Figure roundTrip(Chain chain, BenchOptions options, Journal journal) {
    journal.now("ipc: round trips");
    XiaSockets node = chain.sockets(Chain.SENDER);
    long warmUntil = System.nanoTime() + options.warmUp().toNanos();
    Histogram all = new Histogram(60_000_000_000L, 3);
    do {
      calls(node, all);
    } while (System.nanoTime() < warmUntil);
    all.reset();
    double[] medians = new double[options.repetitions()];
    for (int i = 0; i < medians.length; i++) {
      Histogram once = new Histogram(60_000_000_000L, 3);
      calls(node, once);
      medians[i] = once.getValueAtPercentile(50) / 1e3;
      all.add(once);
    }
    Map<String, Double> aside = new LinkedHashMap<>();
    PerfReport.RoundTrips rtt = PerfReport.RoundTrips.of(all);
    if (rtt != null) {
      aside.put("p99", rtt.p99());
      aside.put("p99.9", rtt.p999());
    }
    return Figure.of("ipc", "round trip", "one call after the other", "us", medians, aside);
  }

  /** One call after the other, each begun in the completion of the one before. */
  private static void calls(XiaSockets node, Histogram times) {
    node.call(
        stack -> {
          CompletableFuture<Boolean> done = new CompletableFuture<>();
          call(stack, times, CALLS, done);
          return done;
        },
        PATIENCE);
  }

  private static void call(
      XiaStack stack, Histogram times, int left, CompletableFuture<Boolean> done) {
    long started = System.nanoTime();
    stack
        .readHandler(CHEAP_HANDLER)
        .whenComplete(
            (text, failure) -> {
              times.recordValue(System.nanoTime() - started);
              if (failure != null) {
                done.completeExceptionally(failure);
              } else if (left == 1) {
                done.complete(true);
              } else {
                call(stack, times, left - 1, done);
              }
            });
  }

  /** Chunks put by one program and fetched by another on the same node: twice over the socket. */
  private static Figure chunks(Chain chain, BenchOptions options, Journal journal) {
    journal.now("ipc: chunks");
    try (ChunkTransferRun run =
        new ChunkTransferRun(
            chain.sockets(Chain.SENDER),
            chain.sockets(Chain.SENDER),
            options.chunkBytes(),
            false)) {
      long warmUntil = System.nanoTime() + options.warmUp().toNanos();
      do {
        run.run(options.bytes() / 4, true);
      } while (System.nanoTime() < warmUntil);
      Map<String, ProcessUse> before = chain.use();
      double[] rates = new double[options.repetitions()];
      for (int i = 0; i < rates.length; i++) {
        rates[i] = run.run(options.bytes(), options.verify()) / MEGA;
      }
      double cpu = 0;
      Map<String, ProcessUse> used = new LinkedHashMap<>();
      for (String process : List.of(Chain.SENDER, Chain.CLIENTS)) {
        ProcessUse use = chain.use().get(process).minus(before.get(process));
        used.put(process, use);
        cpu += use.cpuSeconds();
      }
      String setting = (options.chunkBytes() >> 10) + " KiB";
      journal.used("ipc", setting, used);
      return Figure.of(
          "ipc",
          "chunks in and out of a node",
          setting,
          "MB/s",
          rates,
          Map.of("cpuSecondsPerGB", cpu * 1e9 / options.bytes() / options.repetitions()));
    }
  }
}
