package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.node.congestion.AckSample;
import io.xmig.xia.node.congestion.CongestionControl;
import io.xmig.xia.node.congestion.DeliveryRateEstimator;
import io.xmig.xia.socket.EventLoop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything this node fetches from one host: one congestion-controlled flow of range requests for
 * any number of chunks; the sockets take turns, each with its oldest chunk first.
 *
 * <p>A request for n bytes counts as n bytes in flight until they have come or are found lost. A
 * request is lost when the answer to a later one has come and a reordering window has passed, or
 * when nothing has come for a whole timeout; what it had asked for and nobody has brought is
 * requested again.
 *
 * @source RFC 8985 (RACK-TLP), applied to serials of requests; docs/chunk.md section 4
 */
final class Flow {
  /** What is known about the far end. */
  enum Peer {
    /** Nothing has come yet: one request per chunk, which suits both kinds. */
    UNKNOWN,
    /** Answers ranges. */
    EXTENDED,
    /** Sends whole chunks only. */
    LEGACY
  }

  /** Requests sent before the far end is known. */
  private static final int UNKNOWN_CONCURRENCY = 2;

  /** Length taken for a whole v1.1 chunk while it is not known. */
  private static final int LEGACY_CHUNK_BYTES = 15_600;

  /** Segments without serial in a row after which the far end counts as v1.1. */
  private static final int PLAIN_UNTIL_LEGACY = 64;

  private static final int ASSUMED_HEADER_BYTES = 120;

  final Xid host;
  private final TransportContext context;
  private final ChunkOptions options;
  private final ChunkCounters counters;
  private final ChunkFetcher fetcher;
  private final CongestionControl control;
  private final RequestPacer pacer;
  private final AckSample sample = new AckSample();
  private final ContentHeader header = new ContentHeader();
  private final RoundTrip roundTrip;
  private final PacketSize packetSize;
  Peer peer;
  private Dag remote;
  private int segmentBytes;
  private int plainInARow;

  private final FetchQueue fetches = new FetchQueue();
  private @Nullable Fetch withoutMemory; // the next chunk that gets some
  private final Outstanding outstanding = new Outstanding();
  private final DeliveryRateEstimator rate = new DeliveryRateEstimator();

  private long lastHeardNs;
  private long lastSentNs;
  private boolean tailProbeSent;
  private boolean timedOut; // and nothing has come since
  private boolean unconfirmed; // nothing has come since an address changed
  private long progressNs;
  private long unreachableSinceNs = Long.MAX_VALUE;
  long idleSinceNs;

  private EventLoop.@Nullable Timer lossTimer;
  private long lossTimerNs;
  private EventLoop.@Nullable Timer sendTimer;
  private EventLoop.@Nullable Timer watch;

  Flow(
      Xid host,
      Dag remote,
      TransportContext context,
      ChunkOptions options,
      ChunkCounters counters,
      CongestionControl.Provider policy,
      ChunkFetcher fetcher) {
    this.host = host;
    this.remote = remote;
    this.context = context;
    this.options = options;
    this.counters = counters;
    this.fetcher = fetcher;
    this.peer = options.extensions() ? Peer.UNKNOWN : Peer.LEGACY;
    this.packetSize = new PacketSize(context.maxPacketBytes(remote));
    this.segmentBytes = assumedSegment();
    this.roundTrip = new RoundTrip(options.minTimeout().toNanos(), options.maxTimeout().toNanos());
    long initialWindow = Math.max(2L * segmentBytes, Math.min(10L * segmentBytes, 128 << 10));
    this.control = policy.create(segmentBytes, initialWindow);
    this.pacer = new RequestPacer(control);
    this.progressNs = context.nowNs();
    this.lastHeardNs = progressNs;
  }

  private int assumedSegment() {
    return Math.max(256, packetSize.bytes() - ASSUMED_HEADER_BYTES);
  }

  // ---- the chunks ----

  void add(Fetch fetch) {
    fetch.flow = this;
    if (fetches.isEmpty()) {
      progressNs = context.nowNs();
    }
    fetches.add(fetch);
    if (watch == null) {
      scheduleWatch();
    }
    pump();
  }

