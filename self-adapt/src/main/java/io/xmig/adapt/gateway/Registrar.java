package io.xmig.adapt.gateway;

import io.xmig.adapt.beacon.BeaconSender;
import io.xmig.adapt.route.HostRoutes;
import io.xmig.adapt.route.Redirection;
import io.xmig.adapt.route.RouteControl;
import io.xmig.adapt.route.RouteEntry;
import io.xmig.adapt.signal.Location;
import io.xmig.adapt.signal.Output;
import io.xmig.adapt.signal.Receipt;
import io.xmig.adapt.signal.RefusalNote;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.adapt.trust.ReplayGuard;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.key.Signer;
import io.xmig.xia.key.Verifier;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Takes the registrations of a domain's hosts and sets their HID routes.
 *
 * @threading on the stack's loop
 */
final class Registrar {
  /** How old the beacon may be that a registration answers. */
  static final long FRESH_MICROS = 60_000_000L;

  /** How long a v1.1 registration holds; its hosts repeat it every 3 s. */
  static final long UNSIGNED_LIFETIME_NS = 15_000_000_000L;

  private static final long ARRIVAL_HOLDS_NS = 2_000_000_000L;
  private static final int MAX_ARRIVALS = 1024;
  private static final Dag TO_ALL = Dag.path(Xid.BHID, Signal.SID_ADAPT);

  private record Arrival(int port, long atNs) {}

  private final EventLoop loop;
  private final Supplier<LocalAddress> address;
  private final GatewayConfig config;
  private final HostRoutes hosts;
  private final RouteControl control;
  private final Redirection redirection;
  private final ReplayGuard guard;
  private final Verifier verifier;
  private final LongSupplier stamps;
  private final LongSupplier epochMicros;
  private final Output output;
  private final Consumer<RefusedException> refused;
  private final Map<Long, Arrival> arrivals = new LinkedHashMap<>();
  private final Map<Xid, Dag> delegates = new LinkedHashMap<>();
  private long registrations;

  Registrar(
      EventLoop loop,
      Supplier<LocalAddress> address,
      GatewayConfig config,
      HostRoutes hosts,
      RouteControl control,
      Redirection redirection,
      ReplayGuard guard,
      Verifier verifier,
      LongSupplier stamps,
      LongSupplier epochMicros,
      Output output,
      Consumer<RefusedException> refused) {
    this.loop = loop;
    this.address = address;
    this.config = config;
    this.hosts = hosts;
    this.control = control;
    this.redirection = redirection;
    this.guard = guard;
    this.verifier = verifier;
    this.stamps = stamps;
    this.epochMicros = epochMicros;
    this.output = output;
    this.refused = refused;
    redirection.onProgress(this::redirected);
  }

  /** A hypervisor announced a machine behind a port. */
  void arrived(long mac, int port) {
    if (!config.guestPorts().contains(port)) {
      return;
    }
    if (arrivals.size() >= MAX_ARRIVALS) {
      arrivals.remove(arrivals.keySet().iterator().next());
    }
    arrivals.remove(mac);
    arrivals.put(mac, new Arrival(port, loop.nanoTime()));
    for (HostRoutes.Host host : hosts.all()) {
      Envelope statement = host.statement();
      if (statement == null
          || host.basis() != HostRoutes.Basis.REGISTERED
          || host.route().port() == port
          || !delegates.containsKey(host.hid())) {
        continue;
      }
      Location location = Location.of(statement);
      if (location.mac() == mac && (location.flags() & Location.FLAG_ARRIVED) != 0) {
        take(location, statement, port); // its host was faster than this
      }
    }
  }

  /** Whether the statement is for this gateway. */
  boolean concerns(Location location) {
    LocalAddress here = address.get();
    return location.gateway().equals(here.hid()) && location.ad().equals(here.ad());
  }

  /** A signed registration. */
  void register(Location location, Envelope statement, Dag source, int inPort) {
    long micros = epochMicros.getAsLong();
    ReplayGuard.Verdict verdict;
    try {
      verdict = guard.check(location.hid(), statement.sequence(), statement.fingerprint(), micros);
      if (verdict == ReplayGuard.Verdict.REPEATED) {
        repeated(location, statement);
        return;
      }
      long age = micros - location.stamp();
      if (age > FRESH_MICROS || age < -FRESH_MICROS) {
        throw new RefusedException(
            Refusal.NOT_FRESH,
            "the registration answers no recent beacon",
            Map.of("hid", location.hid(), "ageMs", age / 1000));
      }
      if (inPort >= 0
          && output.links() > 0
          && BeaconSender.linkOf(location.stamp()) != inPort % 256) {
        throw new RefusedException(
            Refusal.NOT_FRESH,
            "the registration answers a beacon of another link",
            Map.of("hid", location.hid(), "port", inPort));
      }
    } catch (RefusedException e) {
      // only the key's owner is told; a forger learns nothing and costs no signature
      statement.check(verifier, Delegation.SCOPE_LOCATION, micros / 1_000_000);
      if (e.refusal() == Refusal.NOT_FRESH) {
        // nobody shall play it back later where it would count
        guard.accept(
            location.hid(), statement.sequence(), statement.fingerprint(), loop.nanoTime());
      }
      refuse(location, statement, e, inPort);
      return;
    }
    statement.check(verifier, Delegation.SCOPE_LOCATION, micros / 1_000_000);
    guard.accept(location.hid(), statement.sequence(), statement.fingerprint(), loop.nanoTime());
    remember(location, source);
    if ((location.flags() & Location.FLAG_DELEGATED) != 0 && location.mac() != 0) {
      take(location, statement, portOfGuest(location, inPort));
    } else if (inPort >= 0) {
      take(location, statement, inPort);
    } else {
      learned(location.hid()).thenAccept(port -> takeLearned(location, statement, port));
    }
  }

