package io.xmig.xia.node.stream;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import io.xmig.xia.wire.TransportFlyweight;
import java.nio.ByteBuffer;

/**
 * A connection to a peer that speaks v1.1: packets numbered from 0, one acknowledgement for each,
 * go-back-N. Its packets are v1.1's to the byte; only when they are sent is decided better.
 *
 * <p>What v1.1 cannot do stays undone: there is no checksum, the peer learns of no close, and what
 * does not fit into the receive buffer is dropped unacknowledged until the peer sends it again.
 *
 * @source docs/wire.md section 5; docs/behaviour.md sections 1 and 3
 */
final class LegacyConnection extends Connection {
  /** v1.1 keeps 100 packets in a ring and overwrites older ones; we stay well below. */
  static final int MAX_OUTSTANDING = 64;

  /** Largest payload; what v1.1's 1500-byte links carry with four-node addresses. */
  static final int MAX_PAYLOAD = 1300;

  static final long RETRANSMIT_NS = 300_000_000L;
  private static final long MAX_RETRANSMIT_NS = 2_400_000_000L;
  private static final int MIN_WINDOW = 4;
  private static final int FIRST_WINDOW = 16;
  private static final int DUPLICATES_TO_RESEND = 3;
  private static final int RECORDS = 128;

  private final Alarm alarm;
  private final StreamCounters counters;
  private final long[] offset = new long[RECORDS];
  private final int[] length = new int[RECORDS];

  private long base; // oldest packet not acknowledged
  private long next; // number of the next new packet
  private long nextOffset;
  private int window = FIRST_WINDOW;
  private int ackedInWindow;
  private int duplicates;
  private long resentBase = -1;
  private long retransmitNs = RETRANSMIT_NS;
  private long retransmitDueNs = Alarm.NEVER;
  private long silentSinceNs = Alarm.NEVER;
  private long unheardDueNs;

  private long expected;
  private Dag peerNameForUs;
  private boolean heard;
  private boolean handling;
  private boolean gone;

  LegacyConnection(Endpoint endpoint, Dag local, Dag remote) {
    super(endpoint, local, remote);
    this.peerNameForUs = local;
    this.counters = transport.counters;
    this.alarm = new Alarm(context, this::onAlarm);
    this.unheardDueNs = context.nowNs() + transport.options.deadPeerNs();
    setAlarm();
  }

  boolean wasHeard() {
    return heard;
  }

  /** Answers a SYN. Never sent otherwise: an unexpected one kills a v1.1 node. */
  void grant() {
    ByteBuffer packet = begin(peerNameForUs);
    transport.writer.beginPrototype(packet, StreamHeader.SYNACK, 0, 0).endHeader();
    packet.put(StreamHeader.CONNECTION_GRANTED);
    transport.send(transport.writer.seal());
  }

  /** The same SYN again: v1.1 would queue a second connection, we repeat the answer. */
  void synAgain(PacketView view) {
    learnAddress(view);
    peerNameForUs = view.destination();
    grant();
  }

  private ByteBuffer begin(Dag source) {
    return context.begin(remote, source, StreamHeader.NEXT_HEADER, StreamHeader.HOP_LIMIT);
  }

  // Packets in

  void packet(PacketView view, StreamHeader header) {
    if (isOver()) {
      return;
    }
    counters.packetsIn++;
    if (header.packet() != StreamHeader.DATA && header.packet() != StreamHeader.ACK) {
      return; // v1.1 defines FIN and never sends it
    }
    if (!learnAddress(view)) {
      counters.invalid++;
      return;
    }
    heard = true;
    unheardDueNs = Alarm.NEVER;
    if (header.packet() == StreamHeader.DATA) {
      onData(view, header);
    } else {
      onAck(header);
    }
    afterEvent();
  }

  void afterEvent() {
    handling = true;
    try {
      tellReadable();
      tellWritable();
    } finally {
      handling = false;
    }
    pump();
  }

  /**
   * v1.1 announces a move by sending from elsewhere. Anybody could; so much can be asked that the
   * host is the same.
   */
  private boolean learnAddress(PacketView view) {
    Dag source = view.source();
    if (source.equals(remote)) {
      return true;
    }
    Xid host = source.host();
    Xid known = remote.host();
    if (host == null ? known != null : !host.equals(known)) {
      return false;
    }
    remote = source;
    if (heard) {
      tellAddressChange();
    }
    return true;
  }

  private void onData(PacketView view, StreamHeader header) {
    long number = StreamHeader.expand(expected, Integer.toUnsignedLong(header.sequence()), 32);
    int size = header.payloadLength();
    peerNameForUs = view.destination();
    if (number == expected) {
      ReceiveBuffer.Outcome outcome =
          size == 0
              ? ReceiveBuffer.Outcome.IN_ORDER
              : in.put(in.next(), view.buffer(), header.payloadOffset(), size);
      if (outcome == ReceiveBuffer.Outcome.IN_ORDER) {
        expected++;
        counters.bytesIn += size;
        if (discards) {
          in.discard();
        }
      } else {
        counters.beyondWindow++;
      }
    } else {
      counters.duplicates++;
    }
    sendAck(peerNameForUs);
  }

  private void sendAck(Dag source) {
    ByteBuffer packet = begin(source);
    transport.writer.beginPrototype(packet, StreamHeader.ACK, 0, (int) expected).endHeader();
    packet.put(StreamHeader.CUMULATIVE_ACK);
    transport.send(transport.writer.seal());
  }

