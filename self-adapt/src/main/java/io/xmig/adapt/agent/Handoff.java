package io.xmig.adapt.agent;

import io.xmig.xia.addr.Xid;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The time line of one handoff; times on the agent's loop, 0 for what has not happened yet. */
public final class Handoff {
  private final int number;
  private final String cause;
  private final @Nullable Attachment from;
  private final Attachment to;
  final long startedNs;
  long perceivedNs;
  long registeredNs;
  long namedNs;
  long completeNs;
  final Map<Xid, Long> redirectedNs = new TreeMap<>();

  Handoff(int number, String cause, @Nullable Attachment from, Attachment to, long startedNs) {
    this.number = number;
    this.cause = cause;
    this.from = from;
    this.to = to;
    this.startedNs = startedNs;
  }

  /** Counts from 1, the first attachment. */
  public int number() {
    return number;
  }

  /** What made the agent act. */
  public String cause() {
    return cause;
  }

  /** Where the host was, {@code null} for the first attachment. */
  public @Nullable Attachment from() {
    return from;
  }

  /** Where the host is. */
  public Attachment to() {
    return to;
  }

  /** The first sign, or the beacon if there was none. */
  public long startedNs() {
    return startedNs;
  }

  /** The new place was recognised and the address set. */
  public long perceivedNs() {
    return perceivedNs;
  }

  /** The new gateway confirmed. */
  public long registeredNs() {
    return registeredNs;
  }

  /** All names were confirmed. */
  public long namedNs() {
    return namedNs;
  }

  /** When each former domain was known to redirect. */
  public Map<Xid, Long> redirectedNs() {
    return Map.copyOf(redirectedNs);
  }

  /** Everything was confirmed. */
  public long completeNs() {
    return completeNs;
  }
}
