package io.xmig.adapt.route;

import io.xmig.adapt.signal.Output;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.DomainTrust;
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
import io.xmig.xia.wire.RoutingMessage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Finds the other routers and sets the AD routes: HELLO to the neighbours ({@link Adjacencies}),
 * LSAs to everybody, shortest paths with a cost of one per link. LSAs are those of the prototype's
 * xrouted, between routers with keys in envelopes; the HELLOs of those are our own. Unlike
 * xrouted's, neighbours and LSAs run out, a change is told at once, and a link counts when both its
 * ends name it.
 *
 * @threading on the stack's loop
 * @source docs/wire.md section 10, docs/prototype.md "xrouted"
 */
public final class RoutingDaemon {
  /** Pause between HELLOs. */
  public static final Duration HELLO_PERIOD = Adjacencies.PERIOD;

  /** A neighbour that is silent for this long is gone. */
  public static final Duration NEIGHBOUR_LIFETIME = Adjacencies.LIFETIME;

  /** Pause between LSAs when nothing changes. */
  public static final Duration LSA_PERIOD = Duration.ofSeconds(5);

  /** An LSA that is not renewed for this long is dropped. */
  public static final Duration LSA_LIFETIME = Duration.ofSeconds(20);

  private static final long SETTLE_NS = 5_000_000L;
  private static final int MAX_ROUTERS = 4096;
  private static final int SEQUENCE_WINDOW = 10_000;
  private static final Dag EVERYBODY_V1 = Dag.path(Xid.BHID, Xid.SID_XROUTE);
  private static final Dag EVERYBODY = Dag.path(Xid.BHID, Signal.SID_ADAPT);

  private record LinkState(RoutingMessage.Lsa lsa, @Nullable Envelope envelope, long heardNs) {}

  private final EventLoop loop;
  private final Supplier<LocalAddress> address;
  private final RouteControl control;
  private final Verifier verifier;
  private final DomainTrust trust;
  private final @Nullable Signer signer;
  private final @Nullable Delegation mandate;
  private final boolean acceptUnsigned;
  private final Set<Integer> routerPorts;
  private final LongSupplier stamps;
  private final LongSupplier epochMicros;
  private final Output output;
  private final Consumer<RefusedException> refused;
  private final ReplayGuard lsas;
  private final Adjacencies adjacencies;
  private final Map<Xid, LinkState> routers = new TreeMap<>(); // by HID
  private final Map<Xid, Adjacencies.Neighbour> withoutEntry = new TreeMap<>();
  private final Map<Xid, RouteEntry> installed = new HashMap<>(); // AD routes set here

  private final List<EventLoop.Timer> adoptionTimers = new ArrayList<>();
  private EventLoop.@Nullable Timer helloTimer;
  private EventLoop.@Nullable Timer lsaTimer;
  private EventLoop.@Nullable Timer settleTimer;
  private int sequence;
  private boolean incomplete;
  private boolean stopped;

  /**
   * @param signer key of the router, {@code null} to speak v1.1 only
   * @param acceptUnsigned whether v1.1 routers are believed
   * @param routerPorts ports on which routers are expected; empty for all
   * @param random for challenges; must not be guessable outside simulations
   */
  public RoutingDaemon(
      EventLoop loop,
      Supplier<LocalAddress> address,
      RouteControl control,
      Verifier verifier,
      DomainTrust trust,
      @Nullable Signer signer,
      @Nullable Delegation mandate,
      boolean acceptUnsigned,
      Set<Integer> routerPorts,
      LongSupplier stamps,
      LongSupplier epochMicros,
      Duration clockWindow,
      RandomGenerator random,
      Output output,
      Consumer<RefusedException> refused) {
    this.loop = loop;
    this.address = address;
    this.control = control;
    this.verifier = verifier;
    this.trust = trust;
    this.signer = signer;
    this.mandate = mandate;
    this.acceptUnsigned = acceptUnsigned;
    this.routerPorts = Set.copyOf(routerPorts);
    this.stamps = stamps;
    this.epochMicros = epochMicros;
    this.output = output;
    this.refused = refused;
    this.lsas = new ReplayGuard(MAX_ROUTERS, clockWindow.toNanos() / 1000);
    this.adjacencies =
        new Adjacencies(
            loop,
            address,
            verifier,
            trust,
            signer,
            mandate,
            stamps,
            epochMicros,
            random,
            output,
            this::appeared);
  }

