package io.xmig.adapt.agent;

import io.xmig.adapt.names.NameAnswer;
import io.xmig.adapt.names.NameStatement;
import io.xmig.adapt.route.HandlerRouteControl;
import io.xmig.adapt.route.RouteControl;
import io.xmig.adapt.signal.Location;
import io.xmig.adapt.signal.Receipt;
import io.xmig.adapt.signal.RefusalNote;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.signal.SignedBeacon;
import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.RateLimit;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusalLog;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.xia.XiaException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import io.xmig.xia.key.Verifier;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.names.NameClient;
import io.xmig.xia.wire.RoutingMessage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The self-adaptive agent of a host: an {@link AgentMachine} with the sockets of a stack. A plain
 * object on any stack of the host; there can be one per node.
 *
 * @threading on the stack's loop
 */
public final class Agent implements AutoCloseable {
  private static final Dag ALL_GATEWAYS = Dag.path(Xid.BHID, Signal.SID_ADAPT);
  private static final Dag ALL_V1_GATEWAYS = Dag.path(Xid.BHID, Xid.SID_XROUTE);
  private static final int MAX_NONCES = 64;
  private static final int MAX_HELD = 16;

  /** A delegate of a guest with an agent of its own has said everything after this time. */
  private static final long SPEAK_NS = 10_000_000_000L;

  /** From then on the guest's own agent may have spoken. */
  private static final long ALONE_NS = 900_000_000L;

  /** How often a delegate looks who is there while the guest does not run yet. */
  private static final long EXPECT_NS = 5_000_000_000L;

  /** A beacon heard before the guest runs may be this old when it does. */
  private static final long EXPECTED_HOLDS_NS = 15_000_000_000L;

  private static final int UNSIGNED_LIFETIME_S = 9;
  private static final Duration V1_NAME_TIMEOUT = Duration.ofSeconds(2);

  private final XiaStack stack;
  private final AgentConfig config;
  private final Verifier verifier;
  private final RandomGenerator random;
  private final LongSupplier epochMicros;
  private final BeaconFilter filter;
  private final HostSettings settings;
  private final Actions actions = new Actions();
  private final AgentMachine machine;
  private final RefusalLog refusals;
  private final Xid hid;
  private final RateLimit budget = new RateLimit(200, 100);
  private final LinkedHashSet<Long> asked = new LinkedHashSet<>();
  private final Map<String, Long> nameSequences = new HashMap<>();
  private final Set<String> v1NamesUnderWay = new HashSet<>();
  private final Deque<ByteBuffer> held = new ArrayDeque<>();
  private int waiting;
  private @Nullable DatagramSocket beaconSocket;
  private @Nullable DatagramSocket adaptSocket;
  private @Nullable Runnable linkListener;
  private EventLoop.@Nullable Timer timer;
  private EventLoop.@Nullable Timer nameTimer;
  private EventLoop.@Nullable Timer expectTimer;
  private boolean expecting;
  private BeaconFilter.@Nullable Believed expected;
  private long expectedNs;
  private long spokeNs;
  private long lastSequence;
  private long timerAtNs = Long.MAX_VALUE;
  private boolean closed;

  /**
   * @param verifier checks signatures; belongs to this object from now on
   * @param random for nonces; must not be guessable outside simulations
   * @param epochMicros wall clock, microseconds since the epoch
   */
  public Agent(
      XiaStack stack,
      AgentConfig config,
      Verifier verifier,
      RandomGenerator random,
      LongSupplier epochMicros) {
    Signer signer = config.signer();
    AgentConfig.Guest guest = config.guest();
    this.hid = guest == null ? stack.localAddress().hid() : guest.hid();
    if (guest != null && (signer == null || config.delegation() == null)) {
      throw new IllegalArgumentException(
          "speaking for a guest takes a key, and the guest's leave for that key");
    }
    if (signer != null) {
      var owner = config.delegation() == null ? signer.identity() : config.delegation().issuer();
      if (!owner.owns(hid)) {
        throw new IllegalArgumentException(
            "the key " + owner.hid().idHex() + " is not that of the host, " + hid);
      }
    }
    this.stack = stack;
    this.config = config;
    this.verifier = verifier;
    this.random = random;
    this.epochMicros = epochMicros;
    this.filter =
        new BeaconFilter(
            config.trust(), config.acceptUnsigned(), verifier, config.clockTolerance());
    RouteControl control = HandlerRouteControl.of(stack);
    this.settings = new HostSettings(stack, control);
    this.refusals = new RefusalLog("agent " + hid.idHex());
    this.machine = new AgentMachine(config.timing(), config.names().keySet(), actions);
    machine.remember(config.formerAds());
  }

