package io.xmig.adapt.agent;

import io.xmig.adapt.signal.Location;
import io.xmig.adapt.signal.Receipt;
import io.xmig.adapt.signal.RefusalNote;
import io.xmig.adapt.trust.Refusal;
import io.xmig.xia.addr.Xid;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The self-adaptive agent as a state machine: takes beacons, signs, confirmations and time, gives
 * {@link AgentActions}. Knows nothing of sockets, keys or clocks; every input that is not to be
 * believed was sorted out before.
 *
 * <p>Steps that do not depend on each other are under way at the same time: the registration with
 * the gateway, each name, each former domain has its own retries and its own confirmation.
 *
 * @threading one thread; {@code nowNs} never goes back
 */
public final class AgentMachine {
  private static final int MAX_GATEWAYS = 16;
  private static final int MAX_EVENTS = 512;
  private static final long NEVER = Backoff.NEVER;

  /** What is known of one gateway. */
  private static final class Heard {
    Attachment place;
    long stamp;
    long heardNs;
    long liveNs = Long.MIN_VALUE;

    Heard(Attachment place) {
      this.place = place;
    }
  }

  private final AgentTiming timing;
  private final AgentActions actions;
  private final LinkedHashMap<Xid, Heard> gateways = new LinkedHashMap<>(16, 0.75f, true);
  private final TreeSet<String> names;
  private final TreeSet<String> unnamed = new TreeSet<>();
  private final List<Xid> formerAds = new ArrayList<>();
  private final Map<Xid, Boolean> redirected = new TreeMap<>();
  private final Deque<AgentEvent> events = new ArrayDeque<>();
  private final Backoff soliciting;
  private final Backoff registering;
  private final Backoff naming;

  private AgentState state = AgentState.SEARCHING;
  private @Nullable Heard current;
  private @Nullable Heard candidate;
  private boolean confirmed;
  private long firstSequence; // of the present attachment
  private long lastSequence;
  private boolean arriving; // since the last sign or handoff nothing was confirmed
  private boolean awaitsFreshBeacon;
  private long refreshNs = NEVER;
  private long checkUntilNs = NEVER;
  private long checkSinceNs;
  private boolean checkBySign;
  private long signNs = Long.MIN_VALUE;
  private boolean signOpen;
  private long burstNs = Long.MIN_VALUE; // the sign that began the present burst
  private long answeredNs = Long.MIN_VALUE; // when a registration was last confirmed
  private long echoNs = NEVER; // when later signs of the burst are looked into
  private long yieldedNs = Long.MIN_VALUE; // when it last began to leave the word to a host
  private long yieldUntilNs = NEVER;
  private int weakHandoffs;
  private long weakSinceNs;
  private @Nullable Handoff handoff;
  private int handoffs;
  private @Nullable String trouble;

  /**
   * @param names names to keep registered
   */
  public AgentMachine(AgentTiming timing, Collection<String> names, AgentActions actions) {
    this.timing = timing;
    this.actions = actions;
    this.names = new TreeSet<>(names);
    this.soliciting = new Backoff(timing.solicitFirst(), timing.solicitMax());
    this.registering = new Backoff(timing.registerFirst(), timing.registerMax());
    this.naming = new Backoff(timing.nameFirst(), timing.nameMax());
  }

  /**
   * Where the host was before this agent began: domains that shall redirect, newest first. Before
   * the first beacon.
   */
  public void remember(List<Xid> domains) {
    for (Xid ad : domains) {
      if (!formerAds.contains(ad) && formerAds.size() < Location.MAX_FORMER) {
        formerAds.add(ad);
      }
    }
  }

  /** Domains that redirect or shall, newest first. */
  public List<Xid> formerAds() {
    return List.copyOf(formerAds);
  }

  /** Begins to look for a gateway. */
  public void start(long nowNs) {
    state = AgentState.SEARCHING;
    actions.solicit();
    soliciting.start(nowNs);
  }

