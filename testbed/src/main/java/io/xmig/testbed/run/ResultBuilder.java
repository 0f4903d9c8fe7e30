package io.xmig.testbed.run;

import io.xmig.testbed.report.RunResult;
import io.xmig.testbed.workload.CalClient;
import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Sample;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** Turns what was observed in a run into its result: pure arithmetic over samples. */
public final class ResultBuilder {
  /**
   * Around the hand-off, this long before the stop and after the resume, the outage is looked for.
   */
  private static final long WINDOW_US = 3_000_000;

  /** A guest that has answered may fall silent again while it warms up: that is outage, too. */
  private static final long SETTLING_US = 1_000_000;

  private static final long MAX_RTT_US = 3_600_000_000L;
  private static final double THROUGHPUT_STEP_US = 100_000;

  private final long startUs;
  private final RunResult.Scenario scenario;
  private final RunResult.Machine machine;
  private final List<MigrationRecord> migrations;
  private final List<CalClient.Outcome> cal;
  private final Map<String, ProbeLog> xping;

  /**
   * @param startUs when the run started, microseconds since the epoch
   * @param xping logs by the address that was probed; the first is the one outages are read from
   */
  public ResultBuilder(
      long startUs,
      RunResult.Scenario scenario,
      RunResult.Machine machine,
      List<MigrationRecord> migrations,
      List<CalClient.Outcome> cal,
      Map<String, ProbeLog> xping) {
    this.startUs = startUs;
    this.scenario = scenario;
    this.machine = machine;
    this.migrations = List.copyOf(migrations);
    this.cal = List.copyOf(cal);
    this.xping = new LinkedHashMap<>(xping);
  }

  /**
   * The result.
   *
   * @param endUs when the run ended
   * @param problems why the run is not good, besides what the samples tell
   */
  public RunResult build(long endUs, List<String> problems) {
    List<RunResult.Migration> done = new ArrayList<>();
    for (int i = 0; i < migrations.size(); i++) {
      done.add(migration(i + 1, migrations.get(i)));
    }
    List<RunResult.Cal> clients = cal.stream().map(this::client).toList();
    List<String> all = new ArrayList<>(problems);
    all.addAll(problemsOf(clients, done));
    return new RunResult(
        RunResult.SCHEMA,
        Instant.ofEpochSecond(startUs / 1_000_000, startUs % 1_000_000 * 1000).toString(),
        ms(endUs - startUs),
        scenario,
        machine,
        done,
        clients,
        xping.entrySet().stream().map(e -> prober(e.getKey(), e.getValue())).toList(),
        series(),
        null,
        new RunResult.Verdict(all.isEmpty(), all));
  }

  private static List<String> problemsOf(
      List<RunResult.Cal> clients, List<RunResult.Migration> done) {
    List<String> problems = new ArrayList<>();
    for (RunResult.Cal c : clients) {
      if (c.wrong() > 0) {
        problems.add("Cal on " + c.socket() + ": " + c.wrong() + " wrong answers");
      }
      if (c.broken() != null) {
        problems.add("Cal on " + c.socket() + ": the connection was lost: " + c.broken());
      }
      if (c.answeredBefore() == 0) {
        problems.add("Cal on " + c.socket() + ": no answer before the migration");
      }
      if (c.answeredAfter() == 0) {
        problems.add("Cal on " + c.socket() + ": no answer after the migration");
      }
    }
    for (RunResult.Migration m : done) {
      if (m.streamSha256().isEmpty()) {
        problems.add("migration " + m.index() + ": the digest of the stream was not verified");
      }
    }
    return problems;
  }

  private RunResult.Migration migration(int index, MigrationRecord m) {
    long stopUs = m.stopUs() > 0 ? m.stopUs() : m.requestedUs();
    long resumeUs = m.resumeUs() > 0 ? m.resumeUs() : m.runningUs();
    long from = stopUs - WINDOW_US;
    long to = resumeUs + WINDOW_US;
    ProbeLog.@Nullable Outage outage =
        xping.values().stream()
            .findFirst()
            .map(log -> log.outageAcross(stopUs, resumeUs + SETTLING_US, WINDOW_US))
            .orElse(null);
    Map<String, Double> gaps = new TreeMap<>();
    for (CalClient.Outcome c : cal) {
      gaps.put(c.socket(), ms(longestGapUs(c.log(), from, to)));
    }
    List<RunResult.Event> timeline = new ArrayList<>();
    m.events().stream()
        .sorted(Comparator.comparingLong(MigrationRecord.Moment::atUs))
        .forEach(e -> timeline.add(new RunResult.Event(e.name(), at(e.atUs()))));
    return new RunResult.Migration(
        index,
        m.from(),
        m.to(),
        at(m.requestedUs()),
        ms(m.runningUs() - m.requestedUs()),
        m.qemuDowntimeMs(),
        m.limits().downtimeLimitMs(),
        m.limits().isBandwidthLimited()
            ? Double.valueOf(Math.round(m.limits().maxBandwidth() / 1e5) / 10.0)
            : null,
        m.stopUs() > 0 && m.resumeUs() > 0 ? Double.valueOf(ms(m.resumeUs() - m.stopUs())) : null,
        outage == null ? 0 : ms(outage.lengthUs()),
        outage == null ? 0 : ms(outage.errorUs()),
        outage == null ? null : Decomposition.of(m, outage, xping.values().iterator().next()),
        outage == null ? 0 : outage.lost(),
        new RunResult.Bytes(m.streamBytes(), m.chunkBytes(), m.wireBytes()),
        m.sha256(),
        gaps,
        timeline);
  }

