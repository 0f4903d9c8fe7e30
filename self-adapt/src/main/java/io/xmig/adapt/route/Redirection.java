package io.xmig.adapt.route;

import io.xmig.adapt.signal.Location;
import io.xmig.adapt.signal.Output;
import io.xmig.adapt.signal.RepointReceipt;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.trust.Delegation;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.adapt.trust.Envelope;
import io.xmig.adapt.trust.Refusal;
import io.xmig.adapt.trust.RefusedException;
import io.xmig.adapt.trust.ReplayGuard;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import io.xmig.xia.key.Verifier;
import io.xmig.xia.socket.EventLoop;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A router's part in sending on what comes for hosts that have moved. As new gateway it asks the
 * former ones, router by router, until each has confirmed; as a router on the way, or as the former
 * gateway, it points the host's HID entry to the next hop towards the host's domain.
 *
 * @threading on the stack's loop
 * @source docs/self-adaptation.md, "Traffic redirection"
 */
public final class Redirection {
  /** A superseded entry off the new path is used this much longer, for packets under way. */
  public static final Duration GRACE = Duration.ofSeconds(2);

  private static final long FIRST_RETRY_NS = 50_000_000L;
  private static final long MAX_RETRY_NS = 2_000_000_000L;
  private static final int MAX_PENDING = 65_536;

  /** One host that asks its former domains to redirect. */
  private static final class Pending {
    final Location location;
    final Envelope statement;
    final Map<Xid, Boolean> former = new TreeMap<>();
    final long untilNs;
    long pauseNs = FIRST_RETRY_NS;
    EventLoop.@Nullable Timer timer;

    Pending(Location location, Envelope statement, long untilNs) {
      this.location = location;
      this.statement = statement;
      this.untilNs = untilNs;
    }
  }

  /** Tells the registrar that a former domain has confirmed. */
  @FunctionalInterface
  public interface Progress {
    /** The host's former domains and whether each redirects. */
    void redirected(Location location, long sequence, Map<Xid, Boolean> former);
  }

  private final EventLoop loop;
  private final Supplier<Xid> ownAd;
  private final HostRoutes hosts;
  private final AdRoutes adRoutes;
  private final ReplayGuard guard;
  private final Verifier verifier;
  private final DomainTrust trust;
  private final @Nullable Signer signer;
  private final @Nullable Delegation mandate;
  private final LongSupplier stamps;
  private final LongSupplier epochMicros;
  private final Output output;
  private final Consumer<RefusedException> refused;
  private final Map<Xid, Pending> pending = new HashMap<>();
  private Progress progress = (location, sequence, former) -> {};
  private long repoints;

  /**
   * @param guard newest statement of each host, shared with the registrar
   * @param stamps gives a new stamp for each message signed here
   * @param output sends a datagram
   * @param refused is told of every message not believed
   */
  public Redirection(
      EventLoop loop,
      Supplier<Xid> ownAd,
      HostRoutes hosts,
      RouteControl control,
      ReplayGuard guard,
      Verifier verifier,
      DomainTrust trust,
      @Nullable Signer signer,
      @Nullable Delegation mandate,
      LongSupplier stamps,
      LongSupplier epochMicros,
      Output output,
      Consumer<RefusedException> refused) {
    this.loop = loop;
    this.ownAd = ownAd;
    this.hosts = hosts;
    this.adRoutes = new AdRoutes(control);
    this.guard = guard;
    this.verifier = verifier;
    this.trust = trust;
    this.signer = signer;
    this.mandate = mandate;
    this.stamps = stamps;
    this.epochMicros = epochMicros;
    this.output = output;
    this.refused = refused;
  }

  /** Sets who hears of confirmations. */
  public void onProgress(Progress listener) {
    this.progress = listener;
  }

  /** A host has registered here: its former domains are asked, now and until they confirm. */
  public void registered(Location location, Envelope statement) {
    forget(location.hid());
    if (location.formerAds().isEmpty() || pending.size() >= MAX_PENDING) {
      return;
    }
    Pending p =
        new Pending(
            location,
            statement,
            loop.nanoTime() + Math.max(1, location.lifetimeS()) * 1_000_000_000L);
    for (Xid ad : location.formerAds()) {
      if (!ad.equals(ownAd.get())) {
        p.former.put(ad, false);
      }
    }
    pending.put(location.hid(), p);
    ask(p);
  }