  /** Takes a chunk out: it is complete, has failed or nobody wants it any more. */
  void remove(Fetch fetch) {
    fetches.remove(fetch);
    if (fetch == withoutMemory) {
      withoutMemory = null;
    }
    if (fetches.isEmpty()) {
      becomeIdle();
    }
  }

  /** Takes out a chunk that is to be had elsewhere from now on. */
  void abandon(Fetch fetch) {
    disregard(fetch);
    remove(fetch);
    pump();
  }

  /** The host says that it does not have the chunk: nothing of it is on its way. */
  void onRefusal(Fetch fetch) {
    heard(context.nowNs(), 0);
    progressNs = lastHeardNs;
    disregard(fetch);
  }

  private void disregard(Fetch fetch) {
    for (RangeRequest r = outstanding.oldest(); r != null; ) {
      RangeRequest after = r.later;
      if (r.fetch == fetch) {
        lose(r, false);
      }
      r = after;
    }
  }

  boolean isIdle() {
    return fetches.isEmpty();
  }

  private void becomeIdle() {
    outstanding.clear();
    timedOut = false;
    cancelTimers();
    idleSinceNs = context.nowNs();
    unreachableSinceNs = Long.MAX_VALUE;
  }

  void cancelTimers() {
    if (lossTimer != null) {
      lossTimer.cancel();
      lossTimer = null;
    }
    if (sendTimer != null) {
      sendTimer.cancel();
      sendTimer = null;
    }
    if (watch != null) {
      watch.cancel();
      watch = null;
    }
  }

  /** The remote host is elsewhere now, as a new request for one of its chunks says. */
  void remoteMovedTo(Dag address) {
    Xid newAd = address.first(XidType.AD);
    Xid oldAd = remote.first(XidType.AD);
    if (newAd == null || oldAd == null || newAd.equals(oldAd)) {
      return;
    }
    remote = address;
    for (Fetch f = fetches.first(); f != null; f = f.following) {
      f.address = f.address.replace(oldAd, newAd);
    }
    pathChanged();
  }

  /** One end has another address: what is on its way is as good as lost, and says nothing. */
  void pathChanged() {
    long now = context.nowNs();
    control.onPathChange(now);
    roundTrip.reset();
    packetSize.restart(context.maxPacketBytes(remote));
    resetSegment();
    unreachableSinceNs = Long.MAX_VALUE;
    for (RangeRequest r = outstanding.oldest(); r != null; r = outstanding.oldest()) {
      lose(r, false);
    }
    pacer.restart(now);
    unconfirmed = true;
    pump();
  }

  // ---- requesting ----

  /** Sends requests as far as window, pacing and memory allow. */
  void pump() {
    long now = context.nowNs();
    while (true) {
      Fetch fetch = nextReady();
      if (fetch == null) {
        if (outstanding.bytes() < control.windowBytes()) {
          rate.onNothingToSend(outstanding.bytes());
        }
        return;
      }
      long window = control.windowBytes();
      if (outstanding.bytes() >= window && outstanding.count() > 0) {
        return;
      }
      if (!pacer.isReady(now)) {
        if (sendTimer == null) {
          sendTimer = context.schedule(pacer.waitNs(now), this::onSendTimer);
        }
        return;
      }
      if (!request(fetch, now, window)) {
        return;
      }
    }
  }

  private void onSendTimer() {
    sendTimer = null;
    pump();
  }

  /**
   * The oldest chunk of the socket whose turn it is, or of the next one that has something which
   * may be requested now. When there is no memory for a chunk, those that have theirs go on, so
   * that they free it; no other may take any.
   */
  private @Nullable Fetch nextReady() {
    boolean oneEach = peer != Peer.EXTENDED;
    if (oneEach) {
      int limit = peer == Peer.LEGACY ? options.legacyConcurrency() : UNKNOWN_CONCURRENCY;
      if (outstanding.count() >= limit) {
        return null;
      }
    }
    if (withoutMemory != null && (!withoutMemory.ready || fetcher.provideMemory(withoutMemory))) {
      withoutMemory = null;
    }
    for (SocketQueue q = fetches.firstInRound(); q != null; q = q.following) {
      for (Fetch f = q.firstReady(); f != null; f = f.followingReady) {
        if ((oneEach && f.outstanding > 0) || (withoutMemory != null && !f.reserved)) {
          continue;
        }
        if (fetcher.provideMemory(f)) {
          return f;
        }
        withoutMemory = f;
      }
    }
    return null;
  }

