package io.xmig.adapt.agent;

import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.adapt.trust.Signer;
import io.xmig.xia.addr.Xid;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How an agent behaves.
 *
 * @param signer the host's key, or that of its delegate; {@code null} makes a v1.1 host
 * @param delegation the host's leave, if the signer is a delegate
 * @param trust whose beacons are believed
 * @param acceptUnsigned whether unsigned v1.1 beacons are believed, while no signed gateway is
 *     heard
 * @param names names to keep registered, each with the service it leads to, or with {@code null}
 *     for the host itself
 * @param mac Ethernet address of the host, 0 if not known
 * @param lifetime of a registration, as far as the gateway grants it
 * @param clockTolerance how much older than the newest beacon heard another gateway's may be
 * @param timing the times of the state machine
 */
public record AgentConfig(
    @Nullable Signer signer,
    @Nullable Delegation delegation,
    DomainTrust trust,
    boolean acceptUnsigned,
    Map<String, @Nullable Xid> names,
    long mac,
    Duration lifetime,
    Duration clockTolerance,
    AgentTiming timing) {
  public AgentConfig {
    names = java.util.Collections.unmodifiableMap(new TreeMap<>(names));
  }

  /** An agent with a key. */
  public static AgentConfig signed(Signer signer, DomainTrust trust) {
    return new AgentConfig(
        signer,
        null,
        trust,
        false,
        Map.of(),
        0,
        Duration.ofSeconds(60),
        Duration.ofSeconds(30),
        AgentTiming.standard());
  }

  /** A host as the prototype has it. */
  public static AgentConfig unsigned() {
    return new AgentConfig(
        null,
        null,
        DomainTrust.open(),
        true,
        Map.of(),
        0,
        Duration.ofSeconds(60),
        Duration.ofSeconds(30),
        AgentTiming.standard());
  }

  /** The same with names to keep registered. */
  public AgentConfig withNames(Map<String, @Nullable Xid> wanted) {
    return new AgentConfig(
        signer, delegation, trust, acceptUnsigned, wanted, mac, lifetime, clockTolerance, timing);
  }

  /** The same for a known Ethernet address. */
  public AgentConfig withMac(long address) {
    return new AgentConfig(
        signer,
        delegation,
        trust,
        acceptUnsigned,
        names,
        address,
        lifetime,
        clockTolerance,
        timing);
  }

  /** The same, believing unsigned beacons or not. */
  public AgentConfig withAcceptUnsigned(boolean accept) {
    return new AgentConfig(
        signer, delegation, trust, accept, names, mac, lifetime, clockTolerance, timing);
  }

  /** The same with another lifetime. */
  public AgentConfig withLifetime(Duration wanted) {
    return new AgentConfig(
        signer, delegation, trust, acceptUnsigned, names, mac, wanted, clockTolerance, timing);
  }

  /** The same with a key. */
  public AgentConfig withSigner(Signer key, @Nullable Delegation leave) {
    return new AgentConfig(
        key, leave, trust, acceptUnsigned, names, mac, lifetime, clockTolerance, timing);
  }
}