  /** Binds SID_XHCP and SID_ADAPT and begins to look for a gateway. */
  public CompletableFuture<Void> start() {
    if (config.guest() != null) {
      return startForGuest();
    }
    return stack
        .openDatagram(Xid.SID_XHCP, (source, payload, port) -> afterAnswers(payload))
        .thenCompose(
            opened -> {
              beaconSocket = opened;
              return stack.openDatagram(
                  Signal.SID_ADAPT, (source, payload, port) -> guarded(() -> onSignal(payload)));
            })
        .thenAccept(
            opened -> {
              adaptSocket = opened;
              linkListener = stack.onLinkEvent(this::onLinkEvent);
              if (config.signer() != null && !config.acceptUnsigned()) {
                settings.refuseUnsignedRoutes();
              }
              machine.start(now());
              nameTimer = stack.loop().schedule(config.lifetime().toNanos(), this::refreshNames);
              rearm();
            });
  }

  /**
   * The guest will run here soon: learns who is there, so that this is known when {@link #start}
   * says where the guest is. For delegates.
   */
  public CompletableFuture<Void> expect() {
    expecting = true;
    return openForGuest().thenRun(this::askAhead);
  }

  private void askAhead() {
    if (closed || !expecting) {
      return;
    }
    actions.solicit();
    expectTimer = stack.loop().schedule(EXPECT_NS, this::askAhead);
  }

  /** A delegate has a socket of its own and hears only what is sent to it. */
  private CompletableFuture<Void> openForGuest() {
    return stack
        .openDatagram(null, (source, payload, port) -> guarded(() -> onSignal(payload)))
        .thenAccept(
            opened -> {
              if (closed) {
                opened.close();
              } else {
                adaptSocket = opened;
              }
            });
  }

  private CompletableFuture<Void> startForGuest() {
    if (adaptSocket == null && expecting) {
      return CompletableFuture.failedFuture(new IllegalStateException("not open yet"));
    }
    CompletableFuture<Void> open =
        adaptSocket == null ? openForGuest() : CompletableFuture.completedFuture(null);
    return open.thenAccept(
        opened -> {
          if (closed) {
            return; // the guest has gone meanwhile
          }
          expecting = false;
          spokeNs = now();
          BeaconFilter.Believed known = expected;
          if (known != null && now() - expectedNs < EXPECTED_HOLDS_NS) {
            actions.solicit(); // first, so that the guest finds this in its queue when it runs
            guarded(() -> machine.onBeacon(known.place(), known.stamp(), known.live(), now()));
          } else {
            machine.start(now());
          }
          nameTimer = stack.loop().schedule(config.lifetime().toNanos(), this::refreshNames);
          rearm();
        });
  }

  private long now() {
    return stack.loop().nanoTime();
  }

  private void guarded(Runnable work) {
    if (closed) {
      return;
    }
    try {
      work.run();
    } catch (RefusedException e) {
      refusals.add(e, now());
    } catch (XiaException e) {
      refusals.add(new RefusedException(Refusal.MALFORMED, String.valueOf(e.getMessage())), now());
    }
    rearm();
    if (saidAll()) {
      close();
    }
  }

  /** Whether a delegate leaves all that is to come to the guest's own agent. */
  private boolean saidAll() {
    AgentConfig.Guest guest = config.guest();
    return guest != null
        && guest.ownAgent()
        && !expecting
        && (machine.complete() || spokeNs != 0 && now() - spokeNs > SPEAK_NS);
  }

  private void onNotifyPeers() {
    if (config.delegated()) {
      stack.loop().execute(() -> guarded(() -> machine.onSign(MobilitySign.NOTIFY_PEERS, now())));
    } else {
      machine.onSign(MobilitySign.NOTIFY_PEERS, now());
    }
  }

  private void onLinkEvent(LinkEvent event) {
    guarded(
        () -> {
          switch (event.kind()) {
            case NOTIFY_PEERS -> onNotifyPeers();
            case UP -> machine.onSign(MobilitySign.LINK_UP, now());
            case RARP -> {
              if (config.mac() != 0 && event.mac() == config.mac()) {
                machine.onSign(MobilitySign.RARP, now());
              }
            }
            case DOWN -> {
              // nothing can be done before the link is up again
            }
          }
        });
  }

