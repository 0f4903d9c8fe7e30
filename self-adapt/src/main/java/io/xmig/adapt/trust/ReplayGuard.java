package io.xmig.adapt.trust;

import io.xmig.xia.addr.Xid;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the newest statement of each identifier, so that older ones are refused and the same
 * one is recognised. Bounded: beyond its capacity the entry unused for longest is forgotten; an
 * identifier that is not remembered must be near the checker's own time, so that a recording of
 * something forgotten is still refused.
 *
 * @threading one thread
 */
public final class ReplayGuard {
  /** What a statement is compared to what is known. */
  public enum Verdict {
    /** Never seen before, or newer: to be acted upon. */
    NEW,
    /** The very statement that was accepted last: acting again changes nothing. */
    REPEATED
  }

  private record Last(long sequence, long fingerprint, long acceptedNs) {}

  private final int capacity;
  private final long windowMicros;
  private final LinkedHashMap<Xid, Last> known = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @param capacity identifiers remembered
   * @param windowMicros how far the sequence number of an identifier not remembered may be from our
   *     time, and how far any may be ahead of it; 0 for any
   */
  public ReplayGuard(int capacity, long windowMicros) {
    this.capacity = capacity;
    this.windowMicros = windowMicros;
  }

  /**
   * Compares a statement with what is known; nothing is remembered yet, since its signature may
   * still be wrong.
   *
   * @param nowMicros the checker's time, microseconds since the epoch
   * @throws RefusedException {@link Refusal#STALE}, {@link Refusal#CONFLICT} or {@link
   *     Refusal#CLOCK}
   */
  public Verdict check(Xid subject, long sequence, long fingerprint, long nowMicros) {
    if (windowMicros != 0 && sequence - nowMicros > windowMicros) {
      throw new RefusedException(
          Refusal.CLOCK,
          "statement from the future",
          Map.of("subject", subject, "aheadMs", (sequence - nowMicros) / 1000));
    }
    Last last = known.get(subject);
    if (last == null) {
      if (windowMicros != 0 && nowMicros - sequence > windowMicros) {
        throw new RefusedException(
            Refusal.CLOCK,
            "statement too old for somebody unknown",
            Map.of("subject", subject, "ageMs", (nowMicros - sequence) / 1000));
      }
      return Verdict.NEW;
    }
    if (sequence < last.sequence) {
      throw new RefusedException(
          Refusal.STALE,
          "older than what is known",
          Map.of("subject", subject, "sequence", sequence, "known", last.sequence));
    }
    if (sequence == last.sequence) {
      if (fingerprint != last.fingerprint) {
        throw new RefusedException(
            Refusal.CONFLICT,
            "two statements with one sequence number",
            Map.of("subject", subject, "sequence", sequence));
      }
      return Verdict.REPEATED;
    }
    return Verdict.NEW;
  }

  /** Remembers a statement whose signature was found genuine. */
  public void accept(Xid subject, long sequence, long fingerprint, long nowNs) {
    known.put(subject, new Last(sequence, fingerprint, nowNs));
    if (known.size() > capacity) {
      Iterator<Map.Entry<Xid, Last>> eldest = known.entrySet().iterator();
      eldest.next();
      eldest.remove();
    }
  }

  /** The newest sequence number accepted from an identifier, or {@code null}. */
  public @Nullable Long known(Xid subject) {
    Last last = known.get(subject);
    return last == null ? null : last.sequence;
  }

  /** When the newest statement of an identifier was accepted; {@code nowNs} if there is none. */
  public long acceptedNs(Xid subject, long nowNs) {
    Last last = known.get(subject);
    return last == null ? nowNs : last.acceptedNs;
  }

  /** Identifiers remembered. */
  public int size() {
    return known.size();
  }
}