  private boolean request(Fetch fetch, long now, long window) {
    int start;
    int end;
    int probe = 0;
    boolean again = false;
    if (peer == Peer.LEGACY) {
      start = 0;
      end = fetch.lengthKnown() ? fetch.length : LEGACY_CHUNK_BYTES;
      fetch.wanted.clear();
    } else {
      int quantum =
          peer == Peer.UNKNOWN
              ? RequestPacer.firstRange(window, segmentBytes, UNKNOWN_CONCURRENCY)
              : pacer.quantum(window, segmentBytes, roundTrip.minNs());
      if (peer == Peer.EXTENDED) {
        probe = packetSize.probe(now);
        if (probe != 0) {
          quantum = probe;
        }
      }
      if (!fetch.wanted.isEmpty()) {
        start = fetch.wanted.start(0);
        end = Math.min(fetch.wanted.end(0), start + quantum);
        long room = window - outstanding.bytes();
        if (end - start > room && room < quantum && outstanding.count() > 0) {
          return false;
        }
        fetch.wanted.remove(start, end);
        again = true;
      } else {
        start = fetch.next;
        int known = fetch.lengthKnown() ? fetch.length : Integer.MAX_VALUE;
        end = (int) Math.min(known, (long) start + quantum);
        long room = window - outstanding.bytes();
        if (end - start > room && room < quantum / 2 + 1 && outstanding.count() > 0) {
          return false;
        }
        if (end - start > room && room >= segmentBytes && end != known) {
          end = start + (int) (room / segmentBytes * segmentBytes);
        }
      }
    }
    boolean sent = send(fetch, start, end, probe, now);
    if (!sent && again) {
      fetch.wanted.add(start, end);
    }
    return sent;
  }

  private boolean send(Fetch fetch, int start, int end, int probe, long now) {
    RangeRequest r = fetcher.newRequest();
    if (r == null) {
      return false;
    }
    r.fetch = fetch;
    r.flow = this;
    r.start = start;
    r.end = end;
    r.answered = 0;
    r.sentNs = now;
    r.probePacketBytes = probe;
    if (outstanding.bytes() == 0) {
      rate.onSentFirst(now);
      pacer.afterPause(now);
    }
    r.deliveredBefore = rate.delivered();
    r.deliveredNsBefore = rate.deliveredNs();
    r.firstSentNsBefore = rate.firstSentNs();
    r.appLimited = rate.isAppLimited();
    r.state = RangeRequest.State.OUTSTANDING;
    outstanding.add(r);
    if (!fetch.requested) {
      fetch.requested = true;
      fetch.firstRequestNs = now;
      fetch.progressNs = now;
    }
    fetch.next = Math.max(fetch.next, end);
    fetches.refresh(fetch);
    fetches.requested(fetch, end - start);
    lastSentNs = now;
    if (!transmit(fetch, r)) {
      onUnreachable(now);
    }
    control.onSent(now, end - start, outstanding.bytes());
    pacer.sent(now, end - start);
    armLossTimer(now);
    return true;
  }

  private boolean transmit(Fetch fetch, RangeRequest r) {
    Dag target = fetch.target();
    // After silence the long form: a report that answers are too large finds its way back only if
    // their source names the host.
    boolean compact = peer == Peer.EXTENDED && !timedOut && !unconfirmed;
    Dag reply =
        compact
            ? fetcher.replyHost(context.localAddress().ad().equals(target.first(XidType.AD)))
            : fetcher.replyService();
    ByteBuffer out = context.begin(target, reply, ContentHeader.NEXT_HEADER, ChunkServer.HOP_LIMIT);
    counters.requestsSent++;
    if (!options.extensions()) {
      return context.send(ContentHeader.putPlainRequest(out));
    }
    int packet = r.probePacketBytes != 0 ? r.probePacketBytes : packetSize.bytes();
    return context.send(
        header.putRequest(
            out,
            r.serial,
            r.start,
            r.length(),
            packet,
            compact ? ContentHeader.FLAG_COMPACT : 0,
            peer == Peer.EXTENDED));
  }

  // ---- answers ----