  /** Says hello and goes on until {@link #stop}. */
  public void start() {
    for (XidType type : List.of(XidType.AD, XidType.HID)) {
      control.list(type).thenAccept(entries -> leftBehind(type, entries)).exceptionally(e -> null);
    }
    hello();
    lsaTimer = loop.schedule(SETTLE_NS * 4, this::flood);
  }

  /** What a predecessor has set goes on being used, and goes if we do not find it too. */
  private void leftBehind(XidType type, List<RouteEntry> entries) {
    List<Xid> theirs =
        entries.stream()
            .filter(e -> e.flags() == RouteEntry.FLAGS_ROUTED)
            .map(RouteEntry::xid)
            .filter(java.util.Objects::nonNull)
            .toList();
    if (theirs.isEmpty()) {
      return;
    }
    adoptionTimers.add(
        loop.schedule(
            LSA_LIFETIME.toNanos(),
            () -> {
              Set<Xid> ours = type == XidType.AD ? installed.keySet() : neighbourHids();
              theirs.stream().filter(xid -> !ours.contains(xid)).forEach(x -> remove(type, x));
            }));
  }

  private void remove(XidType type, Xid xid) {
    control.remove(type, xid).exceptionally(error -> null);
  }

  private void hello() {
    adjacencies.hello();
    if (signer == null || acceptUnsigned) {
      LocalAddress here = address.get();
      output.send(EVERYBODY_V1, new RoutingMessage.Hello(here.ad(), here.hid()).encode());
    }
    expire();
    if (!stopped) {
      helloTimer = loop.schedule(HELLO_PERIOD.toNanos(), this::hello);
    }
  }

  private void flood() {
    if (lsaTimer != null) {
      lsaTimer.cancel();
    }
    LocalAddress here = address.get();
    List<RoutingMessage.Neighbour> list = new ArrayList<>();
    for (Adjacencies.Neighbour n : adjacencies.all()) {
      if (list.size() < RoutingMessage.MAX_NEIGHBOURS) {
        list.add(new RoutingMessage.Neighbour(n.ad(), n.hid()));
      }
    }
    send(new RoutingMessage.Lsa(0, here.ad(), here.hid(), sequence, list));
    sequence = (sequence + 1) % RoutingMessage.SEQUENCE_MODULUS;
    if (!stopped) {
      lsaTimer = loop.schedule(LSA_PERIOD.toNanos(), this::flood);
    }
  }

  private void send(RoutingMessage message) {
    byte[] plain = message.encode();
    if (signer != null) {
      Envelope envelope =
          Envelope.seal(signer, mandate, Envelope.KIND_ROUTING, stamps.getAsLong(), plain);
      output.send(EVERYBODY, new Signal.Routing(envelope).encode());
    }
    if (signer == null || acceptUnsigned) {
      output.send(EVERYBODY_V1, plain);
    }
  }

  /** A message of a v1.1 router. */
  public void onPlain(RoutingMessage message, int inPort) {
    if (message instanceof RoutingMessage.HostRegister) {
      return; // the registrar's
    }
    if (!acceptUnsigned) {
      Xid speaker = speaker(message);
      if (!speaker.equals(address.get().hid())) {
        throw new RefusedException(
            Refusal.UNSIGNED, "unsigned routers are not accepted here", Map.of("hid", speaker));
      }
      return;
    }
    if (lsas.known(speaker(message)) != null) {
      return; // that router signs; the plain copy is for others
    }
    expectRouter(inPort);
    if (message instanceof RoutingMessage.Hello hello) {
      adjacencies.onPlain(hello, inPort);
    } else if (message instanceof RoutingMessage.Lsa lsa) {
      onLsa(lsa, null);
    }
  }

