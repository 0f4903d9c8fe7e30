package io.xmig.adapt.agent;

import io.xmig.adapt.signal.Location;
import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import java.time.Duration;
import java.util.List;
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
 * @param guest for whom the agent speaks, {@code null} for the host of the stack itself
 * @param formerAds where the host was before, newest first: those domains shall redirect
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
    AgentTiming timing,
    @Nullable Guest guest,
    List<Xid> formerAds) {
  /**
   * A guest that runs no agent; the host it runs on, whose stack the agent uses, speaks for it.
   *
   * @param hid the guest
   * @param home the gateway that the guest believes to have, if it does not follow beacons
   */
  public record Guest(Xid hid, Location.@Nullable Home home) {}

  public AgentConfig {
    names = java.util.Collections.unmodifiableMap(new TreeMap<>(names));
    formerAds = List.copyOf(formerAds);
  }

  /** An agent for the host of the stack itself. */
  public AgentConfig(
      @Nullable Signer signer,
      @Nullable Delegation delegation,
      DomainTrust trust,
      boolean acceptUnsigned,
      Map<String, @Nullable Xid> names,
      long mac,
      Duration lifetime,
      Duration clockTolerance,
      AgentTiming timing) {
    this(
        signer,
        delegation,
        trust,
        acceptUnsigned,
        names,
        mac,
        lifetime,
        clockTolerance,
        timing,
        null,
        List.of());
  }

  /** The same on behalf of a guest that leaves it to its host's key to say where it is. */
  public AgentConfig forGuest(Guest who, Delegation leave, List<Xid> former) {
    return new AgentConfig(
        signer,
        leave,
        trust,
        acceptUnsigned,
        names,
        mac,
        lifetime,
        clockTolerance,
        timing,
        who,
        former);
  }

  /** The same after a stay in other domains. */
  public AgentConfig withFormerAds(List<Xid> former) {
    return new AgentConfig(
        signer,
        delegation,
        trust,
        acceptUnsigned,
        names,
        mac,
        lifetime,
        clockTolerance,
        timing,
        guest,
        former);
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
        signer,
        delegation,
        trust,
        acceptUnsigned,
        wanted,
        mac,
        lifetime,
        clockTolerance,
        timing,
        guest,
        formerAds);
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
        timing,
        guest,
        formerAds);
  }

  /** The same, believing unsigned beacons or not. */
  public AgentConfig withAcceptUnsigned(boolean accept) {
    return new AgentConfig(
        signer,
        delegation,
        trust,
        accept,
        names,
        mac,
        lifetime,
        clockTolerance,
        timing,
        guest,
        formerAds);
  }

  /** The same with another lifetime. */
  public AgentConfig withLifetime(Duration wanted) {
    return new AgentConfig(
        signer,
        delegation,
        trust,
        acceptUnsigned,
        names,
        mac,
        wanted,
        clockTolerance,
        timing,
        guest,
        formerAds);
  }

  /** The same with a key. */
  public AgentConfig withSigner(Signer key, @Nullable Delegation leave) {
    return new AgentConfig(
        key,
        leave,
        trust,
        acceptUnsigned,
        names,
        mac,
        lifetime,
        clockTolerance,
        timing,
        guest,
        formerAds);
  }
}