  /** Tells the agent of a sign that it cannot see itself, e.g. that QEMU resumed the machine. */
  public void sign(MobilitySign sign) {
    guarded(() -> machine.onSign(sign, now()));
  }

  /**
   * Takes a beacon. Where somebody may speak for this host, what came along with it is looked at
   * first: a machine that was just resumed finds beacons and questions and the word of its host in
   * one heap.
   */
  private void afterAnswers(ByteBuffer payload) {
    if (!config.delegated()) {
      guarded(() -> onBeacon(payload));
    } else if (waiting < MAX_HELD) {
      waiting++;
      ByteBuffer copy = copy(payload);
      stack
          .loop()
          .execute(
              () -> {
                waiting--;
                guarded(() -> onBeacon(copy));
              });
    }
  }

  private static ByteBuffer copy(ByteBuffer payload) {
    return ByteBuffer.allocate(payload.remaining()).put(payload).flip();
  }

  private void onBeacon(ByteBuffer payload) {
    accept(SignedBeacon.decode(payload), false);
  }

  /**
   * @param routed whether it may have come from anywhere, so that it must answer us
   */
  private void accept(SignedBeacon beacon, boolean routed) {
    if (machine.yields(now())) {
      return; // a fresh one is asked for when there is time to check it
    }
    boolean arrival = config.mac() != 0 && beacon.arrivals().contains(config.mac());
    Attachment here = machine.place();
    if (here != null
        && here.ad().equals(beacon.v1().ad())
        && here.gateway().equals(beacon.v1().hid())
        && machine.isEcho(now())) {
      // says what is known, and checking it would take time from those who have waited for the host
      if (arrival) {
        machine.onEcho();
      }
      return;
    }
    if (beacon.proof() != null && !budget.take(now())) {
      throw new RefusedException(Refusal.RATE, "more beacons than are checked a second");
    }
    BeaconFilter.Believed believed =
        filter.check(beacon, asked, now(), epochMicros.getAsLong() / 1_000_000);
    if (believed == null || routed && !believed.live()) {
      return;
    }
    if (expecting) {
      expected = believed;
      expectedNs = now();
      // said to nobody: what is signed for the first time takes longer than may be lost then
      actions.statement(believed.place(), believed.stamp(), true, machine.formerAds(), 0);
      return;
    }
    if (arrival) {
      machine.onArrival(believed.place(), believed.stamp(), believed.live(), now());
    } else {
      machine.onBeacon(believed.place(), believed.stamp(), believed.live(), now());
    }
  }

  private void onSignal(ByteBuffer payload) {
    if (Envelope.looksLikeOne(payload)) {
      onNameAnswer(Envelope.decode(payload));
      return;
    }
    if (payload.hasRemaining() && payload.get(payload.position()) == 0 && payload.remaining() > 4) {
      throw new RefusedException(Refusal.MALFORMED, "unknown kind of signal");
    }
    Signal signal = Signal.decode(payload);
    if (signal instanceof Signal.Solicit solicit) {
      if (config.delegated() && hid.equals(solicit.guest())) {
        machine.onSpokenFor(now());
      }
      return;
    }
    if (machine.yields(now())) {
      hold(payload);
      return;
    }
    if (signal instanceof Signal.BeaconCopy copy) {
      accept(SignedBeacon.decode(ByteBuffer.wrap(copy.beacon())), true);
    } else if (signal instanceof Signal.Registered registered) {
      Receipt receipt = Receipt.of(registered.receipt());
      if (receipt.hid().equals(hid)) {
        fromGateway(registered.receipt());
        machine.onReceipt(receipt, now());
      }
    } else if (signal instanceof Signal.Refused refused) {
      RefusalNote note = RefusalNote.of(refused.note());
      if (note.hid().equals(hid)) {
        fromGateway(refused.note());
        if (guestHasSpoken(note)) {
          close();
          return;
        }
        machine.onRefusal(note, now());
      }
    } else if (signal instanceof Signal.Departed departed) {
      onDeparted(departed.location());
    }
    // the rest is between gateways
  }

  /** What may keep the machine from answering waits, as far as there is room. */
  private void hold(ByteBuffer payload) {
    if (held.size() < MAX_HELD) {
      held.add(copy(payload));
    }
  }

