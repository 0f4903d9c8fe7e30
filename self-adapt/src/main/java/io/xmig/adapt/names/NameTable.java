package io.xmig.adapt.names;

import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Verifier;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The names a server knows. A name belongs to the key that registered it first, until it is not
 * refreshed for its lifetime; only newer statements of that key change it. Names of unsigned hosts
 * belong to nobody: the last registration counts, as in the prototype, and never over a signed one.
 *
 * <p>Bounded: a full table forgets expired names, then unsigned ones, oldest first, then refuses.
 *
 * @threading one thread
 */
public final class NameTable {
  /** Longest lifetime of a name, seconds. */
  public static final int MAX_LIFETIME_S = 24 * 3600;

  private static final long SECOND_NS = 1_000_000_000L;

  private record Entry(
      String address, @Nullable Xid owner, long sequence, long fingerprint, long expiresNs) {}

  /**
   * A name as a journal keeps it.
   *
   * @param owner HID of the key that registered it, {@code null} for a v1.1 host's
   * @param fingerprint of the statement, {@link Envelope#fingerprint}
   * @param expiresEpochS seconds since the epoch
   */
  public record Held(
      String name,
      String address,
      @Nullable Xid owner,
      long sequence,
      long fingerprint,
      long expiresEpochS) {}

  /** Takes up a name that was held before a restart; on its way into an empty table. */
  public void restore(Held held, long nowNs, long epochSeconds) {
    long left = Math.min(MAX_LIFETIME_S, held.expiresEpochS - epochSeconds);
    if (left > 0 && (held.owner != null || acceptUnsigned)) {
      makeRoom(held.name, nowNs);
      names.put(
          held.name,
          new Entry(
              held.address, held.owner, held.sequence, held.fingerprint, nowNs + left * SECOND_NS));
    }
  }

  /** How a name is held now, {@code null} if it is not. */
  public @Nullable Held held(String name, long nowNs, long epochSeconds) {
    Entry e = names.get(name);
    return e == null || nowNs - e.expiresNs >= 0
        ? null
        : new Held(
            name,
            e.address,
            e.owner,
            e.sequence,
            e.fingerprint,
            epochSeconds + (e.expiresNs - nowNs) / SECOND_NS);
  }

  private final int capacity;
  private final boolean acceptUnsigned;
  private final Verifier verifier;
  private final LinkedHashMap<String, Entry> names = new LinkedHashMap<>();

  /**
   * @param capacity names held
   * @param acceptUnsigned whether v1.1 hosts may register
   */
  public NameTable(int capacity, boolean acceptUnsigned, Verifier verifier) {
    this.capacity = capacity;
    this.acceptUnsigned = acceptUnsigned;
    this.verifier = verifier;
  }

  /** The address text of a name, unchanged as registered. */
  public Optional<String> find(String name, long nowNs) {
    Entry entry = names.get(name);
    return entry == null || nowNs - entry.expiresNs >= 0
        ? Optional.empty()
        : Optional.of(entry.address);
  }

  /**
   * Takes a signed registration.
   *
   * @return lifetime granted, seconds
   * @throws RefusedException with the reason
   */
  public int register(Envelope envelope, long nowNs, long epochSeconds) {
    NameStatement statement = NameStatement.of(envelope);
    envelope.check(verifier, Delegation.SCOPE_NAMES, epochSeconds);
    Entry old = names.get(statement.name());
    Xid owner = envelope.subject().hid();
    boolean owned = old != null && old.owner != null && nowNs - old.expiresNs < 0;
    if (old != null && owned && owner.equals(old.owner)) {
      if (envelope.sequence() < old.sequence) {
        throw new RefusedException(Refusal.STALE, "older than the name's last registration");
      }
      if (envelope.sequence() == old.sequence && envelope.fingerprint() != old.fingerprint) {
        throw new RefusedException(Refusal.CONFLICT, "two registrations with one sequence number");
      }
    } else if (owned) {
      throw new RefusedException(
          Refusal.NOT_OWNER, "the name belongs to another key", Map.of("name", statement.name()));
    } else if (old != null && owner.equals(old.owner) && envelope.sequence() < old.sequence) {
      throw new RefusedException(Refusal.STALE, "older than the name's last registration");
    }
    int lifetime =
        statement.lifetimeTens() == 0
            ? MAX_LIFETIME_S
            : Math.min(MAX_LIFETIME_S, statement.lifetimeTens() * 10);
    makeRoom(statement.name(), nowNs);
    names.put(
        statement.name(),
        new Entry(
            statement.address().toString(),
            owner,
            envelope.sequence(),
            envelope.fingerprint(),
            nowNs + lifetime * SECOND_NS));
    return lifetime;
  }

  /** The newest sequence number known for a name, 0 if none. */
  public long known(String name) {
    Entry entry = names.get(name);
    return entry == null ? 0 : entry.sequence;
  }

  /**
   * Takes a registration of a v1.1 host.
   *
   * @throws RefusedException with the reason
   */
  public void registerUnsigned(String name, String address, long nowNs) {
    if (!acceptUnsigned) {
      throw new RefusedException(
          Refusal.UNSIGNED, "unsigned names are not accepted here", Map.of("name", name));
    }
    Entry old = names.get(name);
    if (old != null && old.owner != null && nowNs - old.expiresNs < 0) {
      throw new RefusedException(
          Refusal.NOT_OWNER, "the name belongs to a key", Map.of("name", name));
    }
    try {
      Dag.parse(address);
    } catch (DagParseException e) {
      throw new RefusedException(
          Refusal.MALFORMED, "the address of a name is none", Map.of("name", name));
    }
    makeRoom(name, nowNs);
    names.put(name, new Entry(address, null, 0, 0, nowNs + MAX_LIFETIME_S * SECOND_NS));
  }

  private void makeRoom(String name, long nowNs) {
    if (names.containsKey(name) || names.size() < capacity) {
      return;
    }
    names.values().removeIf(e -> nowNs - e.expiresNs >= 0);
    if (names.size() < capacity) {
      return;
    }
    for (var it = names.values().iterator(); it.hasNext(); ) {
      if (it.next().owner == null) {
        it.remove();
        return;
      }
    }
    throw new RefusedException(Refusal.FULL, "no room for another name");
  }

  /** Names held, expired ones included. */
  public int size() {
    return names.size();
  }
}
