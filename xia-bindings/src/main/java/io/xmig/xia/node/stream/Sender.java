package io.xmig.xia.node.stream;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.node.congestion.AckSample;
import io.xmig.xia.node.congestion.CongestionControl;
import io.xmig.xia.node.congestion.DeliveryRateEstimator;
import io.xmig.xia.node.congestion.ReorderWindow;
import io.xmig.xia.node.congestion.RttEstimator;
import java.nio.ByteBuffer;

/**
 * The sending half of a connection of our own kind: which bytes leave when, what of them is lost,
 * and when to ask again.
 *
 * <p>Packet numbers count sendings, stream offsets count bytes. A packet is lost when a packet sent
 * later has arrived and a quarter of a round trip has passed since this one should have (RACK); as
 * long as the path never reordered, three later ones are proof enough. When nothing comes back, one
 * packet is sent again as a probe, twice; then everything in flight counts as lost.
 *
 * @source RFC 8985 (RACK-TLP), RFC 9002 (loss detection by packet number), RFC 6298
 */
final class Sender {
  private static final int REORDER_THRESHOLD = 3;
  private static final int PROBES = 2;
  private static final long HISTORY_NS = 1_000_000_000L;

  private final SackConnection connection;
  private final TransportContext context;
  private final StreamCounters counters;
  private final StreamHeader header;
  private final SendBuffer buffer;
  private final SentPackets sent = new SentPackets();
  private final LostQueue lost = new LostQueue();
  private final Pacer pacer = new Pacer();
  private final AckSample sample = new AckSample();
  private final CongestionControl congestion;
  private final long maxBackoffNs;
  private final long peerAckDelayNs;
  final RttEstimator rtt = new RttEstimator();
  final PacketSize packetSize;

  private int headerBytes; // of a data packet with the full source address
  private int shortHeaderBytes; // and with the SID alone
  private long nextOffset;
  private long acked;
  private long peerLimit;
  private boolean finQueued;
  private boolean finSent;
  private boolean finAcked;

  private long inFlight;
  private final DeliveryRateEstimator rate = new DeliveryRateEstimator();

  private long largestAcked = -1;
  private long rackSentNs = Long.MIN_VALUE;
  private long rackRttNs;
  private long scanned;
  private boolean reorders;
  private final ReorderWindow reordering = new ReorderWindow();
  private int epochLost;
  private int epochSpurious;
  private long epochStartNs = Long.MIN_VALUE;

  private long lossDueNs = Alarm.NEVER;
  private long lastSentNs;
  private int probes;
  private boolean pumping;
  private boolean paced;
  private boolean windowShut;
  private long persistDueNs = Alarm.NEVER;
  private int persisted;

  /** When the oldest question without any answer was sent, {@link Alarm#NEVER} if there is none. */
  private long unansweredSinceNs = Alarm.NEVER;

  Sender(SackConnection connection, SendBuffer buffer, long peerLimit, int linkLimit) {
    this.connection = connection;
    this.context = connection.context;
    this.counters = connection.transport.counters;
    this.header = connection.transport.writer;
    this.buffer = buffer;
    this.peerLimit = peerLimit;
    this.packetSize = new PacketSize(linkLimit);
    StreamOptions options = connection.transport.options;
    this.maxBackoffNs = options.maxBackoffNs();
    this.peerAckDelayNs = options.maxAckDelayNs();
    int segment = packetSize.limit();
    long initialWindow = Math.min(10L * segment, Math.max(2L * segment, 32 << 10));
    this.congestion = connection.transport.congestion.create(segment, initialWindow);
    addressesChanged();
  }

  void addressesChanged() {
    int common = 8 + connection.remote.wireBytes().length + StreamHeader.DATA_HEADER_LENGTH;
    headerBytes = common + connection.local.wireBytes().length;
    shortHeaderBytes = common + Dag.NODE_LENGTH;
  }

  private static int maxPayload(int packetBytes, int headers) {
    return Math.max(64, packetBytes - headers);
  }

  /**
   * Whether data may name the SID alone as its source. The peer knows the connection by its token;
   * what the full address is good for is that errors find their way back, and those are awaited
   * only until a packet of full size has arrived.
   */
  private boolean usesShortSource() {
    return packetSize.confirmed() >= packetSize.limit() && probes == 0;
  }

  long windowBytes() {
    return congestion.windowBytes();
  }

  boolean finAcked() {
    return finAcked;
  }

  /** Everything written, without the FIN, has arrived. */
  boolean allDataAcked() {
    return acked >= buffer.end();
  }