  /**
   * Where a guest is for whom its host speaks: behind the host's own port, or on one of the guests'
   * ports if the hypervisor has just announced it there. Nobody signs such an announcement, so no
   * other port can be claimed by one.
   */
  private int portOfGuest(Location location, int inPort) {
    Arrival seen = arrivals.get(location.mac());
    if (seen != null && loop.nanoTime() - seen.atNs < ARRIVAL_HOLDS_NS) {
      return seen.port;
    }
    HostRoutes.Host known = hosts.find(location.hid());
    boolean here = known != null && known.basis() == HostRoutes.Basis.REGISTERED;
    if (here && (location.flags() & Location.FLAG_ARRIVED) == 0) {
      return known.route().port();
    }
    return inPort;
  }

  /** Whom to answer: a delegate at its own address, since the guest would not understand. */
  private void remember(Location location, Dag source) {
    delegates.remove(location.hid());
    if ((location.flags() & Location.FLAG_DELEGATED) != 0) {
      delegates.put(location.hid(), source);
      if (delegates.size() > config.maxHosts()) {
        delegates.remove(delegates.keySet().iterator().next());
      }
    }
  }

  private void takeLearned(Location location, Envelope statement, int port) {
    if (port < 0) {
      refused.accept(
          new RefusedException(
              Refusal.PORT,
              "the stack does not say by which port the host registered",
              Map.of("hid", location.hid())));
    } else {
      take(location, statement, port);
    }
  }

  /** The port that the node itself learned from the host's broadcast, −1 if it did not. */
  private CompletableFuture<Integer> learned(Xid hid) {
    return control
        .list(XidType.HID)
        .thenApply(
            entries ->
                entries.stream()
                    .filter(e -> hid.equals(e.xid()) && e.forwards())
                    .mapToInt(RouteEntry::port)
                    .findFirst()
                    .orElse(-1));
  }

  private void take(Location location, Envelope statement, int port) {
    Long newest = guard.known(location.hid());
    if (newest != null && newest > statement.sequence()) {
      return;
    }
    HostRoutes.Host before = hosts.find(location.hid());
    boolean left =
        before != null
            && before.basis() == HostRoutes.Basis.REGISTERED
            && before.route().port() != port;
    HostRoutes.Host host =
        new HostRoutes.Host(
            location.hid(),
            HostRoutes.Basis.REGISTERED,
            statement.sequence(),
            statement,
            new RouteEntry(location.hid(), port, location.hid(), RouteEntry.FLAGS_REGISTERED),
            loop.nanoTime() + granted(location) * 1_000_000_000L);
    try {
      hosts
          .set(host)
          .whenComplete(
              (set, error) -> {
                if (error == null) {
                  taken(location, statement, port);
                  if (left) {
                    redirection.tellDeparted(statement);
                  }
                } else {
                  refuse(location, statement, notSet(location, error), port);
                }
              });
    } catch (RefusedException e) {
      refuse(location, statement, e, port);
    }
  }

  private static RefusedException notSet(Location location, Throwable error) {
    return new RefusedException(
        Refusal.NO_ROUTE,
        "the router's node did not take the route",
        Map.of("hid", location.hid(), "why", String.valueOf(error.getMessage())));
  }

  private void taken(Location location, Envelope statement, int port) {
    registrations++;
    location.homes().forEach(home -> standIn(home, port));
    if (location.mac() != 0) {
      spareResolution(location, port);
    }
    redirection.registered(location, statement);
    confirm(location, statement, redirection.formerOf(location.hid()));
  }

  private int granted(Location location) {
    int most = (int) config.lifetime().toSeconds();
    return location.lifetimeS() == 0 ? most : Math.max(3, Math.min(most, location.lifetimeS()));
  }

  /** Enters the host's Ethernet address, so that the first packet to it waits for no XARP. */
  private void spareResolution(Location location, int port) {
    control
        .write("xlc" + port + "/xarpq.insert", location.hid() + " " + macText(location.mac()))
        .exceptionally(error -> null); // a node without this handler resolves as ever
  }

  /** Answers on the guest's port for the gateway that the guest still believes to have. */
  private void standIn(Location.Home home, int port) {
    if (home.gateway().equals(address.get().hid())) {
      return;
    }
    long mac = home.mac() != 0 ? home.mac() : standInMac(home.gateway());
    control
        .write("xlc" + port + "/xarpr.add", home.gateway() + " " + macText(mac))
        .exceptionally(error -> cannotStandIn(home, error));
  }