  /**
   * Somebody says that it speaks for this machine, which nobody can check before having the time
   * to. So the agent does nothing for a moment that could keep the machine from answering, and
   * looks into everything then. That can delay it by that moment once in a while and has no other
   * effect.
   */
  public void onSpokenFor(long nowNs) {
    if (current == null
        || yields(nowNs)
        || yieldedNs != Long.MIN_VALUE && nowNs - yieldedNs < timing.yieldAgain().toNanos()) {
      return;
    }
    event("yield", nowNs, Map.of());
    yieldedNs = nowNs;
    yieldUntilNs = nowNs + timing.yieldFor().toNanos();
  }

  /**
   * Asks who is there. Nothing is registered before somebody answers: the host has done that, and
   * what is still to be confirmed of before concerns a place that has perhaps been left.
   */
  private void endYield(long nowNs) {
    yieldUntilNs = NEVER;
    echoNs = NEVER;
    event("sign", nowNs, Map.of("kind", MobilitySign.SPOKEN_FOR.name()));
    burstNs = nowNs;
    signNs = nowNs;
    signOpen = true;
    arriving = true;
    awaitsFreshBeacon = true;
    registering.stop();
    check(nowNs, true);
  }

  /** Whether the agent leaves the word to a host that speaks for the machine just now. */
  public boolean yields(long nowNs) {
    return yieldUntilNs != NEVER && nowNs - yieldUntilNs < 0;
  }

  /**
   * A sign that the machine may have woken up elsewhere. Signs repeat; each makes the agent
   * register where it believes to be and ask who is there, which changes nothing if it has not
   * moved.
   */
  public void onSign(MobilitySign sign, long nowNs) {
    if (yields(nowNs)) {
      return; // looked into when that is over
    }
    if (signOpen && nowNs - signNs < timing.solicitFirst().toNanos() / 4) {
      return; // the same burst
    }
    if (isEcho(nowNs)) {
      onEcho();
      return;
    }
    burstNs = nowNs;
    event("sign", nowNs, Map.of("kind", sign.name()));
    signNs = nowNs;
    signOpen = true;
    if (current != null) {
      arriving = true;
      register(nowNs);
      registering.start(nowNs);
      check(nowNs, true);
    } else {
      actions.solicit();
      soliciting.start(nowNs);
    }
  }

  /**
   * Whether a sign of this moment is one more of those that have been looked into: the announcement
   * of a machine is repeated for a second, while its gateway has long confirmed where it is.
   */
  public boolean isEcho(long nowNs) {
    return state == AgentState.ATTACHED
        && burstNs != Long.MIN_VALUE
        && answeredNs >= burstNs
        && nowNs - burstNs < timing.signHolds().toNanos();
  }

  /** The signs passed over are looked into once more, together, when their burst is over. */
  public void onEcho() {
    echoNs = burstNs + timing.signHolds().toNanos();
  }

  /**
   * A beacon whose signature, if it has one, was checked, and which is to be believed.
   *
   * @param stamp its time; an older one than the gateway's last is passed over unless it is live
   * @param live whether it answers one of our own solicitations
   */
  public void onBeacon(Attachment place, long stamp, boolean live, long nowNs) {
    if (!stale(place, stamp, live)) {
      take(place, stamp, live, nowNs);
    }
  }

  /** Whether it is a duplicate or a recording. */
  private boolean stale(Attachment place, long stamp, boolean live) {
    Heard heard = gateways.get(place.gateway());
    return heard != null && place.signed() && stamp <= heard.stamp && !live;
  }