  long inFlight() {
    return inFlight;
  }

  long unansweredSinceNs() {
    return unansweredSinceNs;
  }

  /** Something authentic came from the peer. */
  void heard() {
    unansweredSinceNs = Alarm.NEVER;
  }

  void finish() {
    finQueued = true;
  }

  // Sending

  /** Sends what congestion window, pacing and the peer's window allow. */
  void pump() {
    if (pumping) {
      return;
    }
    pumping = true;
    paced = false;
    windowShut = false;
    try {
      long now = context.nowNs();
      while (!sent.isFull() && sendNext(now)) {
        // one packet per turn
      }
      if (!windowShut) {
        persistDueNs = Alarm.NEVER;
        persisted = 0;
      } else if (inFlight == 0 && persistDueNs == Alarm.NEVER) {
        persistDueNs = now + backoff(rtt.timeoutNs(peerAckDelayNs), persisted);
      }
    } finally {
      pumping = false;
    }
  }

  private boolean sendNext(long now) {
    long again = nextLost();
    long offset;
    int length;
    boolean fin;
    boolean shortSource = usesShortSource();
    int headers = shortSource ? shortHeaderBytes : headerBytes;
    int most = maxPayload(packetSize.limit(), headers);
    if (again >= 0) {
      offset = sent.offset(again);
      length = Math.min(sent.length(again), most);
      fin = sent.is(again, SentPackets.CARRIES_FIN) && length == sent.length(again);
    } else {
      offset = nextOffset;
      long available = buffer.end() - nextOffset;
      length = (int) Math.min(Math.min(available, peerLimit - nextOffset), most);
      if (available > 0 && (length <= 0 || (length < most && length < available && inFlight > 0))) {
        windowShut = true;
        return false;
      }
      fin = finQueued && !finSent && length == available;
      if (available == 0 && !fin) {
        if (inFlight < congestion.windowBytes()) {
          rate.onNothingToSend(inFlight);
        }
        return false;
      }
    }
    if (inFlight > 0 && inFlight + headers + length > congestion.windowBytes()) {
      return false;
    }
    if (!pacer.isReady(now)) {
      paced = true;
      return false;
    }
    if (again >= 0) {
      if (length == sent.length(again)) {
        lost.pop();
        sent.state(again, SentPackets.RESENT);
      } else {
        sent.shorten(again, length);
      }
      counters.retransmitted++;
    } else {
      nextOffset += length;
      finSent |= fin;
    }
    int flags = nearlyFull(headers + length) ? StreamHeader.FLAG_ACK_NOW : 0;
    if (again < 0 && fillsPeersWindow(most, headers + length)) {
      flags |= StreamHeader.FLAG_WINDOW_FULL;
    }
    transmit(now, offset, length, fin, flags, shortSource);
    return true;
  }

  /** A small window that is full now: waiting for a delayed acknowledgement would stop the flow. */
  private boolean nearlyFull(int packet) {
    long window = congestion.windowBytes();
    return window < 8L * packetSize.limit() && inFlight + 2L * packet > window;
  }

  /** Whether it is the peer's window, and nothing else, that the packet just cut has filled. */
  private boolean fillsPeersWindow(int most, int packet) {
    return peerLimit - nextOffset < most
        && buffer.end() - nextOffset >= most
        && inFlight + 2L * packet <= congestion.windowBytes();
  }

  /** The lost packet to send again next, −1 if there is none; drops what has settled meanwhile. */
  private long nextLost() {
    while (!lost.isEmpty()) {
      long number = lost.peek();
      if (sent.state(number) == SentPackets.LOST) {
        long done = acked - sent.offset(number);
        boolean finOpen = sent.is(number, SentPackets.CARRIES_FIN) && !finAcked;
        if (done < sent.length(number) || finOpen) {
          if (done > 0) {
            sent.shorten(number, (int) Math.min(done, sent.length(number)));
          }
          return number;
        }
        sent.state(number, SentPackets.ACKED);
      }
      lost.pop();
    }
    return -1;
  }

  private void transmit(
      long now, long offset, int length, boolean fin, int wireFlags, boolean shortSource) {
    int headers = shortSource ? shortHeaderBytes : headerBytes;
    ByteBuffer out =
        beginNumbered(fin ? StreamHeader.FIN : StreamHeader.DATA, offset, wireFlags, shortSource);
    connection.piggyback(header, now, packetSize.limit() - headers - length);
    header.endHeader();
    buffer.copyTo(offset, length, out);
    int flags = SentPackets.CARRIES_DATA | (fin ? SentPackets.CARRIES_FIN : 0);
    counters.bytesOut += length;
    finishNumbered(now, offset, length, flags, headers);
  }

