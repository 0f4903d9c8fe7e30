package io.xmig.adapt.gateway;

import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.key.Signer;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a gateway behaves.
 *
 * @param nameServer the name server to recommend; {@code null} means this router's own
 * @param signer the router's key, whose hash is its HID; {@code null} makes a v1.1 gateway without
 *     signatures
 * @param mandate the domain key's leave to speak for the AD; needed where hosts trust
 *     self-certifying domains and the AD's key is not the router's
 * @param trust who may speak for other domains
 * @param acceptUnsigned whether v1.1 hosts and routers are believed
 * @param beaconPeriod pause between beacons
 * @param lifetime longest lifetime of a registration
 * @param routing whether the routing daemon runs
 * @param routerPorts ports on which other routers are expected; empty for all
 * @param guestPorts ports on which guests may be for whom a host speaks that is on another one;
 *     where their hypervisor announces them there, they are. Others are behind their host's port
 * @param maxHosts hosts that may be registered or redirected at a time
 * @param clockWindow how far a host's time may be from ours before a first statement is refused;
 *     zero for any
 */
public record GatewayConfig(
    @Nullable Dag nameServer,
    @Nullable Signer signer,
    @Nullable Delegation mandate,
    DomainTrust trust,
    boolean acceptUnsigned,
    Duration beaconPeriod,
    Duration lifetime,
    boolean routing,
    Set<Integer> routerPorts,
    Set<Integer> guestPorts,
    int maxHosts,
    Duration clockWindow) {
  public GatewayConfig {
    routerPorts = Set.copyOf(routerPorts);
    guestPorts = Set.copyOf(guestPorts);
    if (beaconPeriod.compareTo(Duration.ofMillis(10)) < 0
        || beaconPeriod.compareTo(Duration.ofSeconds(60)) > 0) {
      throw new IllegalArgumentException("a beacon period is 10 ms to 60 s, not " + beaconPeriod);
    }
    if (lifetime.compareTo(Duration.ofSeconds(3)) < 0
        || lifetime.compareTo(Duration.ofHours(18)) > 0) {
      throw new IllegalArgumentException("a lifetime is 3 s to 18 h, not " + lifetime);
    }
  }

  /** A gateway that believes signed hosts only. */
  public static GatewayConfig signed(Signer signer, DomainTrust trust) {
    return new GatewayConfig(
        null,
        signer,
        null,
        trust,
        false,
        Duration.ofSeconds(1),
        Duration.ofSeconds(60),
        true,
        Set.of(),
        Set.of(),
        65_536,
        Duration.ofMinutes(10));
  }

  /** A gateway as the prototype has it: everybody is believed. */
  public static GatewayConfig unsigned() {
    return new GatewayConfig(
        null,
        null,
        null,
        DomainTrust.open(),
        true,
        Duration.ofSeconds(1),
        Duration.ofSeconds(60),
        true,
        Set.of(),
        Set.of(),
        65_536,
        Duration.ofMinutes(10));
  }

  /** The same with another name server. */
  public GatewayConfig withNameServer(@Nullable Dag dag) {
    return new GatewayConfig(
        dag,
        signer,
        mandate,
        trust,
        acceptUnsigned,
        beaconPeriod,
        lifetime,
        routing,
        routerPorts,
        guestPorts,
        maxHosts,
        clockWindow);
  }

  /** The same, believing v1.1 hosts or not. */
  public GatewayConfig withAcceptUnsigned(boolean accept) {
    return new GatewayConfig(
        nameServer,
        signer,
        mandate,
        trust,
        accept,
        beaconPeriod,
        lifetime,
        routing,
        routerPorts,
        guestPorts,
        maxHosts,
        clockWindow);
  }

  /** The same with other times. */
  public GatewayConfig withTimes(Duration period, Duration life) {
    return new GatewayConfig(
        nameServer,
        signer,
        mandate,
        trust,
        acceptUnsigned,
        period,
        life,
        routing,
        routerPorts,
        guestPorts,
        maxHosts,
        clockWindow);
  }

  /** The same, expecting routers on some ports only. */
  public GatewayConfig withRouterPorts(Set<Integer> ports) {
    return new GatewayConfig(
        nameServer,
        signer,
        mandate,
        trust,
        acceptUnsigned,
        beaconPeriod,
        lifetime,
        routing,
        ports,
        guestPorts,
        maxHosts,
        clockWindow);
  }

  /** The same, believing announcements of guests on some ports. */
  public GatewayConfig withGuestPorts(Set<Integer> ports) {
    return new GatewayConfig(
        nameServer,
        signer,
        mandate,
        trust,
        acceptUnsigned,
        beaconPeriod,
        lifetime,
        routing,
        routerPorts,
        ports,
        maxHosts,
        clockWindow);
  }
}