  private void forget(Xid hid) {
    Pending old = pending.remove(hid);
    if (old != null && old.timer != null) {
      old.timer.cancel();
    }
  }

  private void ask(Pending p) {
    p.timer = null;
    long now = loop.nanoTime();
    if (pending.get(p.location.hid()) != p || !p.former.containsValue(false)) {
      return;
    }
    if (now - p.untilNs >= 0) {
      pending.remove(p.location.hid());
      return;
    }
    p.former.forEach(
        (ad, done) -> {
          if (!done) {
            pass(ad, new Signal.Repoint(ad, p.statement));
          }
        });
    p.timer = loop.schedule(p.pauseNs, () -> ask(p));
    p.pauseNs = Math.min(2 * p.pauseNs, MAX_RETRY_NS);
  }

  /** Whether each former domain of a host registered here redirects. */
  public Map<Xid, Boolean> formerOf(Xid hid) {
    Pending p = pending.get(hid);
    return p == null ? Map.of() : Map.copyOf(p.former);
  }

  /** Sends a signal one router further towards a domain. */
  private void pass(Xid ad, Signal signal) {
    adRoutes
        .towards(ad)
        .thenAccept(
            route -> {
              if (route == null || !route.forwards()) {
                refused.accept(
                    new RefusedException(
                        Refusal.NO_ROUTE, "no route to the domain", Map.of("ad", ad)));
              } else {
                Xid hop = route.nextHop();
                Dag to =
                    hop == null ? Dag.path(ad, Signal.SID_ADAPT) : Dag.path(hop, Signal.SID_ADAPT);
                output.send(to, signal.encode());
              }
            });
  }

  /** A repoint arrived: this router is on the way, or at its end. */
  public void onRepoint(Signal.Repoint repoint) {
    Location location = Location.of(repoint.location());
    if (!location.formerAds().contains(repoint.target())) {
      throw new RefusedException(
          Refusal.MALFORMED,
          "the host did not ask that domain to redirect",
          Map.of("target", repoint.target()));
    }
    believe(location, repoint.location());
    boolean end = repoint.target().equals(ownAd.get());
    install(
        location,
        repoint.location(),
        () -> {
          if (end) {
            confirm(location, repoint.location());
          } else {
            pass(repoint.target(), repoint);
          }
        });
  }

  /** Refuses a statement that is forged, replayed or older than what is known. */
  private void believe(Location location, Envelope statement) {
    long micros = epochMicros.getAsLong();
    ReplayGuard.Verdict verdict =
        guard.check(location.hid(), statement.sequence(), statement.fingerprint(), micros);
    if (verdict == ReplayGuard.Verdict.NEW) {
      statement.check(verifier, Delegation.SCOPE_LOCATION, micros / 1_000_000);
      guard.accept(location.hid(), statement.sequence(), statement.fingerprint(), loop.nanoTime());
    }
  }

  private void install(Location location, Envelope statement, Runnable then) {
    if (location.ad().equals(ownAd.get())) {
      then.run(); // the host is here: what its registration says counts
      return;
    }
    adRoutes
        .towards(location.ad())
        .thenAccept(
            route -> {
              if (route == null || !route.forwards()) {
                refused.accept(
                    new RefusedException(
                        Refusal.NO_ROUTE,
                        "no route to where the host is",
                        Map.of("ad", location.ad())));
                return;
              }
              put(location, statement, route, then);
            });
  }

