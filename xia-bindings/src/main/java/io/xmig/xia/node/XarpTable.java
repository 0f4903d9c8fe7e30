package io.xmig.xia.node;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XarpFlyweight;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Ethernet addresses of the hosts on one link: asks for them, keeps packets until the answer comes,
 * answers for the node's own HID.
 *
 * <p>Stricter than the prototype: it believes only replies to its own recent requests, repeats a
 * request while packets wait, and gives waiting packets up after {@link #WAIT_NS}.
 *
 * <p>XARP has no checksum, so a damaged reply can name a station that does not exist. An address
 * other than that of the Ethernet header it came in counts only when a second reply repeats it, and
 * an address learned from one reply is asked for at its station after {@link #CONFIRM_NS}: silence
 * there leads to a question to everybody as for any old entry.
 *
 * @threading on the node's loop
 * @source XIA prototype v1.1, docs/wire.md section 8
 */
final class XarpTable {
  /** An entry is used without refreshing for this long. */
  static final long POLL_NS = 60_000_000_000L;

  /** The same for an entry that a single reply made: the next use asks its station again. */
  static final long CONFIRM_NS = 1_000_000_000L;

  /** An entry that was not refreshed is forgotten after this long. */
  static final long TIMEOUT_NS = 300_000_000_000L;

  /** Shortest pause between requests for the same XID: 10 a second. */
  static final long ASK_INTERVAL_NS = 100_000_000L;

  /** Longest pause between repeated requests while packets wait. */
  static final long MAX_RETRY_NS = 800_000_000L;

  /** How long a packet waits for an answer; local choice: longer than a beacon interval. */
  static final long WAIT_NS = 3_000_000_000L;

  /** Packets that may wait in all. */
  static final int CAPACITY_PACKETS = 2048;

  /** Bytes that may wait in all; local choice. */
  static final int CAPACITY_BYTES = 8 << 20;

  /** Packets that may wait for one host; local choice. */
  static final int CAPACITY_PER_HOST = 256;

  /** Hosts in the table; local choice, bounds what hostile destinations can occupy. */
  static final int MAX_ENTRIES = 4096;

  private static final int FRAME_LENGTH = EthernetFlyweight.LENGTH + XarpFlyweight.LENGTH;

  /** Other hosts that are answered for; local choice. */
  static final int MAX_PROXIED = 64;

  private final Map<Xid, Long> proxied = new LinkedHashMap<>();
  private final Xid own;
  private final long ownMac;
  private final EventLoop loop;
  private final NodeCounters counters;
  private final Consumer<ByteBuffer> output;
  private final XidMap<Neighbour> neighbours = new XidMap<>();
  private final XarpFlyweight heard = new XarpFlyweight();
  private final ByteBuffer message = ByteBuffer.allocateDirect(FRAME_LENGTH);
  private ByteBuffer release = ByteBuffer.allocateDirect(2048);
  private int waitingPackets;
  private int waitingBytes;
  private long queries;
  private long replies;
  private long drops;

  /**
   * @param own HID to answer for
   * @param ownMac Ethernet address to give
   * @param output takes finished frames, position to limit
   */
  XarpTable(
      Xid own, long ownMac, EventLoop loop, NodeCounters counters, Consumer<ByteBuffer> output) {
    this.own = own;
    this.ownMac = ownMac;
    this.loop = loop;
    this.counters = counters;
    this.output = output;
  }

  /** The entry of the host whose XID stands at {@code offset}, made if need be. */
  @Nullable Neighbour neighbour(ByteBuffer buffer, int offset) {
    Neighbour found = neighbours.get(buffer, offset);
    return found != null ? found : neighbour(Xid.read(buffer, offset));
  }

  /** The entry of a host, made if need be; {@code null} if the table is full. */
  @Nullable Neighbour neighbour(Xid xid) {
    Neighbour found = neighbours.get(xid);
    if (found == null) {
      if (neighbours.size() >= MAX_ENTRIES && !dropStale()) {
        return null;
      }
      found = new Neighbour(xid, this);
      neighbours.put(xid, found);
    }
    return found;
  }

  private boolean dropStale() {
    long now = loop.nanoTime();
    List<Neighbour> stale = new ArrayList<>();
    neighbours.forEach(
        (xid, n) -> {
          boolean live = n.known && now - n.learnedNs < TIMEOUT_NS;
          if (!live && n.waiting.isEmpty()) {
            stale.add(n);
          }
        });
    stale.forEach(this::remove);
    return !stale.isEmpty();
  }

  /**
   * Sends a frame to a host, or keeps a copy until its address is known. The frame is the buffer's
   * bytes from {@code start} to {@code end}; its Ethernet header is filled in here.
   */
  void send(ByteBuffer frame, int start, int end, Neighbour to) {
    long now = loop.nanoTime();
    if (to.known) {
      long age = now - to.learnedNs;
      if (age < TIMEOUT_NS) {
        long trustedNs = to.confirmed ? POLL_NS : CONFIRM_NS;
        if (age >= trustedNs && mayAsk(to, now)) {
          // A host that does not answer at its address may have got another one.
          boolean silent = to.probing && now - to.probingSinceNs >= patienceNs(to);
          if (!to.probing) {
            to.probing = true;
            to.probingSinceNs = now;
          }
          ask(to, silent ? EthernetFlyweight.BROADCAST : to.mac, now);
        }
        emit(frame, start, end, to.mac);
        return;
      }
      to.known = false;
    }
    enqueue(frame, start, end, to, now);
  }

  /** Sends an XIP frame to an Ethernet address; its header is filled in here. */
  void emit(ByteBuffer frame, int start, int end, long mac) {
    EthernetFlyweight.write(frame, start, mac, ownMac, EthernetFlyweight.TYPE_XIP);
    frame.limit(end).position(start);
    output.accept(frame);
  }

  private void enqueue(ByteBuffer frame, int start, int end, Neighbour to, long now) {
    int length = end - start;
    if (waitingPackets >= CAPACITY_PACKETS
        || waitingBytes + length > CAPACITY_BYTES
        || to.waiting.size() >= CAPACITY_PER_HOST) {
      drops++;
      counters.add(NodeCounter.DROP_XARP_QUEUE);
    } else {
      byte[] copy = new byte[length];
      frame.get(start, copy);
      to.waiting.add(new Neighbour.Waiting(copy, now));
      waitingPackets++;
      waitingBytes += length;
    }
    if (to.retry == null) {
      to.retryDelayNs = ASK_INTERVAL_NS;
      askAgain(to);
    }
  }

  private void askAgain(Neighbour to) {
    long now = loop.nanoTime();
    to.retry = null;
    dropOverdue(to, now);
    if (to.waiting.isEmpty() || to.removed) {
      return;
    }
    if (mayAsk(to, now)) {
      ask(to, EthernetFlyweight.BROADCAST, now);
    }
    to.retry = loop.schedule(to.retryDelayNs, () -> askAgain(to));
    to.retryDelayNs = Math.min(2 * to.retryDelayNs, MAX_RETRY_NS);
  }

  private void dropOverdue(Neighbour to, long now) {
    while (!to.waiting.isEmpty() && now - to.waiting.peek().sinceNs() >= WAIT_NS) {
      takeWaiting(to);
      drops++;
      counters.add(NodeCounter.DROP_XARP_TIMEOUT);
    }
  }

  private byte[] takeWaiting(Neighbour to) {
    byte[] frame = to.waiting.remove().frame();
    waitingPackets--;
    waitingBytes -= frame.length;
    return frame;
  }

  private static long patienceNs(Neighbour of) {
    return of.confirmed ? WAIT_NS : CONFIRM_NS / 2;
  }

  private static boolean mayAsk(Neighbour of, long now) {
    return !of.asked || now - of.askedNs >= ASK_INTERVAL_NS;
  }

  private void ask(Neighbour of, long mac, long now) {
    of.asked = true;
    of.askedNs = now;
    queries++;
    counters.add(NodeCounter.XARP_QUERIES);
    transmit(XarpFlyweight.REQUEST, mac, 0, of.xid);
  }

  private void transmit(int operation, long to, long targetMac, Xid targetXid) {
    message.clear();
    EthernetFlyweight.write(message, 0, to, ownMac, EthernetFlyweight.TYPE_XARP);
    XarpFlyweight.write(
        message, EthernetFlyweight.LENGTH, operation, ownMac, own, targetMac, targetXid);
    output.accept(message);
  }

  /**
   * Takes an XARP message: the bytes from {@code start} on, the Ethernet header lies before them.
   */
  void receive(ByteBuffer frame, int start, int end) {
    if (!heard.tryWrap(frame, start, end)) {
      counters.add(NodeCounter.DROP_XARP);
      return;
    }
    long mac = heard.senderMac();
    boolean isStation = mac != 0 && !EthernetFlyweight.isGroup(mac);
    int operation = heard.operation();
    if (isStation && operation == XarpFlyweight.REQUEST) {
      answer(mac);
    } else if (isStation && operation == XarpFlyweight.REPLY) {
      learn(
          neighbours.get(heard.senderXid()),
          mac,
          EthernetFlyweight.source(frame, start - EthernetFlyweight.LENGTH));
    } else {
      counters.add(NodeCounter.DROP_XARP);
    }
  }

  private void answer(long asker) {
    if (heard.isTarget(own)) {
      counters.add(NodeCounter.XARP_RESPONSES);
      transmit(XarpFlyweight.REPLY, asker, asker, heard.senderXid());
      return;
    }
    if (proxied.isEmpty()) {
      return;
    }
    for (Map.Entry<Xid, Long> other : proxied.entrySet()) {
      if (heard.isTarget(other.getKey())) {
        counters.add(NodeCounter.XARP_RESPONSES);
        long given = other.getValue();
        message.clear();
        // From the given address, as that station would answer: askers compare the two.
        EthernetFlyweight.write(message, 0, asker, given, EthernetFlyweight.TYPE_XARP);
        XarpFlyweight.write(
            message,
            EthernetFlyweight.LENGTH,
            XarpFlyweight.REPLY,
            given,
            other.getKey(),
            asker,
            heard.senderXid());
        output.accept(message);
        return;
      }
    }
  }

  /**
   * Answers for another host as well, whose packets this node is to get: a guest that goes on
   * asking for the gateway of a domain that it has left.
   *
   * @param mac address to give
   * @return false if there are too many already
   */
  boolean answerFor(Xid xid, long mac) {
    if (!proxied.containsKey(xid) && proxied.size() >= MAX_PROXIED) {
      return false;
    }
    proxied.put(xid, mac);
    return true;
  }

  /** Ends {@link #answerFor}; the address that was given, or {@code null} if none was. */
  @Nullable Long answerNoLonger(Xid xid) {
    return proxied.remove(xid);
  }

  private void learn(@Nullable Neighbour n, long mac, long etherSource) {
    long now = loop.nanoTime();
    if (n == null || !n.asked || now - n.askedNs > WAIT_NS) {
      counters.add(NodeCounter.DROP_XARP);
      return;
    }
    boolean repeated = n.claimed && n.claimedMac == mac;
    n.claimed = true;
    n.claimedMac = mac;
    if (!repeated && mac != etherSource) {
      counters.add(NodeCounter.DROP_XARP);
      return;
    }
    replies++;
    know(n, mac, now, repeated);
  }

  private void know(Neighbour n, long mac, long now, boolean confirmed) {
    n.mac = mac;
    n.known = true;
    n.confirmed = confirmed;
    n.learnedNs = now;
    n.probing = false;
    if (n.retry != null) {
      n.retry.cancel();
      n.retry = null;
    }
    while (!n.waiting.isEmpty()) {
      byte[] frame = takeWaiting(n);
      if (release.capacity() < frame.length) {
        release = ByteBuffer.allocateDirect(Integer.highestOneBit(frame.length) * 2);
      }
      release.clear().put(frame);
      emit(release, 0, frame.length, mac);
    }
  }

  /** Enters an address by hand. */
  void insert(Xid xid, long mac) {
    Neighbour n = neighbour(xid);
    if (n != null) {
      know(n, mac, loop.nanoTime(), true);
    }
  }

  /** Forgets one host; what waits for it is dropped. */
  boolean delete(Xid xid) {
    Neighbour n = neighbours.get(xid);
    if (n == null) {
      return false;
    }
    remove(n);
    return true;
  }

  /** Forgets everything, e.g. when the link has been plugged in elsewhere. */
  void clear() {
    neighbours.forEach((xid, n) -> remove(n));
  }

  private void remove(Neighbour n) {
    while (!n.waiting.isEmpty()) {
      takeWaiting(n);
      drops++;
      counters.add(NodeCounter.DROP_XARP_TIMEOUT);
    }
    if (n.retry != null) {
      n.retry.cancel();
      n.retry = null;
    }
    n.removed = true;
    neighbours.remove(n.xid);
  }

  /** Lines {@code XID ok ETH age}: the hosts whose address is known. */
  String table() {
    long now = loop.nanoTime();
    StringBuilder text = new StringBuilder();
    neighbours.forEach(
        (xid, n) -> {
          if (n.known && now - n.learnedNs < TIMEOUT_NS) {
            String age = String.format(Locale.ROOT, "%.6f", (now - n.learnedNs) / 1e9);
            text.append(xid).append(" ok ").append(EthernetFlyweight.formatMac(n.mac)).append(' ');
            text.append(age).append('\n');
          }
        });
    return text.toString();
  }

  /** The Ethernet address given to those who ask for an XID, {@code null} if none is. */
  @Nullable Long answer(Xid xid) {
    return own.equals(xid) ? Long.valueOf(ownMac) : proxied.get(xid);
  }

  /** {@code XID ETH} lines: what this node answers for. */
  String responder() {
    StringBuilder text = new StringBuilder();
    String mac = " " + EthernetFlyweight.formatMac(ownMac) + "\n";
    text.append(own).append(mac);
    proxied.forEach(
        (xid, given) ->
            text.append(xid).append(' ').append(EthernetFlyweight.formatMac(given)).append('\n'));
    return text.toString();
  }

  /** Hosts in the table. */
  int count() {
    return neighbours.size();
  }

  /** Packets that wait. */
  int length() {
    return waitingPackets;
  }

  /** Requests sent. */
  long queries() {
    return queries;
  }

  /** Replies received and believed. */
  long replies() {
    return replies;
  }

  /** Packets given up. */
  long drops() {
    return drops;
  }
}
