package io.xmig.adapt.trust;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts what was refused, by reason, and logs it; each reason at most once a second, so that an
 * attack does not fill the disk.
 *
 * @threading one thread
 */
public final class RefusalLog {
  private static final Logger LOG = LoggerFactory.getLogger(RefusalLog.class);
  private static final long PAUSE_NS = 1_000_000_000L;

  private final String who;
  private final Map<Refusal, Long> counts = new EnumMap<>(Refusal.class);
  private final Map<Refusal, Long> loggedNs = new EnumMap<>(Refusal.class);
  private final Map<Refusal, Long> loggedCount = new EnumMap<>(Refusal.class);

  /**
   * @param who name of the service in the log
   */
  public RefusalLog(String who) {
    this.who = who;
  }

  /** Counts one refusal. */
  public void add(RefusedException refused, long nowNs) {
    Refusal reason = refused.refusal();
    long count = counts.merge(reason, 1L, Long::sum);
    Long last = loggedNs.get(reason);
    if (last == null || nowNs - last >= PAUSE_NS) {
      long silent = count - 1 - loggedCount.getOrDefault(reason, 0L);
      loggedNs.put(reason, nowNs);
      loggedCount.put(reason, count);
      if (LOG.isWarnEnabled()) {
        LOG.warn(
            "{} refused a message: {} ({}{})",
            who,
            refused.getMessage(),
            reason,
            silent > 0 ? ", and " + silent + " more since the last line" : "");
      }
    }
  }

  /** How often a reason was given. */
  public long count(Refusal reason) {
    return counts.getOrDefault(reason, 0L);
  }

  /** Refusals in all. */
  public long total() {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Counts by the reason's name in lower case. */
  public Map<String, Long> counts() {
    Map<String, Long> named = new TreeMap<>();
    counts.forEach((reason, n) -> named.put(reason.name().toLowerCase(Locale.ROOT), n));
    return named;
  }
}