  private void put(Location location, Envelope statement, RouteEntry towards, Runnable then) {
    Xid hid = location.hid();
    Long newest = guard.known(hid);
    if (newest != null && newest > statement.sequence()) {
      return; // overtaken while the route was looked up
    }
    HostRoutes.Host old = hosts.find(hid);
    RouteEntry entry =
        new RouteEntry(hid, towards.port(), towards.nextHop(), RouteEntry.FLAGS_REPOINTED);
    long now = loop.nanoTime();
    long expires = guard.acceptedNs(hid, now) + Math.max(1, location.lifetimeS()) * 1_000_000_000L;
    if (now - expires >= 0) {
      refused.accept(
          new RefusedException(Refusal.STALE, "the statement has run out", Map.of("hid", hid)));
      return;
    }
    try {
      hosts
          .set(
              new HostRoutes.Host(
                  hid, HostRoutes.Basis.REPOINTED, statement.sequence(), statement, entry, expires))
          .thenRun(then) // who asked asks again if the node did not take it
          .exceptionally(error -> null);
    } catch (RefusedException e) {
      refused.accept(e);
      return;
    }
    repoints++;
    forget(hid);
    if (old != null
        && old.basis() == HostRoutes.Basis.REPOINTED
        && old.sequence() < statement.sequence()
        && !Objects.equals(old.route().nextHop(), entry.nextHop())
        && old.route().nextHop() != null) {
      output.send(
          Dag.path(old.route().nextHop(), Signal.SID_ADAPT),
          new Signal.Withdraw(statement).encode());
    }
  }

  /** Has the hosts of this domain forget direct routes to a host that has left their link. */
  public void tellDeparted(Envelope statement) {
    output.send(Dag.path(Xid.BHID, Signal.SID_ADAPT), new Signal.Departed(statement).encode());
  }

  private void confirm(Location location, Envelope statement) {
    tellDeparted(statement);
    Signer key = signer;
    if (key == null) {
      return;
    }
    Envelope receipt =
        new RepointReceipt(location.hid(), statement.sequence(), ownAd.get())
            .seal(key, mandate, stamps.getAsLong());
    pass(location.ad(), new Signal.Repointed(statement, receipt));
  }

  /** A former gateway's confirmation arrived: for this gateway, or for one further on. */
  public void onRepointed(Signal.Repointed repointed) {
    Location location = Location.of(repointed.location());
    if (!location.ad().equals(ownAd.get())) {
      believe(location, repointed.location());
      install(location, repointed.location(), () -> pass(location.ad(), repointed));
      return;
    }
    RepointReceipt receipt = RepointReceipt.of(repointed.receipt());
    Pending p = pending.get(location.hid());
    if (p == null
        || !receipt.hid().equals(location.hid())
        || receipt.sequence() != p.statement.sequence()
        || !Boolean.FALSE.equals(p.former.get(receipt.ad()))) {
      return; // repeated, or about something overtaken
    }
    repointed
        .receipt()
        .check(verifier, Delegation.SCOPE_DOMAIN, epochMicros.getAsLong() / 1_000_000);
    trust.check(receipt.ad(), repointed.receipt());
    p.former.put(receipt.ad(), true);
    if (!p.former.containsValue(false) && p.timer != null) {
      p.timer.cancel();
      p.timer = null;
    }
    progress.redirected(p.location, p.statement.sequence(), Map.copyOf(p.former));
  }

  /**
   * A newer statement overtakes a redirection that went through this router: if the new path does
   * not, the entry is let go of, and the router it points to is told in turn.
   */
  public void onWithdraw(Signal.Withdraw withdraw) {
    Location location = Location.of(withdraw.location());
    HostRoutes.Host host = hosts.find(location.hid());
    if (host == null
        || host.basis() != HostRoutes.Basis.REPOINTED
        || host.sequence() >= withdraw.location().sequence()) {
      return;
    }
    long micros = epochMicros.getAsLong();
    if (guard.check(
            location.hid(),
            withdraw.location().sequence(),
            withdraw.location().fingerprint(),
            micros)
        == ReplayGuard.Verdict.NEW) {
      withdraw.location().check(verifier, Delegation.SCOPE_LOCATION, micros / 1_000_000);
      guard.accept(
          location.hid(),
          withdraw.location().sequence(),
          withdraw.location().fingerprint(),
          loop.nanoTime());
    }
    hosts.shorten(location.hid(), GRACE.toNanos());
    Xid hop = host.route().nextHop();
    if (hop != null) {
      output.send(Dag.path(hop, Signal.SID_ADAPT), withdraw.encode());
    }
  }

  /** Redirections set so far, refreshes included. */
  public long repoints() {
    return repoints;
  }

  /** Forgets what is under way. */
  public void stop() {
    pending
        .values()
        .forEach(
            p -> {
              if (p.timer != null) {
                p.timer.cancel();
              }
            });
    pending.clear();
  }
}
