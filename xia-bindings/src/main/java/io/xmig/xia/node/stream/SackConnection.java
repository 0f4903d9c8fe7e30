package io.xmig.xia.node.stream;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a peer of our own kind.
 *
 * <pre>
 *   server: SYN ─▶ HALF_OPEN ── any packet with our token ─▶ OPEN
 *   client: SYNACK ─▶ OPEN
 *   OPEN ── both FINs delivered and acknowledged ─▶ TIME_WAIT ── time ─▶ GONE
 *   OPEN ── RST, silence, abort ─▶ TOMBSTONE (answers with RST) ── time ─▶ GONE
 * </pre>
 *
 * <p>Half-close is not a state: each direction ends with its own FIN.
 */
final class SackConnection extends Connection {
  /** How long a half-open connection waits for the client's first packet. */
  static final long HALF_OPEN_NS = 10_000_000_000L;

  private static final int PACKETS_PER_ACK = 2;
  private static final int PACKETS_PER_ACK_IN_BULK = 4;
  private static final int BULK_PACKETS = 64;
  private static final int PIGGYBACK_RANGES = 4;
  private static final long ANSWERS_BUT_GONE_NS = 5_000_000_000L;
  private static final long FIRST_MOVE_RETRY_NS = 50_000_000L;

  private enum State {
    HALF_OPEN,
    OPEN,
    TIME_WAIT,
    TOMBSTONE,
    GONE
  }

  final long token;
  final long peerToken;
  final boolean client;

  /** What a server put into the key; repeated in each SYNACK. */
  byte[] ownShare = new byte[StreamHeader.SHARE_LENGTH];

  private final int peerMaxPacket;
  private final AddressProof proof;
  private final Dag shortLocal;
  private final Sender sender;
  private final Alarm alarm;
  private final AckRanges received = new AckRanges();
  private final StreamCounters counters;
  private State state;

  // Receiving
  private long advertised;
  private int unackedPackets;
  private boolean ackNow;
  private long ackDueNs = Alarm.NEVER;
  private long largestHeardNs;
  private long packetsReceived;
  private long finOffset = -1;
  private boolean inputComplete;
  private long growthOffset;

  // Life
  private long grantedNs; // when the last SYNACK was sent
  private long lastHeardNs;
  private long stateDueNs = Alarm.NEVER;
  private boolean handling;
  private boolean windowFilled;

  // Mobility
  private long moveSequence;
  private boolean moving;
  private long moveDueNs = Alarm.NEVER;
  private int moveTries;
  private long firstNumberAfterMove;
  private long peerMoveSequence;
  private int peerMaxPacketNow;
  private @Nullable Dag alternative;

  SackConnection(
      Endpoint endpoint,
      Dag local,
      Dag remote,
      boolean client,
      long token,
      long peerToken,
      long peerWindow,
      int peerMaxPacket,
      AddressProof proof) {
    super(endpoint, local, remote);
    this.client = client;
    this.token = token;
    this.peerToken = peerToken;
    this.peerMaxPacket = peerMaxPacket;
    this.peerMaxPacketNow = peerMaxPacket;
    this.proof = proof;
    this.counters = transport.counters;
    this.shortLocal = Dag.path(endpoint.sid);
    this.sender = new Sender(this, out, peerWindow, linkLimit());
    this.alarm = new Alarm(context, this::onAlarm);
    this.advertised = in.limit();
    this.lastHeardNs = context.nowNs();
    this.grantedNs = lastHeardNs;
    this.state = client ? State.OPEN : State.HALF_OPEN;
    if (!client) {
      stateDueNs = lastHeardNs + HALF_OPEN_NS;
    }
    setAlarm();
  }

  private int linkLimit() {
    return Math.min(peerMaxPacketNow, context.maxPacketBytes(remote));
  }

  boolean isHalfOpen() {
    return state == State.HALF_OPEN;
  }

  /** The client's SYN came again: the answer must go where it is now. */
  void synAgain(Dag source) {
    if (state == State.HALF_OPEN) {
      remote = source;
      grantedNs = context.nowNs();
      sender.pathChanged(grantedNs, linkLimit());
    }
  }

  /**
   * The client confirms with a packet that must be answered, which also measures the round trip.
   *
   * @param moved whether the host moved meanwhile: the server may have taken an older request last
   */
  void confirm(boolean moved) {
    if (moved) {
      startAnnouncing(context.nowNs());
    } else {
      sender.ping(context.nowNs());
    }
    setAlarm();
  }