  /**
   * A segment has come as an answer to {@code r}; its bytes are with the chunk already.
   *
   * @param bytes of the segment
   * @param news how many of them were missing
   */
  void onSegment(RangeRequest r, int offset, int bytes, int news, int packetBytes) {
    long now = context.nowNs();
    plainInARow = 0;
    packetSize.onPacket(packetBytes, offset + bytes < r.end || bytes == segmentBytes);
    if (peer != Peer.EXTENDED) {
      peer = Peer.EXTENDED;
      fetches.refreshAll();
    }
    if (r.probePacketBytes != 0 && packetBytes > packetSize.bytes()) {
      packetSize.onProbeAnswered(r.probePacketBytes);
      useSegment(bytes);
    } else if (offset + bytes < r.end && bytes != segmentBytes) {
      useSegment(bytes);
    }
    heard(now, news);
    credit(r, now, bytes);
  }

  /** A segment without serial has come, i.e. from a v1.1 node: the far end or a cache. */
  void onPlainSegment(Fetch fetch, int offset, int bytes, int news) {
    long now = context.nowNs();
    if (peer == Peer.UNKNOWN || ++plainInARow >= PLAIN_UNTIL_LEGACY) {
      peer = Peer.LEGACY;
    }
    heard(now, news);
    for (RangeRequest r = outstanding.oldest(); r != null; ) {
      RangeRequest after = r.later;
      if (r.fetch == fetch) {
        if (peer == Peer.LEGACY && fetch.lengthKnown()) {
          widen(r, fetch);
        }
        int overlap = Math.min(r.end, offset + bytes) - Math.max(r.start, offset);
        if (overlap > 0 || (r.length() == 0 && bytes == 0)) {
          credit(r, now, Math.max(0, overlap));
        }
      }
      r = after;
    }
  }

  /** A v1.1 host answers any request with the whole chunk. */
  private void widen(RangeRequest r, Fetch fetch) {
    if (r.start == 0 && r.end == fetch.length) {
      return;
    }
    outstanding.resized(fetch.length - r.length());
    r.start = 0;
    r.end = fetch.length;
    fetch.next = fetch.length;
    fetch.wanted.clear();
    fetches.refresh(fetch);
  }

  /** The length of a chunk has become known: requests beyond its end ask for less than thought. */
  void onLength(Fetch fetch) {
    for (RangeRequest r = outstanding.oldest(); r != null; ) {
      RangeRequest after = r.later;
      if (r.fetch == fetch && r.end > fetch.length) {
        int cut = r.end - Math.max(r.start, fetch.length);
        r.end -= cut;
        outstanding.resized(-cut);
        fetches.refund(fetch, cut);
      }
      r = after;
    }
    fetch.next = Math.min(fetch.next, fetch.length);
    fetch.wanted.remove(fetch.length, Integer.MAX_VALUE);
    refreshReady(fetch);
  }

  /** What came for this chunk could not be kept: everything of it is to be requested again. */
  void refreshReady(Fetch fetch) {
    fetches.refresh(fetch);
  }

  private void useSegment(int bytes) {
    if (bytes >= 64 && bytes != segmentBytes) {
      segmentBytes = bytes;
      control.onSegmentSize(bytes);
    }
  }

  private void heard(long now, int news) {
    lastHeardNs = now;
    tailProbeSent = false;
    timedOut = false;
    unconfirmed = false;
    roundTrip.heard();
    unreachableSinceNs = Long.MAX_VALUE;
    if (news > 0) {
      progressNs = now;
    }
  }

  private void credit(RangeRequest r, long now, int bytes) {
    int credit = Math.min(bytes, r.unanswered());
    boolean first = r.answered == 0;
    r.answered += credit;
    long prior = outstanding.bytes();
    boolean awaited = r.state == RangeRequest.State.OUTSTANDING;
    if (awaited) {
      outstanding.answered(credit);
    } else if (r.unanswered() == 0) {
      // All of what was thought lost has come after all.
      counters.spuriousLosses++;
      r.state = RangeRequest.State.FREE;
      outstanding.wasLate();
      control.onSpuriousLoss(now);
    }
    rate.onDelivered(credit);
    long rttNs = first ? roundTrip.sample(now, now - r.sentNs) : -1;
    outstanding.advance(r, now);
    sample.clear();
    rate.sample(
        sample,
        now,
        r.sentNs,
        r.deliveredBefore,
        r.deliveredNsBefore,
        r.firstSentNsBefore,
        r.appLimited,
        roundTrip.minNs());
    if (awaited && r.unanswered() == 0) {
      finish(r);
    }
    sample.lostBytes = detectLosses(now);
    if (credit > 0) {
      sample.nowNs = now;
      sample.ackedBytes = credit;
      sample.rttNs = rttNs;
      sample.priorInFlightBytes = prior;
      sample.inFlightBytes = outstanding.bytes();
      control.onAck(sample);
    }
  }