  private RunResult.Cal client(CalClient.Outcome c) {
    long first =
        migrations.stream().mapToLong(MigrationRecord::requestedUs).min().orElse(Long.MAX_VALUE);
    long last =
        migrations.stream().mapToLong(MigrationRecord::runningUs).max().orElse(Long.MIN_VALUE);
    List<Sample> answered = c.log().samples().stream().filter(Sample::answered).toList();
    return new RunResult.Cal(
        c.socket(),
        c.log().samples().size(),
        answered.size(),
        c.wrong(),
        answered.stream().filter(s -> s.answeredUs() < first).count(),
        answered.stream().filter(s -> s.sentUs() > last).count(),
        ms(longestGapUs(c.log(), Long.MIN_VALUE, Long.MAX_VALUE)),
        c.broken());
  }

  private static RunResult.Xping prober(String target, ProbeLog log) {
    Histogram rtt = new Histogram(MAX_RTT_US, 3);
    log.samples().stream()
        .filter(Sample::answered)
        .forEach(s -> rtt.recordValue(Math.min(s.rttUs(), MAX_RTT_US)));
    return new RunResult.Xping(
        target,
        log.intervalUs() / 1000.0,
        log.samples().size(),
        log.answered(),
        log.lost(),
        ms(rtt.getValueAtPercentile(50)),
        ms(rtt.getValueAtPercentile(99)),
        ms(rtt.getMaxValue()));
  }

  private RunResult.Series series() {
    List<@Nullable Double[]> rtt = new ArrayList<>();
    xping.values().stream()
        .findFirst()
        .ifPresent(
            log ->
                log.samples()
                    .forEach(
                        s ->
                            rtt.add(
                                new @Nullable Double[] {
                                  at(s.sentUs()),
                                  s.answered() ? Double.valueOf(ms(s.rttUs())) : null
                                })));
    Map<String, List<Double[]>> gaps = new TreeMap<>();
    for (CalClient.Outcome c : cal) {
      List<Double[]> points = new ArrayList<>();
      long before = -1;
      for (long arrival : arrivals(c.log())) {
        if (before >= 0) {
          points.add(new Double[] {at(arrival), ms(arrival - before)});
        }
        before = arrival;
      }
      gaps.put(c.socket(), points);
    }
    return new RunResult.Series(rtt, throughput(), gaps);
  }

  /** Rate over steps of at least 100 ms, so that single writes do not show as spikes. */
  private List<Double[]> throughput() {
    List<Double[]> points = new ArrayList<>();
    for (MigrationRecord m : migrations) {
      MigrationRecord.@Nullable Progress before = null;
      for (MigrationRecord.Progress p : m.progress()) {
        if (before == null) {
          before = p;
        } else if (p.atUs() - before.atUs() >= THROUGHPUT_STEP_US) {
          double rate = (p.bytes() - before.bytes()) / (double) (p.atUs() - before.atUs());
          points.add(new Double[] {at(p.atUs()), rate});
          before = p;
        }
      }
    }
    return points;
  }

  private static long longestGapUs(ProbeLog log, long fromUs, long toUs) {
    long longest = 0;
    long before = -1;
    for (long arrival : arrivals(log)) {
      if (arrival >= fromUs && arrival <= toUs) {
        if (before >= 0) {
          longest = Math.max(longest, arrival - before);
        }
        before = arrival;
      }
    }
    return longest;
  }

  private static long[] arrivals(ProbeLog log) {
    return log.samples().stream()
        .filter(Sample::answered)
        .mapToLong(Sample::answeredUs)
        .sorted()
        .toArray();
  }

  private double at(long us) {
    return ms(us - startUs);
  }

  private static double ms(long us) {
    return us / 1000.0;
  }
}