  // Packets

  /** One packet whose token and checksum are right. */
  void packet(PacketView view, StreamHeader header) {
    long now = context.nowNs();
    counters.packetsIn++;
    lastHeardNs = now;
    sender.heard();
    if (state == State.TOMBSTONE || state == State.GONE) {
      if (header.packet() != StreamHeader.RST) {
        sendReset(Reset.UNKNOWN);
      }
      return;
    }
    handling = true;
    try {
      if (state == State.HALF_OPEN && header.packet() != StreamHeader.RST) {
        open();
      }
      handle(view, header, now);
    } finally {
      handling = false;
    }
    settleAfterEvent();
  }

  private void open() {
    state = State.OPEN;
    stateDueNs = Alarm.NEVER;
    sender.rtt.sample(lastHeardNs, lastHeardNs - grantedNs);
    endpoint.leftHalfOpen();
    endpoint.established(this);
  }

  private void handle(PacketView view, StreamHeader header, long now) {
    if (state == State.GONE || state == State.TOMBSTONE) {
      return; // the acceptor dropped it
    }
    if (header.hasAck() && !sender.onAck(header, now)) {
      counters.invalid++;
      return;
    }
    switch (header.packet()) {
      case StreamHeader.DATA:
      case StreamHeader.FIN:
        onSegment(view, header, now);
        break;
      case StreamHeader.MIGRATE:
        onMigrate(view, header, now);
        break;
      case StreamHeader.MIGRATEACK:
        onMoved(header, now);
        break;
      case StreamHeader.RST:
        onReset(header.hasReset() ? header.resetReason() : Reset.ABORTED);
        break;
      default:
        break; // ACK: done
    }
  }

  /** What follows every event: tell the application, send what may be sent, acknowledge. */
  private void settleAfterEvent() {
    if (!handling) {
      handling = true;
      try {
        if (state == State.OPEN || state == State.TIME_WAIT) {
          tellReadable();
          if (windowFilled) {
            windowFilled = false;
            grow();
          }
          tellWritable();
        }
      } finally {
        handling = false;
      }
    }
    if (state == State.OPEN || state == State.HALF_OPEN) {
      sender.pump();
    }
    if (ackNow && (state == State.OPEN || state == State.TIME_WAIT)) {
      sendAck(context.nowNs());
    }
    checkExchange();
    setAlarm();
  }

  private void onSegment(PacketView view, StreamHeader header, long now) {
    if (!header.hasSegment()) {
      counters.malformed++;
      return;
    }
    int length = header.payloadLength();
    long offset = StreamHeader.expand(in.next(), header.segmentOffset(), 40);
    boolean fin = header.packet() == StreamHeader.FIN;
    if (offset < 0
        || (fin && finOffset >= 0 && offset + length != finOffset)
        || (finOffset >= 0 && offset + length > finOffset)
        || (fin && finOffset < 0 && offset + length < in.next())) {
      counters.invalid++;
      return;
    }
    boolean hadGaps = in.hasGaps();
    if (length > 0) {
      ReceiveBuffer.Outcome outcome = in.put(offset, view.buffer(), header.payloadOffset(), length);
      if (outcome == ReceiveBuffer.Outcome.REFUSED) {
        counters.beyondWindow++;
        ackNow = received.count() > 0; // the window as it is now may be news to the peer
        return;
      }
      if (outcome == ReceiveBuffer.Outcome.DUPLICATE) {
        counters.duplicates++;
      } else {
        counters.bytesIn += length;
      }
    }
    if (fin && finOffset < 0) {
      finOffset = offset + length;
    }
    countPacket(header, now, hadGaps || in.hasGaps() || fin);
    windowFilled |= (header.segmentFlags() & StreamHeader.FLAG_WINDOW_FULL) != 0;
    inputComplete |= finOffset >= 0 && in.next() == finOffset;
    if (discards) {
      in.discard();
    }
  }