  private ByteBuffer beginNumbered(int packet, long offset, int flags, boolean shortSource) {
    ByteBuffer out = shortSource ? connection.beginShort() : connection.begin();
    header.begin(out, packet).segment(connection.peerToken, sent.next(), offset, flags);
    return out;
  }

  private void finishNumbered(long now, long offset, int length, int flags, int headers) {
    int transport = header.seal();
    connection.send(transport);
    int bytes = headers - StreamHeader.DATA_HEADER_LENGTH + transport;
    boolean afterPause = inFlight == 0;
    if (afterPause) {
      rate.onSentFirst(now);
    }
    int marks = rate.isAppLimited() ? flags | SentPackets.APP_LIMITED : flags;
    sent.add(
        offset,
        length,
        bytes,
        marks,
        now,
        rate.delivered(),
        rate.deliveredNs(),
        rate.firstSentNs());
    inFlight += bytes;
    lastSentNs = now;
    if (unansweredSinceNs == Alarm.NEVER) {
      unansweredSinceNs = now;
    }
    pacer.sent(now, bytes, congestion.pacingRate(), afterPause);
    congestion.onSent(now, bytes, inFlight);
  }

  /** Sends a packet without data that must be answered. */
  void ping(long now) {
    if (!sent.isFull()) {
      beginNumbered(StreamHeader.DATA, nextOffset, StreamHeader.FLAG_ACK_NOW, false);
      connection.piggyback(header, now, StreamHeader.MAX_LENGTH);
      header.endHeader();
      finishNumbered(now, nextOffset, 0, 0, headerBytes);
    }
  }

  /** Sends an announcement of this end's new address; it is numbered like data. */
  void announce(long now, long sequence, int maxPacket, byte[] mac, Dag address) {
    if (sent.isFull()) {
      return;
    }
    ByteBuffer out =
        beginNumbered(StreamHeader.MIGRATE, nextOffset, StreamHeader.FLAG_ACK_NOW, false);
    header.migrate(sequence, maxPacket, mac);
    connection.piggyback(header, now, StreamHeader.MAX_LENGTH);
    header.endHeader();
    out.put(address.wireBytes());
    finishNumbered(now, nextOffset, 0, 0, headerBytes);
  }

  // Acknowledgements

  /** Takes the ACK entry of a packet; false if it claims what cannot be. */
  boolean onAck(StreamHeader ack, long now) {
    long largest = StreamHeader.expand(sent.next(), Integer.toUnsignedLong(ack.ackLargest()), 32);
    long next = StreamHeader.expand(acked, ack.ackNext(), 40);
    long finOffset = finSent ? buffer.end() : Long.MAX_VALUE;
    if (largest < 0
        || largest >= sent.next()
        || next < 0
        || next > (finSent ? finOffset + 1 : nextOffset)) {
      return false;
    }
    sample.clear();
    sample.nowNs = now;
    sample.priorInFlightBytes = inFlight;
    long newest = settle(ack, largest);
    if (newest == -2) {
      return false;
    }
    if (next > acked) {
      acked = next;
      buffer.release(Math.min(next, finOffset));
      finAcked |= finSent && next == finOffset + 1;
    }
    peerLimit = Math.max(peerLimit, next + ack.ackCredit());
    if (newest >= 0) {
      measure(newest, newest == largest ? ack.ackDelayNs() : -1, now);
    }
    largestAcked = Math.max(largestAcked, largest);
    long lostBefore = sample.lostBytes;
    detectLosses(now);
    if (sample.ackedBytes > 0 || sample.lostBytes > lostBefore) {
      sample.inFlightBytes = inFlight;
      sample.deliveredBytes = rate.delivered();
      congestion.onAck(sample);
    }
    if (sample.ackedBytes > 0) {
      probes = 0;
    }
    sent.advance(now - Math.max(HISTORY_NS, 2 * rtt.smoothedNs()));
    return true;
  }

  /** Marks the numbers acknowledged; the newest one that is news, −1 if none, −2 if malformed. */
  private long settle(StreamHeader ack, long largest) {
    long floor = sent.oldest();
    long low = largest - ack.ackFirst();
    long newest = settle(Math.max(low, floor), largest);
    for (int i = 0; i < ack.ackRanges() && low > floor; i++) {
      int gap = ack.ackGap(i);
      if (gap == 0) {
        return -2;
      }
      long high = low - gap - 1;
      low = high - ack.ackMore(i);
      newest = Math.max(newest, settle(Math.max(low, floor), high));
    }
    return newest;
  }