  private void take(Attachment place, long stamp, boolean live, long nowNs) {
    Heard heard = gateways.get(place.gateway());
    boolean first = heard == null;
    if (heard == null) {
      heard = new Heard(place);
      gateways.put(place.gateway(), heard);
      forgetOldGateways();
    }
    long previousNs = heard.heardNs;
    Attachment before = heard.place;
    heard.place = place;
    heard.stamp = stamp;
    heard.heardNs = nowNs;
    if (live) {
      heard.liveNs = nowNs;
    }
    Heard here = current;
    if (here == null) {
      attach(heard, "first beacon", nowNs);
    } else if (heard == here && place.ad().equals(before.ad())) {
      onOwnBeacon(before, live, nowNs);
    } else if (heard == here) {
      attach(heard, "the gateway's domain changed", nowNs);
    } else {
      onForeignBeacon(heard, here, first ? Long.MIN_VALUE : previousNs, live, nowNs);
    }
  }

  /**
   * A beacon that says that this very machine has just arrived on the gateway's link. From another
   * gateway than the present one it starts a handoff without asking anybody.
   */
  public void onArrival(Attachment place, long stamp, boolean live, long nowNs) {
    boolean stale = stale(place, stamp, live);
    if (current == null || place.samePlace(current.place)) {
      if (current != null) {
        current.stamp =
            Math.max(current.stamp, stamp); // what is registered now answers this beacon
      }
      onSign(MobilitySign.ARRIVAL, nowNs);
    } else {
      event("sign", nowNs, Map.of("kind", MobilitySign.ARRIVAL.name()));
      signNs = signOpen ? signNs : nowNs;
      signOpen = true;
    }
    if (!stale) {
      take(place, stamp, live, nowNs);
    }
  }

  private void onOwnBeacon(Attachment before, boolean live, long nowNs) {
    Heard here = java.util.Objects.requireNonNull(current);
    if (!here.place.equals(before)) {
      actions.configure(here.place, before);
      event("configured", nowNs, facts(here.place));
      nameAgain(nowNs);
    }
    if (awaitsFreshBeacon && live) {
      awaitsFreshBeacon = false;
      register(nowNs);
      registering.start(nowNs);
    }
    if (state == AgentState.SEARCHING) {
      event("gateway.back", nowNs, Map.of("gateway", here.place.gateway().toString()));
      register(nowNs);
      registering.start(nowNs);
      settle(AgentState.REGISTERING);
    } else if (state == AgentState.CHECKING && live) {
      stay(nowNs);
    }
  }

  /** The present gateway has shown that it is there: a check ends without a move. */
  private void stay(long nowNs) {
    if (candidate != null) {
      event("damped", nowNs, Map.of("candidate", candidate.place.gateway().toString()));
    }
    signOpen = false;
    settle(confirmed && !registering.running() ? AgentState.ATTACHED : AgentState.REGISTERING);
  }

  private void onForeignBeacon(Heard heard, Heard here, long previousNs, boolean live, long nowNs) {
    boolean currentLiveSinceSign = here.liveNs >= signNs;
    if (signOpen && nowNs - signNs <= timing.signHolds().toNanos() && !currentLiveSinceSign) {
      attach(heard, "foreign beacon after a sign", nowNs);
    } else if (!confirmed
        && live
        && handoff != null
        && nowNs - handoff.perceivedNs >= timing.checkFor().toNanos()) {
      attach(heard, "a gateway that answers, while the present one never confirmed", nowNs);
    } else if (lost(here, nowNs)) {
      weakAttach(heard, "foreign beacon, present gateway lost", nowNs);
    } else if (state == AgentState.CHECKING) {
      candidate = candidate == null || live ? heard : candidate;
    } else if (previousNs == Long.MIN_VALUE || here.heardNs < previousNs) {
      event("beacon.foreign", nowNs, facts(heard.place));
      candidate = heard;
      check(nowNs, false);
    }
    // else both are heard in turn on one segment: the present one is kept
  }

  private void check(long nowNs, boolean bySign) {
    state = AgentState.CHECKING;
    checkBySign = bySign;
    checkSinceNs = nowNs;
    long patience = timing.checkFor().toNanos();
    if (!bySign) {
      if (nowNs - weakSinceNs > 60_000_000_000L) {
        weakHandoffs = 0;
      }
      patience <<= Math.min(weakHandoffs, 4);
    } else {
      candidate = null;
    }
    checkUntilNs = nowNs + patience;
    event("check", nowNs, Map.of("bySign", Boolean.toString(bySign)));
    actions.solicit();
    soliciting.start(nowNs);
  }