  /** A locally administered address, the same at every gateway, for one whose own is not known. */
  private static long standInMac(Xid gateway) {
    return 0x06_00_00_00_00_00L | gateway.hashCode() & 0xffff_ffffL;
  }

  private @Nullable Void cannotStandIn(Location.Home home, Throwable error) {
    refused.accept(
        new RefusedException(
            Refusal.PORT,
            "the node cannot answer for the guest's former gateway",
            Map.of("gateway", home.gateway(), "why", String.valueOf(error.getMessage()))));
    return null;
  }

  static String macText(long mac) {
    StringBuilder text = new StringBuilder(17);
    for (int shift = 40; shift >= 0; shift -= 8) {
      text.append(String.format("%02x", mac >>> shift & 0xff)).append(shift > 0 ? ":" : "");
    }
    return text.toString();
  }

  private void repeated(Location location, Envelope statement) {
    HostRoutes.Host host = hosts.find(location.hid());
    if (host != null
        && host.basis() == HostRoutes.Basis.REGISTERED
        && host.sequence() == statement.sequence()) {
      confirm(location, statement, redirection.formerOf(location.hid()));
    }
  }

  private void redirected(Location location, long sequence, Map<Xid, Boolean> former) {
    HostRoutes.Host host = hosts.find(location.hid());
    if (host != null && host.statement() != null && host.sequence() == sequence) {
      confirm(location, host.statement(), former);
    }
  }

  private void confirm(Location location, Envelope statement, Map<Xid, Boolean> former) {
    Signer key = config.signer();
    if (key == null) {
      return;
    }
    Receipt receipt =
        new Receipt(
            location.hid(), statement.sequence(), address.get().ad(), granted(location), former);
    reply(location, new Signal.Registered(receipt.seal(key, config.mandate(), stamps.getAsLong())));
  }

  private void refuse(Location location, Envelope statement, RefusedException why, int port) {
    refused.accept(why);
    Signer key = config.signer();
    if (key == null) {
      return;
    }
    Long known = guard.known(location.hid());
    long hint = known == null ? 0 : known;
    if (why.refusal() == Refusal.CLOCK) {
      hint = Math.max(hint, epochMicros.getAsLong() - 1);
    }
    RefusalNote note = new RefusalNote(location.hid(), statement.sequence(), why.refusal(), hint);
    byte[] bytes =
        new Signal.Refused(note.seal(key, config.mandate(), stamps.getAsLong())).encode();
    if (replyToDelegate(location, bytes)) {
      return;
    }
    // its HID leads to where it was before, or nowhere
    if (port >= 0 && port < output.links()) {
      output.sendOn(port, TO_ALL, ByteBuffer.wrap(bytes));
    } else {
      output.send(TO_ALL, bytes);
    }
  }

  /** Confirmations go to the host by its HID alone: it may not have its new address yet. */
  private void reply(Location location, Signal signal) {
    byte[] bytes = signal.encode();
    if (!replyToDelegate(location, bytes)) {
      output.send(Dag.path(location.hid(), Signal.SID_ADAPT), bytes);
    }
  }

  private boolean replyToDelegate(Location location, byte[] bytes) {
    Dag delegate = delegates.get(location.hid());
    if (delegate == null || (location.flags() & Location.FLAG_DELEGATED) == 0) {
      return false;
    }
    output.send(delegate, bytes);
    return true;
  }

  /** A v1.1 registration. */
  void registerUnsigned(Xid hid, int inPort) {
    if (!config.acceptUnsigned()) {
      throw new RefusedException(
          Refusal.UNSIGNED, "unsigned hosts are not accepted here", Map.of("hid", hid));
    }
    HostRoutes.Host old = hosts.find(hid);
    if (old != null && old.basis() != HostRoutes.Basis.UNSIGNED) {
      throw new RefusedException(
          Refusal.NOT_OWNER, "the host registers with a key", Map.of("hid", hid));
    }
    if (hid.equals(address.get().hid()) || hid.equals(Xid.BHID)) {
      throw new RefusedException(Refusal.NOT_OWNER, "not a host's HID", Map.of("hid", hid));
    }
    if (inPort >= 0) {
      takeUnsigned(hid, inPort);
    } else {
      learned(hid)
          .thenAccept(
              port -> {
                if (port >= 0) {
                  takeUnsigned(hid, port);
                }
              });
    }
  }

  private void takeUnsigned(Xid hid, int port) {
    try {
      hosts.set(
          new HostRoutes.Host(
              hid,
              HostRoutes.Basis.UNSIGNED,
              0,
              null,
              new RouteEntry(hid, port, hid, RouteEntry.FLAGS_DAEMON),
              loop.nanoTime() + UNSIGNED_LIFETIME_NS));
      registrations++;
    } catch (RefusedException e) {
      refused.accept(e);
    }
  }

  /** Registrations taken so far, refreshes included. */
  long registrations() {
    return registrations;
  }
}