  private long settle(long low, long high) {
    long newest = -1;
    // Below `first` only late arrivals of what was sent again are of interest; the common case, no
    // such packets, ends at `first`.
    long stop = sent.resentKept() > 0 ? low : Math.max(low, sent.first());
    for (long n = high; n >= stop; n--) {
      byte state = sent.state(n);
      if (state == SentPackets.IN_FLIGHT) {
        arrived(n);
        newest = Math.max(newest, n);
      } else if (state == SentPackets.LOST || state == SentPackets.RESENT) {
        lateArrival(n);
      }
    }
    return newest;
  }

  private void arrived(long n) {
    int bytes = sent.bytes(n);
    sent.state(n, SentPackets.ACKED);
    inFlight -= bytes;
    rate.onDelivered(bytes);
    sample.ackedBytes += bytes;
    packetSize.arrived(bytes);
  }

  /** A packet given up for lost has arrived after all: the path reorders more than was thought. */
  private void lateArrival(long n) {
    sent.state(n, SentPackets.ACKED);
    counters.spurious++;
    packetSize.arrived(sent.bytes(n));
    rate.onDelivered(sent.bytes(n));
    reorders = true;
    reordering.widen();
    epochSpurious++;
    if (epochSpurious == epochLost) {
      congestion.onSpuriousLoss(context.nowNs());
    }
  }

  private void measure(long newest, long delayNs, long now) {
    long sentNs = sent.sentNs(newest);
    if (sentNs >= rackSentNs) {
      rackSentNs = sentNs;
      rackRttNs = now - sentNs;
    }
    if (delayNs >= 0) {
      long raw = now - sentNs;
      long allowed = Math.min(delayNs, 4 * peerAckDelayNs);
      long rttNs = raw - allowed >= rtt.minNs() ? raw - allowed : raw;
      sample.rttNs = rtt.sample(now, rttNs);
    }
    rate.sample(
        sample,
        now,
        sentNs,
        sent.delivered(newest),
        sent.deliveredNs(newest),
        sent.firstSentNs(newest),
        sent.is(newest, SentPackets.APP_LIMITED),
        rtt.minNs());
  }

  // Losses

  /**
   * Gives up what should have arrived by now; sets {@link #lossDueNs} for what is still awaited.
   */
  void detectLosses(long now) {
    lossDueNs = Alarm.NEVER;
    if (largestAcked < 0) {
      return;
    }
    long lostBytes = 0;
    int lostPackets = 0;
    long newestLostNs = Long.MIN_VALUE;
    long patience = rackRttNs + reordering.ns(rtt.minNs(), rtt.smoothedNs(), 1);
    for (long n = Math.max(scanned, sent.first()); n < largestAcked; n++) {
      if (sent.state(n) == SentPackets.IN_FLIGHT) {
        if (alreadyThere(n)) {
          arrived(n);
        } else {
          long dueNs = sent.sentNs(n) + patience;
          boolean overtaken = !reorders && largestAcked - n >= REORDER_THRESHOLD;
          if (sent.sentNs(n) > rackSentNs) {
            break; // nothing measured since then: the probe timer is what is left
          }
          if (dueNs > now && !overtaken) {
            lossDueNs = dueNs;
            break;
          }
          newestLostNs = Math.max(newestLostNs, sent.sentNs(n));
          lostBytes += giveUp(n);
          lostPackets++;
        }
      }
      scanned = n + 1;
    }
    if (lostBytes > 0) {
      sample.lostBytes += lostBytes;
      noteEpoch(now, lostPackets, newestLostNs);
      congestion.onLoss(now, lostBytes, inFlight, newestLostNs);
    }
  }

  /** Whether the peer has these bytes already, from this or another sending of them. */
  private boolean alreadyThere(long n) {
    if (!sent.is(n, SentPackets.CARRIES_DATA)) {
      return false;
    }
    long end = sent.offset(n) + sent.length(n);
    return sent.is(n, SentPackets.CARRIES_FIN) ? finAcked : end <= acked;
  }

  /**
   * Losses of packets sent before the last reaction belong to it. If every loss of one reaction
   * turns out to have been a late arrival, the reaction was a mistake.
   */
  private void noteEpoch(long now, int lostPackets, long newestLostNs) {
    if (newestLostNs > epochStartNs) {
      epochStartNs = now;
      epochLost = 0;
      epochSpurious = 0;
      reordering.calm();
    }
    epochLost += lostPackets;
  }

