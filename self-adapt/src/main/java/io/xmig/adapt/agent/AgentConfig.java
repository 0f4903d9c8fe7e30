package io.xmig.adapt.agent;

import io.xmig.adapt.signal.Location;
import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How an agent behaves. Unchangeable: each {@code with…} gives another one.
 *
 * @threading from any thread
 */
public final class AgentConfig {
  private @Nullable Signer signer;
  private @Nullable Delegation delegation;
  private DomainTrust trust;
  private boolean acceptUnsigned;
  private Map<String, @Nullable Xid> names = Map.of();
  private long mac;
  private Duration lifetime = Duration.ofSeconds(60);
  private Duration clockTolerance = Duration.ofSeconds(30);
  private AgentTiming timing = AgentTiming.standard();
  private @Nullable Guest guest;
  private List<Xid> formerAds = List.of();
  private boolean delegated;

  /**
   * A guest; the host it runs on, whose stack the agent uses, speaks for it.
   *
   * @param hid the guest
   * @param homes gateways that the guest may believe to have: its home's for ever if it does not
   *     follow beacons; those of the domains it may come from if it does
   * @param ownAgent whether the guest runs an agent itself: then the host says once where the guest
   *     is, when it arrives, and leaves the rest to it
   */
  public record Guest(Xid hid, List<Location.Home> homes, boolean ownAgent) {
    public Guest {
      homes = List.copyOf(homes);
    }
  }

  private AgentConfig(DomainTrust trust) {
    this.trust = trust;
  }

  /** An agent with a key. */
  public static AgentConfig signed(Signer signer, DomainTrust trust) {
    return new AgentConfig(trust).withSigner(signer, null);
  }

  /** A host as the prototype has it. */
  public static AgentConfig unsigned() {
    return new AgentConfig(DomainTrust.open()).withAcceptUnsigned(true);
  }

  /** A copy with a change, made before anybody else sees it. */
  private AgentConfig with(Consumer<AgentConfig> change) {
    AgentConfig copy = new AgentConfig(trust);
    copy.signer = signer;
    copy.delegation = delegation;
    copy.acceptUnsigned = acceptUnsigned;
    copy.names = names;
    copy.mac = mac;
    copy.lifetime = lifetime;
    copy.clockTolerance = clockTolerance;
    copy.timing = timing;
    copy.guest = guest;
    copy.formerAds = formerAds;
    copy.delegated = delegated;
    change.accept(copy);
    return copy;
  }

  /**
   * With another key.
   *
   * @param key the host's, or that of its delegate; {@code null} makes a v1.1 host
   * @param leave the host's, if the key is a delegate's
   */
  public AgentConfig withSigner(@Nullable Signer key, @Nullable Delegation leave) {
    return with(
        copy -> {
          copy.signer = key;
          copy.delegation = leave;
        });
  }

  /** Believing the beacons of others. */
  public AgentConfig withTrust(DomainTrust whose) {
    return with(copy -> copy.trust = whose);
  }

  /** Believing unsigned v1.1 beacons or not, while no signed gateway is heard. */
  public AgentConfig withAcceptUnsigned(boolean accept) {
    return with(copy -> copy.acceptUnsigned = accept);
  }

  /**
   * With names to keep registered, each with the service it leads to, or with {@code null} for the
   * host itself.
   */
  public AgentConfig withNames(Map<String, @Nullable Xid> wanted) {
    Map<String, @Nullable Xid> sorted = Collections.unmodifiableMap(new TreeMap<>(wanted));
    return with(copy -> copy.names = sorted);
  }

  /** For a known Ethernet address, 0 if it is not known. */
  public AgentConfig withMac(long address) {
    return with(copy -> copy.mac = address);
  }

  /** With another lifetime of registrations, as far as the gateway grants it. */
  public AgentConfig withLifetime(Duration wanted) {
    return with(copy -> copy.lifetime = wanted);
  }

  /** On behalf of a guest that leaves it to its host's key to say where it is. */
  public AgentConfig withGuest(@Nullable Guest who) {
    return with(copy -> copy.guest = who);
  }

  /** After a stay in other domains, newest first: they shall redirect. */
  public AgentConfig withFormerAds(List<Xid> former) {
    List<Xid> all = List.copyOf(former);
    return with(copy -> copy.formerAds = all);
  }

  /**
   * For a host whose owner lets others say where it is: after a move the agent leaves the first
   * word to one who says that it speaks for the host.
   */
  public AgentConfig withDelegated(boolean others) {
    return with(copy -> copy.delegated = others);
  }

  /** The host's key, or that of its delegate; {@code null} for a v1.1 host. */
  public @Nullable Signer signer() {
    return signer;
  }

  /** The host's leave, if the signer is a delegate. */
  public @Nullable Delegation delegation() {
    return delegation;
  }

  /** Whose beacons are believed. */
  public DomainTrust trust() {
    return trust;
  }

  /** Whether unsigned v1.1 beacons are believed, while no signed gateway is heard. */
  public boolean acceptUnsigned() {
    return acceptUnsigned;
  }

  /** Names to keep registered, as {@link #withNames} has them. */
  public Map<String, @Nullable Xid> names() {
    return names;
  }

  /** Ethernet address of the host, 0 if not known. */
  public long mac() {
    return mac;
  }

  /** Lifetime of a registration, as far as the gateway grants it. */
  public Duration lifetime() {
    return lifetime;
  }

  /** How much older than the newest beacon heard another gateway's may be. */
  public Duration clockTolerance() {
    return clockTolerance;
  }

  /** The times of the state machine. */
  public AgentTiming timing() {
    return timing;
  }

  /** For whom the agent speaks, {@code null} for the host of the stack itself. */
  public @Nullable Guest guest() {
    return guest;
  }

  /** Where the host was before, newest first. */
  public List<Xid> formerAds() {
    return formerAds;
  }

  /** Whether the host's owner lets others say where it is. */
  public boolean delegated() {
    return delegated;
  }
}