  /** Notes the number of a packet that must be acknowledged. */
  private void countPacket(StreamHeader header, long now, boolean urgent) {
    long number =
        StreamHeader.expand(
            Math.max(0, received.largest() + 1),
            Integer.toUnsignedLong(header.segmentNumber()),
            32);
    long before = received.largest();
    boolean news = received.add(number);
    if (number > before) {
      largestHeardNs = now;
    }
    packetsReceived++;
    unackedPackets++;
    boolean inTurn = number == before + 1;
    int perAck = packetsReceived > BULK_PACKETS ? PACKETS_PER_ACK_IN_BULK : PACKETS_PER_ACK;
    if (urgent
        || !news
        || !inTurn
        || unackedPackets >= perAck
        || (header.segmentFlags() & StreamHeader.FLAG_ACK_NOW) != 0) {
      ackNow = true;
    } else if (ackDueNs == Alarm.NEVER) {
      ackDueNs = now + transport.options.maxAckDelayNs();
    }
  }

  // Acknowledging

  /** Puts the pending acknowledgement on a packet that goes out anyway, if it fits. */
  void piggyback(StreamHeader header, long now, int room) {
    int ranges = Math.min(PIGGYBACK_RANGES, received.count());
    int needed =
        (2 + StreamHeader.ACK_FIXED_LENGTH + ranges * StreamHeader.ACK_RANGE_LENGTH + 3) & ~3;
    if (unackedPackets > 0 && received.count() <= PIGGYBACK_RANGES && room >= needed) {
      putAck(header, now, PIGGYBACK_RANGES);
    }
  }

  private void putAck(StreamHeader header, long now, int ranges) {
    long next = inputComplete ? finOffset + 1 : in.next();
    long limit = Math.max(advertised, in.limit());
    header.ack(received, ranges, now - largestHeardNs, next, Math.max(0, limit - next));
    advertised = limit;
    unackedPackets = 0;
    ackNow = false;
    ackDueNs = Alarm.NEVER;
  }

  private void sendAck(long now) {
    if (received.count() == 0) {
      ackNow = false;
      return;
    }
    ByteBuffer packet = begin();
    StreamHeader header = transport.writer.begin(packet, StreamHeader.ACK).control(peerToken);
    putAck(header, now, AckRanges.MAX_RANGES);
    header.endHeader();
    send(header.seal());
  }

  @Override
  void hasRead() {
    if (state != State.OPEN) {
      return;
    }
    if (in.limit() - advertised >= in.capacity() / 8 && received.count() > 0) {
      ackNow = true;
      if (!handling) {
        sendAck(context.nowNs());
        setAlarm();
      }
    }
  }

  /**
   * The peer says that the window holds it back. If the reader keeps up, the window is too small
   * for the path: it is doubled, once for each time it was filled.
   */
  private void grow() {
    if (in.next() - growthOffset >= in.capacity() / 2 && in.readable() <= in.capacity() / 4) {
      growthOffset = in.next();
      if (in.grow()) {
        ackNow = true;
      }
    }
  }

  // Packets out

  /** Begins a packet to the peer. */
  ByteBuffer begin() {
    return context.begin(remote, local, StreamHeader.NEXT_HEADER, StreamHeader.HOP_LIMIT);
  }

  /** Begins a packet to the peer that names only the SID as its source. */
  ByteBuffer beginShort() {
    return context.begin(remote, shortLocal, StreamHeader.NEXT_HEADER, StreamHeader.HOP_LIMIT);
  }

  /** Sends the packet begun last. */
  void send(int transportLength) {
    counters.packetsOut++;
    if (!context.send(transportLength)) {
      counters.noRoute++;
    }
  }

  @Override
  void pump() {
    if (state != State.OPEN) {
      return;
    }
    if (outputClosed) {
      sender.finish();
    }
    if (!handling) {
      sender.pump();
      setAlarm();
    }
  }

  @Override
  void sendReset(int reason) {
    transport.sendReset(remote, local, peerToken, reason, peerToken);
  }

  // Ending

  @Override
  boolean inputComplete() {
    return inputComplete;
  }

  @Override
  long windowBytes() {
    return sender.windowBytes();
  }

  @Override
  boolean exchangeComplete() {
    return inputComplete && sender.finAcked();
  }

  @Override
  void closing() {
    stateDueNs = Math.min(stateDueNs, context.nowNs() + transport.options.lingerNs());
    setAlarm();
  }

  private void checkExchange() {
    if (state == State.OPEN && exchangeComplete()) {
      linger(State.TIME_WAIT);
      maybeDone();
    }
  }

  /** Stays for a while only to answer what still comes. */
  private void linger(State as) {
    if (state == State.HALF_OPEN) {
      endpoint.leftHalfOpen();
    }
    state = as;
    stateDueNs = context.nowNs() + 3 * transport.options.maxBackoffNs();
    if (as == State.TOMBSTONE) {
      moveDueNs = Alarm.NEVER;
    }
    if (!transport.retire(this)) {
      forget();
    }
  }

