package io.xmig.adapt.gateway;

import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.key.Signer;
import java.time.Duration;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a gateway behaves. Unchangeable: each {@code with…} gives another one.
 *
 * @threading from any thread
 */
public final class GatewayConfig {
  private static final int MAX_HOSTS = 65_536;

  private final DomainTrust trust;
  private @Nullable Dag nameServer;
  private @Nullable Signer signer;
  private @Nullable Delegation mandate;
  private boolean acceptUnsigned;
  private Duration beaconPeriod = Duration.ofSeconds(1);
  private Duration lifetime = Duration.ofSeconds(60);
  private boolean routing = true;
  private Set<Integer> routerPorts = Set.of();
  private Set<Integer> guestPorts = Set.of();
  private Duration clockWindow = Duration.ofMinutes(10);

  private GatewayConfig(DomainTrust trust) {
    this.trust = trust;
  }

  /** A gateway that believes signed hosts only. */
  public static GatewayConfig signed(Signer signer, DomainTrust trust) {
    return new GatewayConfig(trust).withSigner(signer, null);
  }

  /** A gateway as the prototype has it: everybody is believed. */
  public static GatewayConfig unsigned() {
    return unsigned(DomainTrust.open());
  }

  /** A gateway without a key that believes everybody, and some routers even when they sign. */
  public static GatewayConfig unsigned(DomainTrust trust) {
    return new GatewayConfig(trust).withAcceptUnsigned(true);
  }

  /** A copy with a change, made before anybody else sees it. */
  private GatewayConfig with(Consumer<GatewayConfig> change) {
    GatewayConfig copy = new GatewayConfig(trust);
    copy.nameServer = nameServer;
    copy.signer = signer;
    copy.mandate = mandate;
    copy.acceptUnsigned = acceptUnsigned;
    copy.beaconPeriod = beaconPeriod;
    copy.lifetime = lifetime;
    copy.routing = routing;
    copy.routerPorts = routerPorts;
    copy.guestPorts = guestPorts;
    copy.clockWindow = clockWindow;
    change.accept(copy);
    return copy;
  }

  /**
   * With another key.
   *
   * @param key the router's, whose hash is its HID
   * @param leave the domain key's leave to speak for the AD; needed where hosts trust
   *     self-certifying domains and the AD's key is not the router's
   */
  public GatewayConfig withSigner(Signer key, @Nullable Delegation leave) {
    return with(
        copy -> {
          copy.signer = key;
          copy.mandate = leave;
        });
  }

  /** With another name server to recommend; {@code null} means this router's own. */
  public GatewayConfig withNameServer(@Nullable Dag dag) {
    return with(copy -> copy.nameServer = dag);
  }

  /** Believing v1.1 hosts and routers or not. */
  public GatewayConfig withAcceptUnsigned(boolean accept) {
    return with(copy -> copy.acceptUnsigned = accept);
  }

  /**
   * With other times.
   *
   * @param period pause between beacons, 10 ms to 60 s
   * @param life longest lifetime of a registration, 3 s to 18 h
   * @throws IllegalArgumentException if they are not
   */
  public GatewayConfig withTimes(Duration period, Duration life) {
    if (period.compareTo(Duration.ofMillis(10)) < 0
        || period.compareTo(Duration.ofSeconds(60)) > 0) {
      throw new IllegalArgumentException("a beacon period is 10 ms to 60 s, not " + period);
    }
    if (life.compareTo(Duration.ofSeconds(3)) < 0 || life.compareTo(Duration.ofHours(18)) > 0) {
      throw new IllegalArgumentException("a lifetime is 3 s to 18 h, not " + life);
    }
    return with(
        copy -> {
          copy.beaconPeriod = period;
          copy.lifetime = life;
        });
  }

  /** With the routing daemon or without. */
  public GatewayConfig withRouting(boolean runs) {
    return with(copy -> copy.routing = runs);
  }

  /** Expecting other routers on some ports only; empty for all. */
  public GatewayConfig withRouterPorts(Set<Integer> ports) {
    Set<Integer> all = Set.copyOf(ports);
    return with(copy -> copy.routerPorts = all);
  }

  /**
   * With ports on which guests may be for whom a host speaks that is on another one; where their
   * hypervisor announces them there, they are. Others are behind their host's port.
   */
  public GatewayConfig withGuestPorts(Set<Integer> ports) {
    Set<Integer> all = Set.copyOf(ports);
    return with(copy -> copy.guestPorts = all);
  }

  /**
   * With another limit of how far a host's time may be from ours before a first statement is
   * refused; zero for any.
   */
  public GatewayConfig withClockWindow(Duration window) {
    return with(copy -> copy.clockWindow = window);
  }

  /** The name server to recommend; {@code null} means this router's own. */
  public @Nullable Dag nameServer() {
    return nameServer;
  }

  /** The router's key; {@code null} makes a v1.1 gateway without signatures. */
  public @Nullable Signer signer() {
    return signer;
  }

  /** The domain key's leave to speak for the AD, if there is one. */
  public @Nullable Delegation mandate() {
    return mandate;
  }

  /** Who may speak for other domains. */
  public DomainTrust trust() {
    return trust;
  }

  /** Whether v1.1 hosts and routers are believed. */
  public boolean acceptUnsigned() {
    return acceptUnsigned;
  }

  /** Pause between beacons. */
  public Duration beaconPeriod() {
    return beaconPeriod;
  }

  /** Longest lifetime of a registration. */
  public Duration lifetime() {
    return lifetime;
  }

  /** Whether the routing daemon runs. */
  public boolean routing() {
    return routing;
  }

  /** Ports on which other routers are expected; empty for all. */
  public Set<Integer> routerPorts() {
    return routerPorts;
  }

  /** Ports on which guests may be, as {@link #withGuestPorts} has it. */
  public Set<Integer> guestPorts() {
    return guestPorts;
  }

  /** Hosts that may be registered or redirected at a time. */
  public int maxHosts() {
    return MAX_HOSTS;
  }

  /** How far a host's time may be from ours; zero for any. */
  public Duration clockWindow() {
    return clockWindow;
  }
}
