package io.xmig.testbed.bench;

import io.xmig.xia.host.RouterCache;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
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
      figures.addAll(measure(mtu, options, journal));
    }
    return figures;
  }

  /** A chain for each cache; while one is measured the others sleep. */
  private List<Figure> measure(int mtu, BenchOptions options, Journal journal) throws IOException {
    List<Course> courses = new ArrayList<>();
    try {
      for (RouterCache cache : options.caches()) {
        String setting = setting(mtu, cache, options);
        journal.now(name + ", " + setting + ": starting three nodes");
        courses.add(new Course(setting, Chain.start(mtu, cache, options), options));
      }
      for (Course course : courses) {
        journal.now(name + ", " + course.setting + ": warming up");
        warmUp(course.mover, options);
      }
      for (int i = 0; i < options.repetitions(); i++) {
        for (int k = 0; k < courses.size(); k++) { // each in turn goes first
          courses.get((i + k) % courses.size()).repeat(i, journal);
        }
      }
      List<Figure> figures = new ArrayList<>();
      for (Course course : courses) {
        journal.used(name, course.setting, course.used);
        figures.add(course.figure(courses.get(0)));
      }
      return figures;
    } finally {
      courses.forEach(Course::close);
    }
  }

  /** The repetitions over one chain. */
  private final class Course implements AutoCloseable {
    final String setting;
    final Chain chain;
    final Mover mover;
    final BenchOptions options;
    final double[] rates;
    final Map<String, ProcessUse> used = new LinkedHashMap<>();

    Course(String setting, Chain chain, BenchOptions options) {
      this.setting = setting;
      this.chain = chain;
      this.options = options;
      this.rates = new double[options.repetitions()];
      try {
        this.mover = open(chain, options);
      } catch (RuntimeException e) {
        chain.close();
        throw e;
      }
    }

    void repeat(int i, Journal journal) {
      Map<String, ProcessUse> before = chain.use();
      rates[i] = mover.move(options.bytes(), false) / MEGA;
      chain.check();
      chain
          .use()
          .forEach(
              (process, use) ->
                  used.merge(process, use.minus(before.get(process)), ProcessUse::plus));
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

    Figure figure(Course first) {
      double cpu = used.values().stream().mapToDouble(ProcessUse::cpuSeconds).sum();
      double moved = (double) options.bytes() * options.repetitions() / GIGA;
      Map<String, Double> aside = new LinkedHashMap<>();
      aside.put("cpuSecondsPerGB", cpu / moved);
      if (first != this) {
        double[] ratios = new double[rates.length];
        for (int i = 0; i < rates.length; i++) {
          ratios[i] = rates[i] / first.rates[i];
        }
        Arrays.sort(ratios);
        aside.put("timesTheFirst", Figure.middle(ratios));
      }
      return Figure.of(name, what, setting, "MB/s", rates, aside);
    }

    @Override
    public void close() {
      mover.close();
      chain.close();
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

  private static String setting(int mtu, RouterCache cache, BenchOptions options) {
    StringBuilder text = new StringBuilder("mtu " + mtu);
    text.append(", ").append(options.links().name().toLowerCase(Locale.ROOT));
    if (options.shape() != null) {
      text.append(", ").append(options.shape());
    }
    if (cache.isOn() || options.caches().size() > 1) {
      text.append(", cache ").append(cache);
    }
    return text.toString();
  }
}