  @Override
  void released() {
    if (state == State.OPEN || state == State.HALF_OPEN) {
      linger(exchangeComplete() ? State.TIME_WAIT : State.TOMBSTONE);
    }
    setAlarm();
  }

  private void onReset(int reason) {
    counters.resetsIn++;
    boolean onlyFinOpen = reason == Reset.UNKNOWN && inputComplete && sender.allDataAcked();
    if (state == State.TIME_WAIT) {
      return;
    }
    if (onlyFinOpen || (discards && reason == Reset.LINGERED && sender.allDataAcked())) {
      end(null);
      return;
    }
    end(new XiaSocketException(Reset.kind(reason), Reset.text(reason), facts()));
  }

  private void fail(Kind kind, String what, int reason) {
    sendReset(reason);
    end(new XiaSocketException(kind, what, facts()));
  }

  private void forget() {
    if (state == State.HALF_OPEN) {
      end(null); // nobody was told of it
    }
    if (state != State.GONE) {
      state = State.GONE;
      alarm.cancel();
      transport.forget(this);
    }
  }

  /**
   * Ends without a word to the peer: the node is going away, or the listener of a half-open one.
   */
  void drop() {
    if (!isOver()) {
      end(new XiaSocketException(Kind.CLOSED, "the stream transport was closed", facts()));
    }
    forget();
  }

  // Time

  private void setAlarm() {
    if (state == State.GONE) {
      return;
    }
    long due = stateDueNs;
    if (state == State.OPEN || state == State.TIME_WAIT) {
      due = Math.min(due, ackDueNs);
    }
    if (state == State.HALF_OPEN || state == State.TIME_WAIT) {
      due = Math.min(due, moveDueNs);
    }
    if (state == State.OPEN) {
      due = Math.min(due, Math.min(sender.deadlineNs(), moveDueNs));
      StreamOptions options = transport.options;
      long unanswered = sender.unansweredSinceNs();
      due =
          Math.min(
              due,
              unanswered == Alarm.NEVER
                  ? lastHeardNs + options.keepAliveNs()
                  : unanswered + options.deadPeerNs());
    }
    alarm.at(due);
  }

  private void onAlarm() {
    long now = context.nowNs();
    if (stateDueNs <= now && state != State.OPEN) {
      forget();
      return;
    }
    if (ackDueNs <= now) {
      ackNow = true;
    }
    if (state == State.OPEN) {
      onOpenAlarm(now);
    } else if ((state == State.HALF_OPEN || state == State.TIME_WAIT) && moveDueNs <= now) {
      announceMove(now);
    }
    settleAfterEvent();
  }

  private void onOpenAlarm(long now) {
    StreamOptions options = transport.options;
    long unanswered = sender.unansweredSinceNs();
    if (unanswered != Alarm.NEVER && now - unanswered >= options.deadPeerNs()) {
      fail(Kind.TIMED_OUT, "the peer has been silent for too long", Reset.TIMED_OUT);
      return;
    }
    if (stateDueNs <= now) {
      onLinger(now);
      if (isOver()) {
        return;
      }
    }
    if (moveDueNs <= now) {
      announceMove(now);
    }
    if (now - lastHeardNs >= options.keepAliveNs() && unanswered == Alarm.NEVER) {
      sender.ping(now);
    }
    if (sender.deadlineNs() <= now) {
      sender.onTime(now);
    }
  }

  /** Closed for long: what was written has arrived, but the peer does not finish. */
  private void onLinger(long now) {
    if (sender.finAcked()) {
      sendReset(Reset.LINGERED);
      end(null);
    } else {
      stateDueNs = now + transport.options.lingerNs();
    }
  }

  /**
   * The peer's host says that it does not know the service; only believed when nothing else comes.
   */
  void unreachable(boolean fromHost) {
    long since = sender.unansweredSinceNs();
    if (state == State.OPEN
        && fromHost
        && since != Alarm.NEVER
        && context.nowNs() - since >= ANSWERS_BUT_GONE_NS) {
      fail(Kind.RESET, "the peer's host no longer knows this stream's service", Reset.UNKNOWN);
    }
  }

  void packetTooBig(int bytes) {
    if (state == State.OPEN) {
      sender.packetTooBig(bytes);
      setAlarm();
    }
  }

  // Mobility