  private boolean lost(Heard gateway, long nowNs) {
    return nowNs - gateway.heardNs
        > (long) (timing.missedBeacons() * gateway.place.periodMs() * 1e6);
  }

  private void weakAttach(Heard to, String cause, long nowNs) {
    weakHandoffs++;
    weakSinceNs = nowNs;
    attach(to, cause, nowNs);
  }

  private void attach(Heard to, String cause, long nowNs) {
    Heard from = current;
    boolean moved = from != null && !from.place.ad().equals(to.place.ad());
    if (from != null && moved) {
      formerAds.remove(from.place.ad());
      formerAds.add(0, from.place.ad());
    }
    formerAds.remove(to.place.ad());
    while (formerAds.size() > Location.MAX_FORMER) {
      formerAds.remove(formerAds.size() - 1);
    }
    redirected.clear();
    formerAds.forEach(ad -> redirected.put(ad, false));
    handoffs++;
    long startedNs = signOpen ? signNs : nowNs;
    handoff = new Handoff(handoffs, cause, from == null ? null : from.place, to.place, startedNs);
    handoff.perceivedNs = nowNs;
    event("handoff", nowNs, Map.of("cause", cause, "ad", to.place.ad().toString()));
    current = to;
    confirmed = false;
    arriving = true;
    awaitsFreshBeacon = false;
    candidate = null;
    signOpen = false;
    trouble = null;
    actions.configure(to.place, from == null ? null : from.place);
    event("configured", nowNs, facts(to.place));
    firstSequence = register(nowNs);
    registering.start(nowNs);
    nameAgain(nowNs);
    settle(AgentState.REGISTERING);
  }

  private void nameAgain(long nowNs) {
    unnamed.addAll(names);
    Heard here = current;
    if (here == null || unnamed.isEmpty()) {
      return;
    }
    unnamed.forEach(name -> actions.registerName(name, here.place));
    event("name.sent", nowNs, Map.of("names", String.join(" ", unnamed)));
    naming.start(nowNs);
  }

  private long register(long nowNs) {
    Heard here = java.util.Objects.requireNonNull(current);
    lastSequence = actions.register(here.place, here.stamp, arriving, List.copyOf(formerAds));
    event("register.sent", nowNs, Map.of("sequence", Long.toString(lastSequence)));
    return lastSequence;
  }

  private void settle(AgentState next) {
    state = next;
    checkUntilNs = NEVER;
    candidate = null;
    soliciting.stop();
  }

  /** The gateway confirms a registration; checked to be from the present gateway's key. */
  public void onReceipt(Receipt receipt, long nowNs) {
    Heard here = current;
    if (here == null
        || !receipt.ad().equals(here.place.ad())
        || receipt.sequence() < firstSequence
        || receipt.sequence() > lastSequence) {
      return;
    }
    boolean answersSign = receipt.sequence() == lastSequence;
    here.heardNs = nowNs;
    if (answersSign) {
      answeredNs = nowNs;
      here.liveNs = nowNs;
      arriving = false;
      registering.stop();
    }
    refreshNs = nowNs + Math.max(1, receipt.lifetimeS()) * 1_000_000_000L / 3;
    trouble = null;
    if (!confirmed) {
      confirmed = true;
      event("register.confirmed", nowNs, Map.of("sequence", Long.toString(receipt.sequence())));
      if (handoff != null) {
        handoff.registeredNs = nowNs;
      }
    }
    receipt
        .repointed()
        .forEach(
            (ad, done) -> {
              if (done && Boolean.FALSE.equals(redirected.get(ad))) {
                redirected.put(ad, true);
                event("redirected", nowNs, Map.of("ad", ad.toString()));
                if (handoff != null) {
                  handoff.redirectedNs.put(ad, nowNs);
                }
              }
            });
    if (state == AgentState.REGISTERING || (state == AgentState.CHECKING && answersSign)) {
      stay(nowNs);
    } else if (state == AgentState.SEARCHING && answersSign) {
      settle(AgentState.ATTACHED);
    }
    completeIfDone(nowNs);
  }