  private static Xid speaker(RoutingMessage message) {
    if (message instanceof RoutingMessage.Hello hello) {
      return hello.hid();
    }
    if (message instanceof RoutingMessage.Lsa lsa) {
      return lsa.hid();
    }
    throw new RefusedException(Refusal.MALFORMED, "not a router's message");
  }

  /** A message in an envelope. */
  public void onSigned(Envelope envelope, int inPort) {
    if (envelope.kind() == Envelope.KIND_HELLO) {
      expectRouter(inPort);
      adjacencies.onSigned(envelope, inPort);
      return;
    }
    if (envelope.kind() != Envelope.KIND_ROUTING
        || !(RoutingMessage.decode(envelope.body()) instanceof RoutingMessage.Lsa lsa)) {
      throw new RefusedException(
          Refusal.MALFORMED, "expected a routing message", Map.of("kind", envelope.kind()));
    }
    Xid hid = lsa.hid();
    if (!envelope.signer().owns(hid)) {
      throw new RefusedException(
          Refusal.NOT_OWNER, "this key is not the router's", Map.of("hid", hid));
    }
    long micros = epochMicros.getAsLong();
    Long newest = lsas.known(hid);
    if (newest != null && envelope.sequence() < newest) {
      return; // flooding brings old copies by longer ways
    }
    if (lsas.check(hid, envelope.sequence(), envelope.fingerprint(), micros)
        == ReplayGuard.Verdict.REPEATED) {
      return;
    }
    expectRouter(inPort);
    envelope.check(verifier, Delegation.SCOPE_DOMAIN, micros / 1_000_000);
    trust.check(lsa.ad(), envelope);
    lsas.accept(hid, envelope.sequence(), envelope.fingerprint(), loop.nanoTime());
    onLsa(lsa, envelope);
  }

  private void expectRouter(int inPort) {
    if (!routerPorts.isEmpty() && !routerPorts.contains(inPort)) {
      throw new RefusedException(
          Refusal.PORT, "no router is expected on that port", Map.of("port", inPort));
    }
  }

  private void setHop(Adjacencies.Neighbour n) {
    withoutEntry.remove(n.hid());
    control
        .set(XidType.HID, new RouteEntry(n.hid(), n.port(), n.hid(), RouteEntry.FLAGS_ROUTED))
        .exceptionally(
            error -> {
              withoutEntry.put(n.hid(), n); // asked again with the next HELLO
              refused.accept(
                  new RefusedException(
                      Refusal.NO_ROUTE,
                      "the node did not take a neighbour's route",
                      Map.of("hid", n.hid(), "why", String.valueOf(error.getMessage()))));
              return null;
            });
  }

  private void appeared(Adjacencies.Neighbour n) {
    setHop(n);
    if (n.signed() && output.links() > 0) {
      // what we know of the others: it may have been cut off from them for a while
      routers
          .values()
          .forEach(
              r -> {
                if (r.envelope != null) {
                  output.sendOn(
                      n.port(),
                      EVERYBODY,
                      ByteBuffer.wrap(new Signal.Routing(r.envelope).encode()));
                }
              });
    } else if (!n.signed()) {
      LocalAddress here = address.get();
      output.send(EVERYBODY_V1, new RoutingMessage.Hello(here.ad(), here.hid()).encode());
    }
    changed();
  }