  /** This host has a new address: say so at once. */
  void hostMoved(Dag newLocal) {
    if (newLocal.equals(local)) {
      return;
    }
    local = newLocal;
    // A half-open connection may be open to the client already, so it says so as well.
    if (state == State.OPEN || state == State.HALF_OPEN) {
      long now = context.nowNs();
      firstNumberAfterMove = sender.nextNumber();
      sender.pathChanged(now, linkLimit());
      startAnnouncing(now);
      tellAddressChange();
      settleAfterEvent();
    } else if (state == State.TIME_WAIT) {
      // The peer may have missed the last acknowledgement and asks for it at the old address.
      long now = context.nowNs();
      stateDueNs = now + 3 * transport.options.maxBackoffNs();
      firstNumberAfterMove = sender.nextNumber();
      startAnnouncing(now);
      setAlarm();
    }
  }

  /** Somebody who should know says that the peer's host is elsewhere; the peer must confirm it. */
  void tryRemote(Dag newRemote) {
    if (state == State.OPEN && !newRemote.equals(remote)) {
      alternative = newRemote;
      startAnnouncing(context.nowNs());
      settleAfterEvent();
    }
  }

  private void startAnnouncing(long now) {
    moveSequence++;
    moving = true;
    moveTries = 0;
    counters.migrationsOut++;
    announceMove(now);
  }

  private void announceMove(long now) {
    if (!moving) {
      moveDueNs = Alarm.NEVER;
      return;
    }
    int maxPacket = context.maxPacketBytes(remote);
    byte[] mac = proof.mac(true, false, moveSequence, maxPacket, local.wireBytes());
    sender.announce(now, moveSequence, maxPacket, mac, local);
    Dag other = alternative;
    if (other != null) {
      // Also where the peer may be: whoever holds the key there answers, nobody else can.
      Dag known = remote;
      remote = other;
      sender.addressesChanged();
      sender.announce(now, moveSequence, maxPacket, mac, local);
      remote = known;
      sender.addressesChanged();
    }
    long pause = FIRST_MOVE_RETRY_NS << Math.min(moveTries, 10);
    moveDueNs =
        now + Math.min(pause, Math.max(FIRST_MOVE_RETRY_NS, transport.options.maxBackoffNs()));
    moveTries++;
  }

  private void onMigrate(PacketView view, StreamHeader header, long now) {
    Dag address =
        header.hasMigrate() && header.hasSegment() && header.payloadLength() % Dag.NODE_LENGTH == 0
            ? Dag.tryRead(
                view.buffer(), header.payloadOffset(), header.payloadLength() / Dag.NODE_LENGTH)
            : null;
    if (address == null || !address.intent().equals(remote.intent())) {
      counters.migrationsRejected++;
      return;
    }
    long sequence = header.migrateSequence();
    int maxPacket = header.migrateMaxPacket();
    if (sequence < peerMoveSequence
        || !proof.isFromPeer(
            header.migrateMac(), false, sequence, maxPacket, address.wireBytes())) {
      counters.migrationsRejected++;
      return;
    }
    countPacket(header, now, true);
    if (sequence > peerMoveSequence) {
      peerMoveSequence = sequence;
      counters.migrationsIn++;
      boolean changed = !address.equals(remote);
      remote = address;
      alternative = null;
      peerMaxPacketNow = Math.min(peerMaxPacket, Math.max(PacketSize.FLOOR, maxPacket));
      if (changed) {
        sender.peerMoved(now, linkLimit());
        tellAddressChange();
      }
      if (moving) {
        moveTries = 0;
        announceMove(now); // both have moved: now it is known where to say so
      }
    }
    ByteBuffer packet = begin();
    StreamHeader answer =
        transport
            .writer
            .begin(packet, StreamHeader.MIGRATEACK)
            .control(peerToken)
            .moved(sequence, proof.mac(true, true, sequence, 0, new byte[0]));
    putAck(answer, now, AckRanges.MAX_RANGES);
    answer.endHeader();
    send(answer.seal());
  }

  private void onMoved(StreamHeader header, long now) {
    if (!moving
        || !header.hasMoved()
        || header.movedSequence() != moveSequence
        || !proof.isFromPeer(header.movedMac(), true, moveSequence, 0, new byte[0])) {
      return;
    }
    moving = false;
    moveDueNs = Alarm.NEVER;
    alternative = null;
    sender.moveConfirmed(firstNumberAfterMove);
  }
}