  /** The gateway refuses a registration; checked to be from the present gateway's key. */
  public void onRefusal(RefusalNote note, long nowNs) {
    if (current == null || note.sequence() != lastSequence || !registering.running()) {
      return;
    }
    event("register.refused", nowNs, Map.of("reason", note.reason().name()));
    trouble = "registration refused: " + note.reason();
    if (note.reason() == Refusal.STALE
        || note.reason() == Refusal.CONFLICT
        || note.reason() == Refusal.CLOCK) {
      actions.exceedSequence(note.known());
      if (registering.tries() <= 3) {
        register(nowNs);
        registering.again(nowNs);
      }
    } else if (note.reason() == Refusal.NOT_FRESH) {
      awaitsFreshBeacon = true;
      actions.solicit();
    }
  }

  /** The name server confirms a name for the present place. */
  public void onNamed(String name, long nowNs) {
    if (!unnamed.remove(name)) {
      return;
    }
    event("name.confirmed", nowNs, Map.of("name", name));
    if (unnamed.isEmpty()) {
      naming.stop();
      if (handoff != null) {
        handoff.namedNs = nowNs;
      }
      completeIfDone(nowNs);
    }
  }

  /** The name server refuses a name; it is asked again later, since an owner may go away. */
  public void onNameRefused(String name, Refusal reason, long nowNs) {
    if (unnamed.contains(name)) {
      event("name.refused", nowNs, Map.of("name", name, "reason", reason.name()));
      trouble = "name " + name + " refused: " + reason;
    }
  }

  /** Registers all names again, e.g. since their lifetime is half over. */
  public void refreshNames(long nowNs) {
    if (current != null && !naming.running()) {
      nameAgain(nowNs);
    }
  }

  private void completeIfDone(long nowNs) {
    Handoff h = handoff;
    if (h != null
        && h.completeNs == 0
        && confirmed
        && unnamed.isEmpty()
        && !redirected.containsValue(false)) {
      h.completeNs = nowNs;
      event(
          "handoff.complete",
          nowNs,
          Map.of("ms", String.format(java.util.Locale.ROOT, "%.3f", (nowNs - h.startedNs) / 1e6)));
    }
  }

  /** Does what is due. */
  public void onTime(long nowNs) {
    if (yields(nowNs)) {
      return;
    }
    if (yieldUntilNs != NEVER) {
      endYield(nowNs);
    }
    Heard here = current;
    if (state == AgentState.CHECKING && nowNs - checkUntilNs >= 0 && checkUntilNs != NEVER) {
      endCheck(nowNs);
      here = current;
    }
    if (here != null && state == AgentState.ATTACHED && lost(here, nowNs)) {
      event("gateway.lost", nowNs, Map.of("gateway", here.place.gateway().toString()));
      state = AgentState.SEARCHING;
      actions.solicit();
      soliciting.start(nowNs);
    }
    if (echoNs != NEVER && nowNs - echoNs >= 0) {
      echoNs = NEVER;
      onSign(MobilitySign.REPEATED, nowNs);
    }
    if (soliciting.due(nowNs)) {
      actions.solicit();
      soliciting.again(nowNs);
    }
    if (here != null && registering.due(nowNs)) {
      register(nowNs);
      registering.again(nowNs);
    }
    if (here != null && nowNs - refreshNs >= 0 && refreshNs != NEVER) {
      refreshNs = NEVER;
      register(nowNs);
      registering.start(nowNs);
    }
    if (here != null && naming.due(nowNs)) {
      Attachment place = here.place;
      unnamed.forEach(name -> actions.registerName(name, place));
      naming.again(nowNs);
    }
  }

