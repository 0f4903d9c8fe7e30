package io.xmig.adapt.gateway;

import io.xmig.adapt.beacon.BeaconSender;
import io.xmig.adapt.route.HandlerRouteControl;
import io.xmig.adapt.route.HostRoutes;
import io.xmig.adapt.route.Redirection;
import io.xmig.adapt.route.RouteControl;
import io.xmig.adapt.route.RoutingDaemon;
import io.xmig.adapt.signal.Location;
import io.xmig.adapt.signal.Output;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.trust.RateLimit;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusalLog;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.adapt.trust.ReplayGuard;
import io.xmig.xia.XiaException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.key.Verifier;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.wire.RoutingMessage;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The services of a domain's router: beacons, registration of hosts, redirection of those that have
 * moved, and the routing daemon. A plain object on any stack of the router.
 *
 * @threading on the stack's loop
 */
public final class Gateway implements AutoCloseable {
  private static final double SIGNATURES_PER_SECOND = 500;
  private static final double SIGNATURES_AT_ONCE = 250;
  private static final long ARRIVAL_REPEAT_NS = 5_000_000L;

  private final XiaStack stack;
  private final GatewayConfig config;
  private final LongSupplier epochMicros;
  private final RefusalLog refusals;
  private final HostRoutes hosts;
  private final Redirection redirection;
  private final Registrar registrar;
  private final RoutingDaemon routing;
  private final BeaconSender beacons;
  private final RateLimit budget = new RateLimit(SIGNATURES_PER_SECOND, SIGNATURES_AT_ONCE);
  private final Sockets output = new Sockets();
  private @Nullable DatagramSocket adaptSocket;
  private @Nullable DatagramSocket routeSocket;
  private @Nullable Runnable linkListener;
  private @Nullable Dag knownNameServer;
  private long lastArrivalMac;
  private long lastArrivalNs;

  /**
   * @param verifier checks signatures; belongs to this object from now on
   * @param random for challenges; must not be guessable outside simulations
   * @param epochMicros wall clock, microseconds since the epoch
   */
  public Gateway(
      XiaStack stack,
      GatewayConfig config,
      Verifier verifier,
      RandomGenerator random,
      LongSupplier epochMicros) {
    this.stack = stack;
    this.config = config;
    this.epochMicros = epochMicros;
    this.refusals = new RefusalLog("gateway " + stack.localAddress().ad().idHex());
    if (config.signer() != null && !config.signer().identity().owns(stack.localAddress().hid())) {
      throw new IllegalArgumentException(
          "the key "
              + config.signer().identity().hid().idHex()
              + " is not that of this router, "
              + stack.localAddress().hid());
    }
    RouteControl control = HandlerRouteControl.of(stack);
    this.hosts = new HostRoutes(stack.loop(), control, config.maxHosts());
    ReplayGuard guard =
        new ReplayGuard(4 * config.maxHosts(), config.clockWindow().toNanos() / 1000);
    this.beacons =
        new BeaconSender(
            stack.loop(),
            stack::localAddress,
            this::nameServer,
            config.signer(),
            config.mandate(),
            epochMicros,
            config.beaconPeriod(),
            (int) config.lifetime().toSeconds(),
            output);
    this.redirection =
        new Redirection(
            stack.loop(),
            () -> stack.localAddress().ad(),
            hosts,
            control,
            guard,
            verifier,
            config.trust(),
            config.signer(),
            config.mandate(),
            beacons::nextStamp,
            epochMicros,
            output,
            this::refused);
    this.registrar =
        new Registrar(
            stack.loop(),
            stack::localAddress,
            config,
            hosts,
            control,
            redirection,
            guard,
            verifier,
            beacons::nextStamp,
            epochMicros,
            output,
            this::refused);
    this.routing =
        new RoutingDaemon(
            stack.loop(),
            stack::localAddress,
            control,
            verifier,
            config.trust(),
            config.signer(),
            config.mandate(),
            config.acceptUnsigned(),
            config.routerPorts(),
            beacons::nextStamp,
            epochMicros,
            config.clockWindow(),
            random,
            output,
            this::refused);
  }

  /** Binds SID_XROUTE and SID_ADAPT and begins to serve. */
  public CompletableFuture<Void> start() {
    return stack
        .openDatagram(Xid.SID_XROUTE, this::onRouteDatagram)
        .thenCompose(
            route -> {
              routeSocket = route;
              return stack.openDatagram(Signal.SID_ADAPT, this::onAdaptDatagram);
            })
        .thenCompose(
            adapt -> {
              adaptSocket = adapt;
              return hosts.adopt(config.lifetime().toNanos());
            })
        .thenCompose(adopted -> stack.nameServer())
        .thenAccept(
            dag -> {
              knownNameServer = dag;
              linkListener = stack.onLinkEvent(this::onLinkEvent);
              if (config.signer() != null && !config.acceptUnsigned()) {
                forbidLearning();
              }
              beacons.start();
              if (config.routing()) {
                routing.start();
              }
            });
  }

  /**
   * A node that learns HIDs from whoever broadcasts, as the prototype does, would undo every check
   * made here; nodes that cannot be told so were configured so.
   */
  private void forbidLearning() {
    stack.writeHandler("./xrc/n/proc/rt_HID.learn", "0").exceptionally(error -> null);
  }

  private @Nullable Dag nameServer() {
    return config.nameServer() != null ? config.nameServer() : knownNameServer;
  }