  /** A request has all its answers; doubled and lost segments together may have left a gap. */
  private void finish(RangeRequest r) {
    outstanding.remove(r);
    r.state = RangeRequest.State.FREE;
    Fetch fetch = r.fetch;
    if (fetch != null && !fetch.done && !fetch.received.contains(r.start, r.end)) {
      fetch.want(r.start, r.end);
      fetches.refresh(fetch);
    }
  }

  // ---- losses ----

  /** Gives up requests that were overtaken long enough ago; tells the control. */
  private long detectLosses(long now) {
    long lost = 0;
    long lostOnTheWayHere = 0;
    long newestSent = Long.MIN_VALUE;
    RangeRequest r = outstanding.oldest();
    while (r != null && outstanding.isOvertaken(r)) {
      long deadline = outstanding.lostAtNs(r, roundTrip);
      if (now < deadline) {
        scheduleLossTimer(deadline, now);
        break;
      }
      RangeRequest after = r.later;
      if (r.probePacketBytes == 0) {
        lost += r.unanswered();
        lostOnTheWayHere += dataLost(r);
        newestSent = r.sentNs;
      }
      lose(r, r.probePacketBytes == 0);
      r = after;
    }
    if (lost > 0) {
      outstanding.wasLost();
      counters.bytesLost += lost;
      control.onLoss(now, lostOnTheWayHere, outstanding.bytes(), newestSent);
    }
    return lost;
  }

  /**
   * What the path of the data has lost of this range. When nothing of it has come it was as a rule
   * the request that got lost, on the other way, and none of the data.
   */
  private long dataLost(RangeRequest r) {
    return r.answered == 0 ? Math.min(r.unanswered(), segmentBytes) : r.unanswered();
  }

  /** Takes a request for lost; its missing bytes are to be requested again. */
  private void lose(RangeRequest r, boolean blame) {
    outstanding.remove(r);
    r.state = RangeRequest.State.LOST;
    if (blame
        && peer == Peer.EXTENDED
        && packetSize.onLost(r.unanswered(), context.nowNs(), roundTrip.smoothedNs())) {
      resetSegment();
    }
    Fetch fetch = r.fetch;
    if (fetch == null || fetch.done) {
      return;
    }
    if (blame && ++fetch.lossesInARow >= Fetch.LOSSES_UNTIL_DIRECT) {
      fetch.direct = true;
    }
    if (fetch.length == 0) {
      fetch.requested = false;
    }
    fetch.want(r.start, r.end);
    fetches.refresh(fetch);
  }

  private void armLossTimer(long now) {
    if (outstanding.count() == 0) {
      return;
    }
    scheduleLossTimer(nextDeadlineNs(now), now);
  }

  private long nextDeadlineNs(long now) {
    long deadline = timeoutAtNs();
    if (!tailProbeSent && !timedOut && roundTrip.known() && peer == Peer.EXTENDED) {
      deadline = Math.min(deadline, tailProbeAtNs());
    }
    RangeRequest r = outstanding.oldest();
    if (r != null && outstanding.isOvertaken(r)) {
      deadline = Math.min(deadline, outstanding.lostAtNs(r, roundTrip));
    }
    return deadline;
  }

  private long timeoutAtNs() {
    RangeRequest r = outstanding.oldest();
    long from = r == null ? lastSentNs : r.sentNs;
    long timeout = roundTrip.timeoutNs();
    if (peer == Peer.LEGACY) {
      timeout = Math.max(timeout, RoundTrip.INITIAL_TIMEOUT_NS);
    }
    return Math.max(from, lastHeardNs) + timeout;
  }