  private void releaseHeld() {
    for (ByteBuffer one = held.poll(); one != null; one = held.poll()) {
      ByteBuffer payload = one;
      guarded(() -> onSignal(payload));
    }
  }

  /** Whether the guest's own agent knows better by now where it is. */
  private boolean guestHasSpoken(RefusalNote note) {
    AgentConfig.Guest guest = config.guest();
    return guest != null
        && guest.ownAgent()
        && note.reason() == Refusal.STALE
        && now() - spokeNs > ALONE_NS;
  }

  private void fromGateway(Envelope envelope) {
    Attachment place = machine.place();
    if (place == null || !envelope.signer().owns(place.gateway())) {
      throw new RefusedException(Refusal.NOT_OWNER, "this key is not our gateway's");
    }
    spend();
    envelope.check(verifier, Delegation.SCOPE_DOMAIN, epochMicros.getAsLong() / 1_000_000);
  }

  private void spend() {
    if (!budget.take(now())) {
      throw new RefusedException(Refusal.RATE, "more signatures than are checked a second");
    }
  }

  /**
   * A host has left this domain, or this link for another of the domain: what is known of it on
   * this link is forgotten. If it is still here, its gateway leads to it, too.
   */
  private void onDeparted(Envelope statement) {
    Location location = Location.of(statement);
    Attachment place = machine.place();
    if (place == null || location.hid().equals(hid)) {
      return;
    }
    spend();
    statement.check(verifier, Delegation.SCOPE_LOCATION, epochMicros.getAsLong() / 1_000_000);
    settings.forget(location.hid(), place.gateway());
  }

  private void onNameAnswer(Envelope envelope) {
    NameAnswer answer = NameAnswer.of(envelope);
    Long sequence = nameSequences.get(answer.name());
    Attachment place = machine.place();
    Dag server = place == null ? null : place.nameServer();
    if (sequence == null || server == null || answer.sequence() > sequence) {
      return;
    }
    Xid host = server.host();
    if (host == null || !envelope.signer().owns(host)) {
      throw new RefusedException(Refusal.NOT_OWNER, "this key is not the name server's");
    }
    spend();
    envelope.check(verifier, 0, epochMicros.getAsLong() / 1_000_000);
    Refusal refusal = answer.refusal();
    if (refusal == null && answer.sequence() >= firstNameSequence) {
      machine.onNamed(answer.name(), now());
    } else if (refusal != null && answer.sequence() == sequence) {
      machine.onNameRefused(answer.name(), refusal, now());
      if (refusal == Refusal.STALE || refusal == Refusal.CONFLICT) {
        lastSequence = Math.max(lastSequence, bounded(answer.known()));
      }
    }
  }

  private long firstNameSequence;

  private void refreshNames() {
    guarded(() -> machine.refreshNames(now()));
    if (!closed) {
      nameTimer = stack.loop().schedule(config.lifetime().toNanos(), this::refreshNames);
    }
  }

  private void rearm() {
    long at = closed ? Long.MAX_VALUE : machine.nextDeadlineNs();
    if (at == timerAtNs) {
      return;
    }
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
    timerAtNs = at;
    if (at != Long.MAX_VALUE) {
      timer = stack.loop().schedule(Math.max(0, at - now()), this::onTimer);
    }
  }

  private void onTimer() {
    timer = null;
    timerAtNs = Long.MAX_VALUE;
    guarded(() -> machine.onTime(now()));
    if (!held.isEmpty() && !machine.yields(now())) {
      releaseHeld();
    }
  }

  private long nextSequence() {
    long time = Math.max(epochMicros.getAsLong(), filter.networkMicros(now()));
    lastSequence = Math.max(lastSequence + 1, time);
    return lastSequence;
  }

  /** A number heard from others may push ours by a day at most. */
  private long bounded(long heard) {
    long time = Math.max(epochMicros.getAsLong(), filter.networkMicros(now()));
    return Math.min(heard, time + Duration.ofDays(1).toMillis() * 1000);
  }

  private void send(@Nullable DatagramSocket socket, Dag to, byte[] bytes) {
    if (socket == null) {
      return;
    }
    try {
      socket.send(to, ByteBuffer.wrap(bytes));
    } catch (XiaSocketException e) {
      refusals.add(new RefusedException(Refusal.NO_ROUTE, String.valueOf(e.getMessage())), now());
    }
  }