  private void onLsa(RoutingMessage.Lsa lsa, @Nullable Envelope envelope) {
    if (lsa.hid().equals(address.get().hid())) {
      int ahead = Math.floorMod(lsa.sequence() - sequence, RoutingMessage.SEQUENCE_MODULUS);
      if (ahead < SEQUENCE_WINDOW) {
        // an LSA from before our restart is still about: outrun it
        sequence = (lsa.sequence() + 1) % RoutingMessage.SEQUENCE_MODULUS;
        changed();
      }
      return;
    }
    LinkState known = routers.get(lsa.hid());
    boolean alive = known != null && loop.nanoTime() - known.heardNs < LSA_LIFETIME.toNanos();
    if (envelope == null
        && known != null
        && alive
        && lsa.sequence() <= known.lsa.sequence()
        && known.lsa.sequence() - lsa.sequence() < SEQUENCE_WINDOW) {
      return;
    }
    if (known == null && routers.size() >= MAX_ROUTERS) {
      throw new RefusedException(Refusal.FULL, "too many routers");
    }
    routers.put(lsa.hid(), new LinkState(lsa, envelope, loop.nanoTime()));
    if (envelope != null) {
      output.send(EVERYBODY, new Signal.Routing(envelope).encode());
    } else {
      output.send(EVERYBODY_V1, lsa.encode());
    }
    if (known == null) {
      changed(); // the newcomer needs our LSA, too
    } else if (!known.lsa.neighbours().equals(lsa.neighbours())
        || !known.lsa.ad().equals(lsa.ad())) {
      computeSoon();
    }
  }

  private void expire() {
    long now = loop.nanoTime();
    List<Xid> silent = adjacencies.expire();
    silent.forEach(
        hid -> {
          withoutEntry.remove(hid);
          remove(XidType.HID, hid);
        });
    List.copyOf(withoutEntry.values()).forEach(this::setHop);
    if (incomplete) {
      incomplete = false;
      computeSoon();
    }
    boolean gone = !silent.isEmpty();
    gone |= routers.values().removeIf(r -> now - r.heardNs > LSA_LIFETIME.toNanos());
    if (gone) {
      changed();
    }
  }

  /** Our own neighbours changed: tell everybody, and compute. */
  private void changed() {
    if (lsaTimer != null) {
      lsaTimer.cancel();
    }
    lsaTimer = loop.schedule(SETTLE_NS, this::flood);
    computeSoon();
  }

  private void computeSoon() {
    if (settleTimer == null) {
      settleTimer =
          loop.schedule(
              SETTLE_NS,
              () -> {
                settleTimer = null;
                compute();
              });
    }
  }

  private void compute() {
    apply(
        ShortestPaths.from(
            address.get(),
            adjacencies.all(),
            hid -> {
              LinkState state = routers.get(hid);
              return state == null ? null : state.lsa;
            }));
  }

  private void apply(Map<Xid, RouteEntry> wanted) {
    List<Xid> stale = new ArrayList<>();
    installed
        .keySet()
        .forEach(
            ad -> {
              if (!wanted.containsKey(ad)) {
                stale.add(ad);
              }
            });
    for (Xid ad : stale) {
      installed.remove(ad);
      remove(XidType.AD, ad);
    }
    wanted.forEach(
        (ad, entry) -> {
          if (!entry.equals(installed.get(ad))) {
            installed.put(ad, entry);
            control
                .set(XidType.AD, entry)
                .exceptionally(
                    error -> {
                      installed.remove(ad);
                      incomplete = true; // asked again with the next HELLO
                      refused.accept(
                          new RefusedException(
                              Refusal.NO_ROUTE,
                              "the node did not take an AD route",
                              Map.of("ad", ad, "why", String.valueOf(error.getMessage()))));
                      return null;
                    });
          }
        });
  }

  /** Domains reachable now, by the routes set here. */
  public Map<Xid, RouteEntry> routes() {
    return Map.copyOf(installed);
  }

  /** HIDs of the routers next to this one. */
  public Set<Xid> neighbourHids() {
    Set<Xid> hids = new HashSet<>();
    adjacencies.all().forEach(n -> hids.add(n.hid()));
    return Set.copyOf(hids);
  }

  /** Reads a v1.1 datagram. */
  public static RoutingMessage read(ByteBuffer payload) {
    return RoutingMessage.decode(payload);
  }

  /** Falls silent; routes stay. */
  public void stop() {
    stopped = true;
    adjacencies.stop();
    adoptionTimers.forEach(EventLoop.Timer::cancel);
    for (EventLoop.Timer timer : new EventLoop.Timer[] {helloTimer, lsaTimer, settleTimer}) {
      if (timer != null) {
        timer.cancel();
      }
    }
  }
}