  private void onAck(StreamHeader header) {
    long ack = StreamHeader.expand(base, Integer.toUnsignedLong(header.acknowledgement()), 32);
    if (ack > next || ack < base) {
      counters.invalid++;
      return;
    }
    long now = context.nowNs();
    silentSinceNs = base == next ? Alarm.NEVER : now;
    if (ack == base) {
      if (base < next && ++duplicates == DUPLICATES_TO_RESEND && resentBase < base) {
        goBack();
      }
      return;
    }
    int last = (int) (ack - 1) & (RECORDS - 1);
    out.release(offset[last] + length[last]);
    grow((int) (ack - base));
    base = ack;
    duplicates = 0;
    retransmitNs = RETRANSMIT_NS;
    retransmitDueNs = base == next ? Alarm.NEVER : now + retransmitNs;
    if (base == next) {
      silentSinceNs = Alarm.NEVER;
    }
  }

  private void grow(int packets) {
    ackedInWindow += packets;
    if (ackedInWindow >= window) {
      ackedInWindow = 0;
      window = Math.min(MAX_OUTSTANDING, window + 1 + window / 4);
    }
  }

  // Packets out

  @Override
  void pump() {
    if (handling || isOver()) {
      return;
    }
    int most =
        Math.min(
            MAX_PAYLOAD,
            context.maxPacketBytes(remote)
                - 8
                - remote.wireBytes().length
                - local.wireBytes().length
                - TransportFlyweight.PLAIN_LENGTH);
    while (next - base < window && nextOffset < out.end()) {
      int i = (int) next & (RECORDS - 1);
      offset[i] = nextOffset;
      length[i] = (int) Math.min(Math.max(1, most), out.end() - nextOffset);
      nextOffset += length[i];
      sendData(next++);
      long now = context.nowNs();
      if (retransmitDueNs == Alarm.NEVER) {
        retransmitDueNs = now + retransmitNs;
      }
      if (silentSinceNs == Alarm.NEVER) {
        silentSinceNs = now;
      }
    }
    maybeDone();
    setAlarm();
  }

  private void sendData(long number) {
    int i = (int) number & (RECORDS - 1);
    ByteBuffer packet = begin(local);
    transport.writer.beginPrototype(packet, StreamHeader.DATA, (int) number, 0).endHeader();
    out.copyTo(offset[i], length[i], packet);
    counters.bytesOut += length[i];
    transport.send(transport.writer.seal());
  }

  private void goBack() {
    resentBase = base;
    window = Math.max(MIN_WINDOW, window / 2);
    ackedInWindow = 0;
    long end = Math.min(next, base + MAX_OUTSTANDING);
    for (long n = base; n < end; n++) {
      counters.retransmitted++;
      sendData(n);
    }
    retransmitDueNs = context.nowNs() + retransmitNs;
  }

  // Time

  private void setAlarm() {
    if (!gone) {
      long dead = transport.options.deadPeerNs();
      long giveUp = silentSinceNs == Alarm.NEVER ? Alarm.NEVER : silentSinceNs + dead;
      alarm.at(Math.min(Math.min(retransmitDueNs, giveUp), unheardDueNs));
    }
  }

  private void onAlarm() {
    long now = context.nowNs();
    if (isOver()) {
      forget();
      return;
    }
    if (silentSinceNs != Alarm.NEVER && now - silentSinceNs >= transport.options.deadPeerNs()) {
      end(new XiaSocketException(Kind.TIMED_OUT, "the peer has been silent for too long", facts()));
      return;
    }
    if (unheardDueNs <= now && endpoint.isListening()) {
      end(new XiaSocketException(Kind.TIMED_OUT, "the peer never said anything", facts()));
      return;
    }
    unheardDueNs = unheardDueNs <= now ? Alarm.NEVER : unheardDueNs;
    if (retransmitDueNs <= now) {
      counters.timeouts++;
      retransmitNs = Math.min(2 * retransmitNs, MAX_RETRANSMIT_NS);
      duplicates = 0;
      goBack();
    }
    setAlarm();
  }

  // Ending

  @Override
  void hasRead() {
    // v1.1 knows no window: the peer sends again what was dropped
  }

  @Override
  boolean inputComplete() {
    return false;
  }

  @Override
  boolean exchangeComplete() {
    return outputClosed && discards && base == next && nextOffset == out.end();
  }

  @Override
  long windowBytes() {
    return (long) window * MAX_PAYLOAD;
  }

  @Override
  void sendReset(int reason) {
    // v1.1 has no reset
  }

  @Override
  void closing() {
    pump();
  }

  @Override
  void released() {
    retransmitDueNs = Alarm.NEVER;
    silentSinceNs = Alarm.NEVER;
    unheardDueNs = Alarm.NEVER;
    transport.retire(this);
    forget();
  }

  private void forget() {
    if (!gone) {
      gone = true;
      alarm.cancel();
      transport.forget(this);
    }
  }

  // Mobility

  /** This host has a new address: v1.1 learns it from data, or from an ACK when there is none. */
  void hostMoved(Dag newLocal) {
    if (newLocal.equals(local) || isOver()) {
      return;
    }
    local = newLocal;
    peerNameForUs = newLocal;
    if (base < next) {
      goBack();
    } else if (heard) {
      sendAck(newLocal);
    }
    tellAddressChange();
    pump();
  }
}