  private final class Actions implements AgentActions {
    @Override
    public void solicit() {
      long nonce = random.nextLong();
      asked.add(nonce);
      if (asked.size() > MAX_NONCES) {
        asked.remove(asked.iterator().next());
      }
      AgentConfig.Guest guest = config.guest();
      // while the guest is only expected it may still run on this very link
      Xid behalf = guest == null || !guest.ownAgent() || expecting ? null : guest.hid();
      send(adaptSocket, ALL_GATEWAYS, new Signal.Solicit(nonce, guest != null, behalf).encode());
    }

    @Override
    public void configure(Attachment place, @Nullable Attachment former) {
      if (config.guest() == null) {
        settings.apply(place, former);
      }
      firstNameSequence = lastSequence + 1;
    }

    @Override
    public long register(Attachment place, long stamp, boolean arrived, List<Xid> formerAds) {
      long sequence = nextSequence();
      Signer signer = config.signer();
      if (place.signed() && signer != null) {
        Envelope statement = statement(place, stamp, arrived, formerAds, sequence);
        send(adaptSocket, ALL_GATEWAYS, new Signal.Register(statement).encode());
      } else {
        send(beaconSocket, ALL_V1_GATEWAYS, new RoutingMessage.HostRegister(hid).encode());
        // v1.1 gateways confirm nothing; repeating often is all that can be done
        stack
            .loop()
            .schedule(
                1_000_000L,
                () ->
                    guarded(
                        () ->
                            machine.onReceipt(
                                new Receipt(
                                    hid, sequence, place.ad(), UNSIGNED_LIFETIME_S, Map.of()),
                                now())));
      }
      return sequence;
    }

    private Envelope statement(
        Attachment place, long stamp, boolean arrived, List<Xid> formerAds, long sequence) {
      Signer signer = java.util.Objects.requireNonNull(config.signer());
      AgentConfig.Guest guest = config.guest();
      Location location =
          new Location(
              hid,
              place.ad(),
              place.gateway(),
              stamp,
              config.mac(),
              (int) Math.min(65_535, config.lifetime().toSeconds()),
              (guest == null ? 0 : Location.FLAG_DELEGATED) | (arrived ? Location.FLAG_ARRIVED : 0),
              formerAds,
              guest == null ? List.of() : guest.homes());
      return location.seal(signer, config.delegation(), sequence);
    }

    @Override
    public void registerName(String name, Attachment place) {
      Dag server = place.nameServer();
      if (server == null) {
        return;
      }
      LocalAddress here = new LocalAddress(place.ad(), hid, place.fourId());
      Xid service = config.names().get(name);
      Dag address = service == null ? here.host() : here.service(service);
      Signer signer = config.signer();
      if (signer != null) {
        long sequence = nextSequence();
        nameSequences.put(name, sequence);
        Envelope statement =
            new NameStatement(name, address, 0).seal(signer, config.delegation(), sequence);
        send(adaptSocket, server, statement.encode());
      }
      if ((signer == null || config.acceptUnsigned()) && v1NamesUnderWay.add(name)) {
        new NameClient(stack, server)
            .register(name, address, V1_NAME_TIMEOUT)
            .whenComplete(
                (done, error) -> {
                  v1NamesUnderWay.remove(name);
                  if (error == null && place.equals(machine.place())) {
                    guarded(() -> machine.onNamed(name, now()));
                  }
                });
      }
    }

    @Override
    public void exceedSequence(long known) {
      lastSequence = Math.max(lastSequence, bounded(known));
    }
  }

  /** The state machine, for looking at. */
  public AgentMachine machine() {
    return machine;
  }

  /** What was refused and why. */
  public RefusalLog refusals() {
    return refusals;
  }

  /** Whether it has ended, by itself or because it was told to. */
  public boolean closed() {
    return closed;
  }

  /** The host's HID. */
  public Xid hid() {
    return hid;
  }

  /** Stops; the host stays where it is configured to be. */
  @Override
  public void close() {
    closed = true;
    if (linkListener != null) {
      linkListener.run();
      linkListener = null;
    }
    if (timer != null) {
      timer.cancel();
    }
    if (expectTimer != null) {
      expectTimer.cancel();
    }
    if (nameTimer != null) {
      nameTimer.cancel();
    }
    if (beaconSocket != null) {
      beaconSocket.close();
      beaconSocket = null;
    }
    if (adaptSocket != null) {
      adaptSocket.close();
      adaptSocket = null;
    }
  }
}
