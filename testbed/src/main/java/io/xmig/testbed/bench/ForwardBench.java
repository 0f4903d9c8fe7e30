package io.xmig.testbed.bench;

import com.sun.management.ThreadMXBean;
import io.xmig.xia.bench.ForwardingRig;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Packets that one core forwards from in-memory link to in-memory link. */
final class ForwardBench implements Bench {
  private static final int ROUTES = 1000;
  private static final int PACKET_BYTES = 1000;
  private static final long REPETITION_NS = 1_000_000_000L;
  private static final double MEGA = 1e6;

  @Override
  public List<Figure> run(BenchOptions options, Journal journal) {
    List<Figure> figures = new ArrayList<>();
    for (ForwardingRig.Path path : ForwardingRig.Path.values()) {
      figures.add(measure(path, options, journal));
    }
    return figures;
  }

  private static Figure measure(ForwardingRig.Path path, BenchOptions options, Journal journal) {
    String what = path.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    journal.now("forward, " + what);
    ForwardingRig rig = new ForwardingRig(path, ForwardingRig.Links.MEMORY, ROUTES, PACKET_BYTES);
    forwardFor(rig, options.warmUp().toNanos());
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    double[] rates = new double[options.repetitions()];
    long allocated = threads.getCurrentThreadAllocatedBytes();
    long packets = rig.sent();
    for (int i = 0; i < rates.length; i++) {
      rates[i] = forwardFor(rig, REPETITION_NS) / MEGA;
    }
    double each =
        (double) (threads.getCurrentThreadAllocatedBytes() - allocated) / (rig.sent() - packets);
    return Figure.of(
        "forward",
        what,
        PACKET_BYTES + " bytes, " + ROUTES + " routes",
        "Mpackets/s",
        rates,
        Map.of("bytesAllocatedPerPacket", each));
  }

  /** Packets per second. */
  private static double forwardFor(ForwardingRig rig, long nanos) {
    long started = System.nanoTime();
    long before = rig.sent();
    long spent;
    do {
      rig.forwardBatch();
      spent = System.nanoTime() - started;
    } while (spent < nanos);
    return (rig.sent() - before) * 1e9 / spent;
  }
}