  private void endCheck(long nowNs) {
    checkUntilNs = NEVER;
    Heard here = java.util.Objects.requireNonNull(current);
    Heard other = candidate;
    if (here.liveNs >= checkSinceNs) {
      stay(nowNs);
    } else if (other != null) {
      weakAttach(other, "the present gateway does not answer", nowNs);
    } else if (!checkBySign) {
      settle(confirmed ? AgentState.ATTACHED : AgentState.REGISTERING);
    }
    // after a sign the agent goes on asking until somebody answers
  }

  /** When {@link #onTime} must be called at the latest; {@link Long#MAX_VALUE} for never. */
  public long nextDeadlineNs() {
    if (yieldUntilNs != NEVER) {
      return yieldUntilNs;
    }
    long at = Math.min(soliciting.atNs(), Math.min(registering.atNs(), naming.atNs()));
    at = Math.min(at, Math.min(echoNs, Math.min(refreshNs, checkUntilNs)));
    Heard here = current;
    if (here != null && state == AgentState.ATTACHED) {
      at =
          Math.min(
              at, here.heardNs + (long) (timing.missedBeacons() * here.place.periodMs() * 1e6) + 1);
    }
    return at;
  }

  private void forgetOldGateways() {
    if (gateways.size() <= MAX_GATEWAYS) {
      return;
    }
    for (var it = gateways.values().iterator(); it.hasNext() && gateways.size() > MAX_GATEWAYS; ) {
      Heard eldest = it.next();
      if (eldest != current && eldest != candidate) {
        it.remove();
      }
    }
  }

  private void event(String name, long nowNs, Map<String, String> facts) {
    if (events.size() >= MAX_EVENTS) {
      events.removeFirst();
    }
    events.addLast(new AgentEvent(name, nowNs, facts));
  }

  private static Map<String, String> facts(Attachment place) {
    return Map.of("ad", place.ad().toString(), "gateway", place.gateway().toString());
  }

  /** The state. */
  public AgentState state() {
    return state;
  }

  /** Where the host believes to be, {@code null} before the first beacon. */
  public @Nullable Attachment place() {
    return current == null ? null : current.place;
  }

  /** Whether the present gateway has confirmed. */
  public boolean confirmed() {
    return confirmed;
  }

  /** Names that no name server has confirmed for the present place. */
  public List<String> unconfirmedNames() {
    return List.copyOf(unnamed);
  }

  /** Former domains and whether their traffic is known to be redirected. */
  public Map<Xid, Boolean> redirected() {
    return Map.copyOf(redirected);
  }

  /** Whether all of the last handoff is confirmed. */
  public boolean complete() {
    return state == AgentState.ATTACHED && handoff != null && handoff.completeNs != 0;
  }

  /** Handoffs so far, the first attachment included. */
  public int handoffs() {
    return handoffs;
  }

  /** The last handoff, {@code null} before the first. */
  public @Nullable Handoff lastHandoff() {
    return handoff;
  }

  /** The newest steps, oldest first. */
  public List<AgentEvent> events() {
    return List.copyOf(events);
  }

  /** The newest beacon stamp of the present gateway. */
  public long stamp() {
    return current == null ? 0 : current.stamp;
  }

  /** What the agent is waiting for, for people; {@code nothing} when all is well. */
  public String waitingFor() {
    List<String> parts = new ArrayList<>();
    if (state != AgentState.ATTACHED) {
      parts.add(state.waitingFor());
    }
    if (!unnamed.isEmpty() && current != null) {
      parts.add("waiting for the name server to confirm " + String.join(", ", unnamed));
    }
    if (confirmed) {
      redirected.forEach(
          (ad, done) -> {
            if (!done) {
              parts.add("waiting for the routers of " + ad + " to redirect");
            }
          });
    }
    if (trouble != null) {
      parts.add(trouble);
    }
    return parts.isEmpty() ? AgentState.ATTACHED.waitingFor() : String.join("; ", parts);
  }
}
