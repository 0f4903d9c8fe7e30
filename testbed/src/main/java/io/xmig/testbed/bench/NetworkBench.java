package io.xmig.testbed.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Bytes from one end of a {@link Chain} to the other: warm-up, then the repetitions, with what each
 * process used.
 */
abstract class NetworkBench implements Bench {
  private static final int LARGEST_UDP_MTU = 65_493;
  private static final double MEGA = 1e6;
  private static final double GIGA = 1e9;

  private final String name;
  private final String what;

  NetworkBench(String name, String what) {
    this.name = name;
    this.what = what;
  }

  /** Moves bytes over a chain. */
  interface Mover extends AutoCloseable {
    /**
     * @param bytes about how many
     * @param warmUp whether this does not count, and everything is to be checked
     * @return bytes per second
     */
    double move(long bytes, boolean warmUp);

    @Override
    void close();
  }

  /** Opens what is needed at both ends. */
  abstract Mover open(Chain chain, BenchOptions options);

  @Override
  public List<Figure> run(BenchOptions options, Journal journal) throws IOException {
    List<Figure> figures = new ArrayList<>();
    for (int wanted : options.mtus()) {
      int mtu =
          options.links() == BenchOptions.Links.UDP ? Math.min(wanted, LARGEST_UDP_MTU) : wanted;
      figures.add(measure(mtu, options, journal));
    }
    return figures;
  }

  private Figure measure(int mtu, BenchOptions options, Journal journal) throws IOException {
    String setting = setting(mtu, options);
    journal.now(name + ", " + setting + ": starting three nodes");
    try (Chain chain = Chain.start(mtu, options);
        Mover mover = open(chain, options)) {
      journal.now(name + ", " + setting + ": warming up");
      warmUp(mover, options);
      Map<String, ProcessUse> before = chain.use();
      double[] rates = new double[options.repetitions()];
      for (int i = 0; i < rates.length; i++) {
        rates[i] = mover.move(options.bytes(), false) / MEGA;
        chain.check();
        journal.now(
            String.format(
                Locale.ROOT,
                "%s, %s: %d of %d, %.1f MB/s",
                name,
                setting,
                i + 1,
                rates.length,
                rates[i]));
      }
      Map<String, ProcessUse> used = new LinkedHashMap<>();
      chain.use().forEach((process, use) -> used.put(process, use.minus(before.get(process))));
      journal.used(name, setting, used);
      double cpu = used.values().stream().mapToDouble(ProcessUse::cpuSeconds).sum();
      double moved = (double) options.bytes() * options.repetitions() / GIGA;
      return Figure.of(name, what, setting, "MB/s", rates, Map.of("cpuSecondsPerGB", cpu / moved));
    }
  }

  /** The compilers of the node processes need some seconds of the real work. */
  private static void warmUp(Mover mover, BenchOptions options) {
    Duration wanted = options.warmUp();
    long started = System.nanoTime();
    long bytes = Math.max(1, options.bytes() / 4);
    do {
      mover.move(bytes, true);
    } while (System.nanoTime() - started < wanted.toNanos());
  }

  private static String setting(int mtu, BenchOptions options) {
    StringBuilder text = new StringBuilder("mtu " + mtu);
    text.append(", ").append(options.links().name().toLowerCase(Locale.ROOT));
    if (options.shape() != null) {
      text.append(", ").append(options.shape());
    }
    if (options.cacheMib() > 0) {
      text.append(", cache ").append(options.cacheMib()).append(" MiB");
    }
    return text.toString();
  }
}
