package io.xmig.testbed.workload;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What a periodic probe saw: one sample per probe in the order of sending.
 *
 * @param intervalUs time between two probes, microseconds
 * @param samples one per probe
 */
public record ProbeLog(long intervalUs, List<Sample> samples) {
  public ProbeLog {
    samples = List.copyOf(samples);
  }

  /**
   * What several probers of one machine saw, as one: an answer to any of them counts.
   *
   * @param logs at least one; the shortest rhythm is that of the result
   */
  public static ProbeLog merged(List<ProbeLog> logs) {
    List<Sample> all = new ArrayList<>();
    logs.forEach(log -> all.addAll(log.samples()));
    all.sort(Comparator.comparingLong(Sample::sentUs));
    return new ProbeLog(logs.stream().mapToLong(ProbeLog::intervalUs).min().orElseThrow(), all);
  }

  /** Probes that were never answered. */
  public long lost() {
    return samples.stream().filter(s -> !s.answered()).count();
  }

  /** Probes that were answered. */
  public long answered() {
    return samples.size() - lost();
  }

  /** Whether a probe sent after a moment, microseconds since the epoch, was answered. */
  public boolean isAnsweredAfter(long us) {
    return samples.stream().anyMatch(s -> s.answered() && s.sentUs() > us);
  }

  /**
   * Whether an answer came between two moments, microseconds since the epoch. That a probe was sent
   * then is not enough: it may have waited where the machine was to be.
   */
  public boolean isAnsweredBetween(long fromUs, long toUs) {
    return samples.stream()
        .anyMatch(s -> s.answered() && s.answeredUs() > fromUs && s.answeredUs() < toUs);
  }

  /**
   * The longest time without an answer between two moments, beyond the probe's own rhythm. This is
   * what a user of the VM notices: probes lost as well as probes answered late.
   *
   * @param fromUs only answers from here on, microseconds since the epoch
   * @param toUs only answers up to here
   * @return the outage, zero if answers came at every interval
   */
  public Outage outage(long fromUs, long toUs) {
    return longest(fromUs, toUs, fromUs, toUs);
  }

  /**
   * The longest time without an answer of which at least a part lies between two moments, beyond
   * the probe's own rhythm: the outage of a machine that stood still between them, and not a
   * silence of another cause shortly before or after.
   *
   * @param stopUs when the machine stopped, microseconds since the epoch
   * @param resumeUs when it ran again, or had warmed up
   * @param aroundUs how long before and after answers are looked at
   */
  public Outage outageAcross(long stopUs, long resumeUs, long aroundUs) {
    return longest(stopUs - aroundUs, resumeUs + aroundUs, stopUs, resumeUs);
  }

  private Outage longest(long fromUs, long toUs, long endsAfterUs, long beginsBeforeUs) {
    List<Long> arrivals = new ArrayList<>();
    long lastSeen = Long.MIN_VALUE;
    for (Sample s : samples) {
      lastSeen = Math.max(lastSeen, s.answered() ? s.answeredUs() : s.sentUs());
      if (s.answered() && s.answeredUs() >= fromUs && s.answeredUs() <= toUs) {
        arrivals.add(s.answeredUs());
      }
    }
    arrivals.sort(Comparator.naturalOrder());
    long end = Math.min(toUs, lastSeen); // silence up to the end of the window is an outage too
    long before = arrivals.isEmpty() ? fromUs : arrivals.get(0);
    long start = before;
    long longest = 0;
    arrivals.add(Math.max(end, before));
    for (long arrival : arrivals) {
      if (arrival - before > longest && arrival > endsAfterUs && before < beginsBeforeUs) {
        longest = arrival - before;
        start = before;
      }
      before = arrival;
    }
    return new Outage(
        start, Math.max(0, longest - intervalUs), intervalUs, lostBetween(start, start + longest));
  }

  private int lostBetween(long fromUs, long toUs) {
    return (int)
        samples.stream()
            .filter(s -> !s.answered() && s.sentUs() >= fromUs && s.sentUs() <= toUs)
            .count();
  }

  /**
   * A time without answers.
   *
   * @param startUs last answer before it, microseconds since the epoch
   * @param lengthUs how long, microseconds
   * @param errorUs the length may be off by this much either way (one probe interval, paper section
   *     3.2)
   * @param lost probes lost in it
   */
  public record Outage(long startUs, long lengthUs, long errorUs, int lost) {
    /** The length. */
    public Duration length() {
      return Duration.ofNanos(lengthUs * 1000);
    }
  }
}
