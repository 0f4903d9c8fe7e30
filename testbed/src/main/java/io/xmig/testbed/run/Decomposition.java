package io.xmig.testbed.run;

import io.xmig.testbed.report.RunResult;
import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Sample;
import java.util.Comparator;

/**
 * Says what an outage consists of: its time is cut at the moments when one step was over and the
 * next could begin. The parts add up to the outage; a step of which nothing is known, or that was
 * over before the one before it, took no time of its own.
 *
 * @source docs/testbed.md, "What an outage consists of"
 */
final class Decomposition {
  /** The destination had the whole stream and had verified it. */
  static final String VERIFIED = "receive: verified";

  /** The machine's agent noticed that it runs elsewhere. */
  static final String PERCEIVED = "agent: sign";

  /** The gateway where the machine is now has set its route. */
  static final String REGISTERED = "gateway: registered";

  /** Another gateway sends the machine's packets the new way. */
  static final String REPOINTED = "gateway: repointed";

  private final long endUs;
  private long atUs;

  private Decomposition(long startUs, long endUs) {
    this.atUs = startUs;
    this.endUs = endUs;
  }

  /**
   * Takes an outage apart.
   *
   * @param outage what the prober noticed
   * @param probes its samples
   */
  static RunResult.OutageParts of(MigrationRecord m, ProbeLog.Outage outage, ProbeLog probes) {
    long start = outage.startUs() + probes.intervalUs(); // when the next answer was due
    long end = start + outage.lengthUs();
    Decomposition cut = new Decomposition(start, end);
    double vmStop = cut.until(m.stopUs());
    double lastBytes = cut.until(first(m, VERIFIED));
    double load = cut.until(m.resumeUs());
    double perception = cut.until(perceived(m));
    double registration = cut.until(first(m, REGISTERED));
    double routeRepoint = cut.until(last(m, REPOINTED, end));
    double transportRecovery = cut.until(sentUs(probes, end));
    return new RunResult.OutageParts(
        vmStop,
        lastBytes,
        load,
        perception,
        registration,
        routeRepoint,
        transportRecovery,
        cut.until(end));
  }

  /** Milliseconds from the last moment to this one, which is the next. */
  private double until(long us) {
    long next = Math.max(atUs, Math.min(us, endUs));
    double ms = (next - atUs) / 1000.0;
    atUs = next;
    return ms;
  }

  /**
   * When the machine's agent noticed that it runs elsewhere; 0 if somebody had spoken for it
   * before.
   */
  private static long perceived(MigrationRecord m) {
    long noticed = first(m, PERCEIVED);
    long registered = first(m, REGISTERED);
    return registered != 0 && noticed > registered ? 0 : noticed;
  }

  private static long first(MigrationRecord m, String name) {
    return m.events().stream()
        .filter(e -> e.name().equals(name))
        .mapToLong(MigrationRecord.Moment::atUs)
        .min()
        .orElse(0);
  }

  private static long last(MigrationRecord m, String name, long beforeUs) {
    return m.events().stream()
        .filter(e -> e.name().equals(name) && e.atUs() <= beforeUs)
        .mapToLong(MigrationRecord.Moment::atUs)
        .max()
        .orElse(0);
  }

  /** When the probe was sent whose answer ended the outage. */
  private static long sentUs(ProbeLog probes, long endUs) {
    return probes.samples().stream()
        .filter(s -> s.answered() && s.answeredUs() >= endUs)
        .min(Comparator.comparingLong(Sample::answeredUs))
        .map(Sample::sentUs)
        .orElse(0L);
  }
}