  private long tailProbeAtNs() {
    return Math.max(lastSentNs, lastHeardNs) + roundTrip.probeTimeoutNs();
  }

  private void scheduleLossTimer(long deadlineNs, long now) {
    if (lossTimer != null) {
      if (lossTimerNs <= deadlineNs) {
        return; // it will look again when it fires
      }
      lossTimer.cancel();
    }
    lossTimerNs = deadlineNs;
    lossTimer = context.schedule(Math.max(0, deadlineNs - now), this::onLossTimer);
  }

  private void onLossTimer() {
    lossTimer = null;
    long now = context.nowNs();
    detectLosses(now);
    if (outstanding.count() > 0) {
      if (now >= timeoutAtNs()) {
        onTimeout(now);
      } else if (!tailProbeSent
          && !timedOut
          && roundTrip.known()
          && peer == Peer.EXTENDED
          && now >= tailProbeAtNs()) {
        sendTailProbe(now);
      }
    }
    pump();
    armLossTimer(now);
  }

  /** Asks once more for what has been missing longest; the answer shows what else is lost. */
  private void sendTailProbe(long now) {
    tailProbeSent = true;
    for (RangeRequest r = outstanding.oldest(); r != null; r = r.later) {
      Fetch fetch = r.fetch;
      if (fetch == null || fetch.done) {
        continue;
      }
      int start = fetch.received.firstMissing(r.start);
      if (start < r.end) {
        counters.tailProbes++;
        send(fetch, start, Math.min(r.end, start + segmentBytes), 0, now);
        return;
      }
    }
  }

  private void onTimeout(long now) {
    counters.timeouts++;
    roundTrip.backOff();
    timedOut = true;
    if (peer != Peer.LEGACY && packetSize.onTimeouts(roundTrip.backoff())) {
      resetSegment();
    }
    for (RangeRequest r = outstanding.oldest(); r != null; r = outstanding.oldest()) {
      counters.bytesLost += r.unanswered();
      lose(r, r.probePacketBytes == 0);
    }
    control.onTimeout(now);
    pacer.restart(now);
  }

  private void resetSegment() {
    segmentBytes = assumedSegment();
    control.onSegmentSize(segmentBytes);
  }

  // ---- failures ----

  /** Somebody on the way, or this node itself, knows no way to the host. */
  void onUnreachable(long now) {
    if (unreachableSinceNs == Long.MAX_VALUE) {
      unreachableSinceNs = now;
    }
  }

  private void scheduleWatch() {
    long shortest = Math.min(options.giveUp().toNanos(), options.unreachableGrace().toNanos() + 1);
    long period = Math.max(10_000_000L, Math.min(250_000_000L, shortest / 8));
    watch = context.schedule(period, this::onWatch);
  }

  private void onWatch() {
    watch = null;
    long now = context.nowNs();
    long giveUp = options.giveUp().toNanos();
    boolean unreachable =
        unreachableSinceNs != Long.MAX_VALUE
            && now - unreachableSinceNs >= options.unreachableGrace().toNanos();
    List<Fetch> failed = new ArrayList<>(0);
    for (Fetch f = fetches.first(); f != null; f = f.following) {
      if (unreachable
          || now - Math.max(f.enqueuedNs, progressNs) >= giveUp
          || (f.requested && now - f.progressNs >= giveUp)) {
        failed.add(f);
      }
    }
    if (unreachable) {
      unreachableSinceNs = Long.MAX_VALUE;
    }
    // Handlers may request and cancel: only now, and only what is still wanted.
    for (Fetch f : failed) {
      fetcher.fail(
          f, unreachable ? ChunkFetcher.Failure.UNREACHABLE : ChunkFetcher.Failure.TIMED_OUT);
    }
    if (!fetches.isEmpty() && watch == null) {
      scheduleWatch();
    }
    pump();
  }

  // ---- for tests and for people who look ----

  long inFlightBytes() {
    return outstanding.bytes();
  }

  int packetBytes() {
    return packetSize.bytes();
  }

  @Override
  public String toString() {
    return "from "
        + host
        + " "
        + peer
        + " inFlight="
        + outstanding.bytes()
        + " srttUs="
        + roundTrip.smoothedNs() / 1000
        + " segment="
        + segmentBytes
        + " "
        + control;
  }
}