  private long giveUp(long n) {
    int bytes = sent.bytes(n);
    inFlight -= bytes;
    counters.lost++;
    if (sent.is(n, SentPackets.CARRIES_DATA)) {
      sent.state(n, SentPackets.LOST);
      lost.add(n, sent.offset(n));
    } else {
      sent.state(n, SentPackets.RESENT);
    }
    if (packetSize.lost(bytes)) {
      counters.shrunkPackets++;
      congestion.onSegmentSize(packetSize.limit());
    }
    return bytes;
  }

  private void giveUpAllBefore(long number) {
    for (long n = sent.first(); n < number; n++) {
      if (sent.state(n) == SentPackets.IN_FLIGHT) {
        if (alreadyThere(n)) {
          arrived(n);
        } else {
          giveUp(n);
        }
      }
    }
    scanned = Math.max(scanned, number);
    lossDueNs = Alarm.NEVER;
  }

  // Time

  private long backoff(long intervalNs, int steps) {
    return Math.min(intervalNs << Math.min(steps, 20), Math.max(intervalNs, maxBackoffNs));
  }

  private long probeDueNs() {
    if (inFlight == 0) {
      return Alarm.NEVER;
    }
    return lastSentNs + backoff(rtt.timeoutNs(peerAckDelayNs), probes);
  }

  /** When {@link #onTime} wants to be called. */
  long deadlineNs() {
    long due = Math.min(Math.min(lossDueNs, probeDueNs()), persistDueNs);
    return paced ? Math.min(due, pacer.resumeNs(rtt.minNs())) : due;
  }

  /** Does what is due. */
  void onTime(long now) {
    if (lossDueNs <= now) {
      sample.clear();
      detectLosses(now);
    }
    if (persistDueNs <= now) {
      persistDueNs = Alarm.NEVER;
      persisted++;
      ping(now);
    } else if (probeDueNs() <= now) {
      onSilence(now);
    }
    pump();
  }

  private void onSilence(long now) {
    counters.timeouts++;
    probes++;
    if (probes <= PROBES) {
      probe(now);
      return;
    }
    giveUpAllBefore(sent.next());
    packetSize.doubt();
    epochStartNs = now;
    epochLost = 0;
    epochSpurious = 0;
    congestion.onTimeout(now);
    pacer.reset();
    if (lost.isEmpty()) {
      ping(now);
    }
  }

  /** Sends the oldest data in flight once more, small enough to pass if large packets do not. */
  private void probe(long now) {
    if (sent.isFull()) {
      return;
    }
    int most = maxPayload(packetSize.safe(), headerBytes);
    for (long n = sent.first(); n < sent.next(); n++) {
      if (sent.state(n) == SentPackets.IN_FLIGHT
          && sent.is(n, SentPackets.CARRIES_DATA)
          && !alreadyThere(n)) {
        int length = sent.length(n);
        long offset = sent.offset(n);
        int done = (int) Math.max(0, Math.min(length, acked - offset));
        int piece = Math.min(length - done, most);
        boolean fin = sent.is(n, SentPackets.CARRIES_FIN) && piece == length - done;
        counters.retransmitted++;
        transmit(now, offset + done, piece, fin, StreamHeader.FLAG_ACK_NOW, false);
        return;
      }
    }
    ping(now);
  }

  // Paths

  /**
   * The peer is elsewhere: what was in flight went to its old place, so all of it is sent again.
   */
  void peerMoved(long now, int linkLimit) {
    giveUpAllBefore(sent.next());
    pathChanged(now, linkLimit);
  }

  /** The path is another one; what is in flight may still arrive. */
  void pathChanged(long now, int linkLimit) {
    addressesChanged();
    rtt.pathChanged();
    packetSize.pathChanged(linkLimit);
    congestion.onSegmentSize(packetSize.limit());
    congestion.onPathChange(now);
    pacer.reset();
    probes = 0;
    epochStartNs = now;
    rackSentNs = Long.MIN_VALUE;
  }

  /** The peer knows this end's new address: of what was sent before, nothing more is on its way. */
  void moveConfirmed(long firstNumberAfterMove) {
    giveUpAllBefore(firstNumberAfterMove);
  }

  long nextNumber() {
    return sent.next();
  }

  void packetTooBig(int bytes) {
    if (packetSize.hint(bytes)) {
      counters.shrunkPackets++;
      congestion.onSegmentSize(packetSize.limit());
      giveUpAllBefore(sent.next());
      pump();
    }
  }
}
