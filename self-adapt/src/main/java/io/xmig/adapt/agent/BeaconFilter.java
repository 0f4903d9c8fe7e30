package io.xmig.adapt.agent;

import io.xmig.adapt.signal.SignedBeacon;
import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.PublicIdentity;
import io.xmig.xia.key.Verifier;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Decides which beacons an agent believes. */
final class BeaconFilter {
  private static final int MAX_KEYS = 64;

  /** A beacon that may be believed. */
  record Believed(
      Attachment place, long stamp, boolean live, @Nullable PublicIdentity key, int lifetimeS) {}

  private final DomainTrust trust;
  private final boolean acceptUnsigned;
  private final Verifier verifier;
  private final long toleranceMicros;
  private final LinkedHashMap<Xid, Long> stamps = new LinkedHashMap<>(16, 0.75f, true);
  private long newestStamp;
  private long newestAtNs;

  BeaconFilter(DomainTrust trust, boolean acceptUnsigned, Verifier verifier, Duration tolerance) {
    this.trust = trust;
    this.acceptUnsigned = acceptUnsigned;
    this.verifier = verifier;
    this.toleranceMicros = tolerance.toNanos() / 1000;
  }

  /**
   * Checks a beacon.
   *
   * @param asked nonces of our own solicitations
   * @return {@code null} for one that tells nothing new
   * @throws RefusedException for one that is not to be believed
   */
  @Nullable Believed check(SignedBeacon beacon, Set<Long> asked, long nowNs, long epochSeconds) {
    Xid gateway = beacon.v1().hid();
    Envelope proof = beacon.proof();
    if (proof == null) {
      if (!acceptUnsigned) {
        throw new RefusedException(
            Refusal.UNSIGNED, "unsigned beacons are not believed here", Map.of("hid", gateway));
      }
      if (stamps.containsKey(gateway)) {
        throw new RefusedException(
            Refusal.UNSIGNED, "that gateway signs its beacons", Map.of("hid", gateway));
      }
      return new Believed(place(beacon), beacon.stamp(), true, null, 0);
    }
    boolean live = beacon.nonces().stream().anyMatch(asked::contains);
    Long last = stamps.get(gateway);
    if (last != null && proof.sequence() <= last && !live) {
      if (proof.sequence() < last) {
        throw new RefusedException(
            Refusal.STALE, "older than this gateway's last beacon", Map.of("hid", gateway));
      }
      return null; // a copy
    }
    if (!proof.signer().owns(gateway)) {
      throw new RefusedException(
          Refusal.NOT_OWNER, "the beacon's key is not the gateway's", Map.of("hid", gateway));
    }
    long expected = newestStamp + (nowNs - newestAtNs) / 1000;
    if (newestStamp != 0 && !live && expected - proof.sequence() > toleranceMicros) {
      throw new RefusedException(
          Refusal.NOT_FRESH,
          "the beacon was made too long ago",
          Map.of("hid", gateway, "ageMs", (expected - proof.sequence()) / 1000));
    }
    proof.check(verifier, Delegation.SCOPE_DOMAIN, epochSeconds);
    trust.check(beacon.v1().ad(), proof);
    stamps.put(gateway, proof.sequence());
    if (stamps.size() > MAX_KEYS) {
      stamps.remove(stamps.keySet().iterator().next());
    }
    if (live || newestStamp == 0 || proof.sequence() > expected) {
      newestStamp = proof.sequence();
      newestAtNs = nowNs;
    }
    return new Believed(place(beacon), proof.sequence(), live, proof.signer(), beacon.lifetimeS());
  }

  /** Network time by the newest believed beacon, microseconds since the epoch; 0 if none yet. */
  long networkMicros(long nowNs) {
    return newestStamp == 0 ? 0 : newestStamp + (nowNs - newestAtNs) / 1000;
  }

  private static Attachment place(SignedBeacon beacon) {
    Dag server;
    try {
      server = beacon.v1().nameServerDag();
    } catch (DagParseException e) {
      server = null;
    }
    Xid fourId = beacon.v1().fourId();
    return new Attachment(
        beacon.v1().ad(),
        beacon.v1().hid(),
        fourId.equals(Xid.NULL_4ID) ? null : fourId,
        server,
        beacon.proof() != null,
        beacon.periodMs());
  }
}