  /** Sends by the sockets of this router's services. */
  private final class Sockets implements Output {
    private @Nullable DatagramSocket to(Dag destination) {
      return destination.intent().equals(Xid.SID_XROUTE) ? routeSocket : adaptSocket;
    }

    @Override
    public void send(Dag destination, ByteBuffer datagram) {
      DatagramSocket socket = to(destination);
      if (socket != null) {
        bestEffort(() -> socket.send(destination, datagram));
      }
    }

    @Override
    public int links() {
      return adaptSocket == null ? 0 : adaptSocket.links();
    }

    @Override
    public void sendOn(int link, Dag destination, ByteBuffer datagram) {
      DatagramSocket socket = to(destination);
      if (socket != null) {
        bestEffort(() -> socket.sendOn(link, destination, datagram));
      }
    }

    private void bestEffort(Runnable sending) {
      try {
        sending.run();
      } catch (XiaSocketException e) {
        refused(new RefusedException(Refusal.NO_ROUTE, String.valueOf(e.getMessage())));
      }
    }
  }

  private void refused(RefusedException e) {
    refusals.add(e, stack.loop().nanoTime());
  }

  private void onLinkEvent(LinkEvent event) {
    if (event.kind() == LinkEvent.Kind.RARP) {
      long now = stack.loop().nanoTime();
      registrar.arrived(event.mac(), event.port());
      if (event.mac() == lastArrivalMac && now - lastArrivalNs < ARRIVAL_REPEAT_NS) {
        return;
      }
      lastArrivalMac = event.mac();
      lastArrivalNs = now;
      beacons.arrived(event.mac(), event.port());
    } else if (event.kind() == LinkEvent.Kind.UP) {
      beacons.now(event.port());
    }
  }

  private void onRouteDatagram(Dag source, ByteBuffer payload, int inPort) {
    guarded(
        () -> {
          RoutingMessage message = RoutingMessage.decode(payload);
          if (message instanceof RoutingMessage.HostRegister host) {
            registrar.registerUnsigned(host.hid(), inPort);
          } else if (config.routing()) {
            routing.onPlain(message, inPort);
          }
        });
  }

  private void onAdaptDatagram(Dag source, ByteBuffer payload, int inPort) {
    guarded(() -> onSignal(Signal.decode(payload), source, inPort));
  }

  private void guarded(Runnable work) {
    try {
      work.run();
    } catch (RefusedException e) {
      refused(e);
    } catch (XiaException e) {
      refused(new RefusedException(Refusal.MALFORMED, String.valueOf(e.getMessage())));
    }
  }

  private void onSignal(Signal signal, Dag source, int inPort) {
    if (signal instanceof Signal.Solicit solicit) {
      beacons.asked(solicit.nonce(), solicit.reply() ? source : null, inPort);
      return;
    }
    if (inPort < 0 && source.host() != null && source.host().equals(stack.localAddress().hid())) {
      return; // our own broadcast
    }
    if (!budget.take(stack.loop().nanoTime())) {
      throw new RefusedException(
          Refusal.RATE, "more signatures than are checked a second", Map.of("port", inPort));
    }
    if (signal instanceof Signal.Register register) {
      Location location = Location.of(register.location());
      if (registrar.concerns(location)) {
        registrar.register(location, register.location(), source, inPort);
      } else {
        beacons.now(inPort); // a newcomer that does not know yet where it is
      }
    } else if (signal instanceof Signal.Repoint repoint) {
      redirection.onRepoint(repoint);
    } else if (signal instanceof Signal.Repointed repointed) {
      redirection.onRepointed(repointed);
    } else if (signal instanceof Signal.Withdraw withdraw) {
      redirection.onWithdraw(withdraw);
    } else if (signal instanceof Signal.Routing message) {
      if (config.routing()) {
        routing.onSigned(message.message(), inPort);
      }
    }
    // the rest is between gateways and hosts
  }

  /** What was refused and why. */
  public RefusalLog refusals() {
    return refusals;
  }

  /** The hosts registered or redirected here. */
  public HostRoutes hosts() {
    return hosts;
  }

  /** What is known of one host, {@code null} if nothing. */
  public HostRoutes.@Nullable Host host(Xid hid) {
    if (!hid.is(XidType.HID)) {
      throw new IllegalArgumentException("not a HID: " + hid);
    }
    return hosts.find(hid);
  }

  /** The routing daemon. */
  public RoutingDaemon routing() {
    return routing;
  }

  /** Beacons sent so far. */
  public long beaconsSent() {
    return beacons.sent();
  }

  /** Registrations taken so far, refreshes included. */
  public long registrations() {
    return registrar.registrations();
  }

  /** Redirections set so far, refreshes included. */
  public long repoints() {
    return redirection.repoints();
  }

  /** The clock that statements are held against, microseconds since the epoch. */
  public long epochMicros() {
    return epochMicros.getAsLong();
  }

  /** Falls silent; routes stay. */
  @Override
  public void close() {
    if (linkListener != null) {
      linkListener.run();
      linkListener = null;
    }
    beacons.stop();
    routing.stop();
    redirection.stop();
    hosts.stop();
    if (adaptSocket != null) {
      adaptSocket.close();
      adaptSocket = null;
    }
    if (routeSocket != null) {
      routeSocket.close();
      routeSocket = null;
    }
  }
}
