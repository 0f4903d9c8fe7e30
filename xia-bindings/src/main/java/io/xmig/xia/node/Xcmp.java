package io.xmig.xia.node;

import static io.xmig.xia.node.XipLayout.ETHERNET_HEADER;
import static io.xmig.xia.node.XipLayout.FIXED_LENGTH;
import static io.xmig.xia.node.XipLayout.NEXT_NONE;
import static io.xmig.xia.node.XipLayout.NEXT_XCMP;
import static io.xmig.xia.node.XipLayout.NODE_LENGTH;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.TransportContext.DeliveryReport;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XcmpHandler;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * XCMP, the XIA Control Message Protocol: answers echo requests, reports what happened to packets,
 * and takes such reports.
 *
 * <pre>
 *  0      1      2          4            28           52                 52+h     60+h
 *  | type | code | checksum | XID        | next hop   | XIP header (h)   | 8 bytes |
 * </pre>
 *
 * <p>Unlike the prototype it verifies checksums, clears what would be undefined memory, sends no
 * error about an error, and limits the rate of errors.
 *
 * @threading on the node's loop
 * @source XIA prototype v1.1, docs/wire.md section 7
 */
final class Xcmp {
  static final int ECHO_REPLY = 0;
  static final int UNREACHABLE = 3;
  static final int REDIRECT = 5;
  static final int ECHO_REQUEST = 8;
  static final int TIME_EXCEEDED = 11;

  /** Code of an unreachable: the host cannot be reached; the only one the prototype sends. */
  static final int CODE_HOST = 1;

  /**
   * Code of an unreachable: the packet is too big for a link. Bytes 6 and 7 hold the largest packet
   * that passes (big-endian).
   *
   * @source local choice, modelled on RFC 1191; v1.1 peers show it to raw sockets only
   */
  static final int CODE_TOO_BIG = 4;

  /** Code of time exceeded as the prototype sends it (reassembly), although the cause is hops. */
  static final int CODE_EXCEEDED = 1;

  static final int HEADER_LENGTH = 4;
  private static final int CODE_OFFSET = 1;
  private static final int CHECKSUM_OFFSET = 2;
  private static final int XID_OFFSET = 4;
  private static final int MTU_OFFSET = 6;
  private static final int NEXT_HOP_OFFSET = 28;
  private static final int QUOTE_OFFSET = 52;
  private static final int QUOTED_PAYLOAD = 8;
  private static final int REPLY_EXTRA = 4;

  /** Errors a node sends a second; local choice. */
  private static final int ERRORS_PER_SECOND = 200;

  private static final int ERROR_BURST = 50;

  /** Redirects a node sends a second; local choice. */
  private static final int REDIRECTS_PER_SECOND = 10;

  /** What the node does for XCMP. */
  interface Node {
    /** Routes a message made here. */
    void send(ByteBuffer packet, int xip, int end);

    /** The receiver bound to the SID at {@code offset}. */
    TransportContext.@Nullable PacketReceiver receiver(ByteBuffer buffer, int offset);

    /** Applies a redirect of {@code reporter} if it is allowed and plausible. */
    boolean redirect(Xid destination, Xid nextHop, @Nullable Xid reporter);
  }

  private final EventLoop loop;
  private final NodeCounters counters;
  private final Supplier<Dag> ownAddress;
  private final Node node;
  private final ByteBuffer out;
  private final RateLimit errors = new RateLimit(ERRORS_PER_SECOND, ERROR_BURST);
  private final RateLimit redirects = new RateLimit(REDIRECTS_PER_SECOND, REDIRECTS_PER_SECOND);
  private List<XcmpHandler> listeners = List.of();

  Xcmp(
      EventLoop loop,
      NodeCounters counters,
      Supplier<Dag> ownAddress,
      Node node,
      int largestPacket) {
    this.loop = loop;
    this.counters = counters;
    this.ownAddress = ownAddress;
    this.node = node;
    this.out = ByteBuffer.allocateDirect(ETHERNET_HEADER + largestPacket);
  }

  /** Adds a listener for replies and errors; each is given its own view of every message. */
  void listen(XcmpHandler listener) {
    List<XcmpHandler> more = new ArrayList<>(listeners);
    more.add(listener);
    listeners = List.copyOf(more);
  }

  /** Removes a listener. */
  void unlisten(XcmpHandler listener) {
    List<XcmpHandler> fewer = new ArrayList<>(listeners);
    fewer.remove(listener);
    listeners = List.copyOf(fewer);
  }

  /** Reports that no edge of the packet's destination leads anywhere. */
  void unreachable(ByteBuffer packet, int xip, int end) {
    int nodes = XipLayout.destinationNodes(packet, xip);
    if (nodes >= 2 && !Xid.BHID.matches(packet, XipLayout.destination(xip, nodes - 2))) {
      error(packet, xip, end, UNREACHABLE, CODE_HOST, 0);
    }
  }

  /** Reports that the packet does not fit a link. */
  void tooBig(ByteBuffer packet, int xip, int end, int mtu) {
    error(packet, xip, end, UNREACHABLE, CODE_TOO_BIG, mtu);
  }

  /** Reports that the packet's hop limit is used up. */
  void timeExceeded(ByteBuffer packet, int xip, int end) {
    error(packet, xip, end, TIME_EXCEEDED, CODE_EXCEEDED, 0);
  }

  private void error(ByteBuffer packet, int xip, int end, int type, int code, int mtu) {
    // A reply of this node that finds no way back is not reported: the message buffer is in use.
    if (packet == out || isXcmpError(packet, xip, end) || hasBroadcastSource(packet, xip)) {
      return;
    }
    if (!errors.allows(loop.nanoTime())) {
      counters.add(NodeCounter.DROP_XCMP_RATE);
      return;
    }
    int header = XipLayout.headerLength(packet, xip);
    int message = begin(packet, xip, ownAddress.get(), QUOTE_OFFSET + header + QUOTED_PAYLOAD);
    if (message < 0) {
      return;
    }
    out.put(message, (byte) type).put(message + CODE_OFFSET, (byte) code);
    out.putShort(message + MTU_OFFSET, (short) mtu);
    quote(packet, xip, end, message);
    finish(message, QUOTE_OFFSET + header + QUOTED_PAYLOAD);
  }

  /**
   * Reports that the packet came by the link it leaves by, so that its sender can use the next hop
   * itself.
   */
  void redirect(ByteBuffer packet, int xip, int end, Route route) {
    Xid nextHop = route.nextHop();
    if (nextHop == null || isXcmpError(packet, xip, end) || hasBroadcastSource(packet, xip)) {
      return;
    }
    if (!redirects.allows(loop.nanoTime())) {
      counters.add(NodeCounter.DROP_XCMP_RATE);
      return;
    }
    int header = XipLayout.headerLength(packet, xip);
    int message = begin(packet, xip, ownAddress.get(), QUOTE_OFFSET + header + QUOTED_PAYLOAD);
    if (message < 0) {
      return;
    }
    out.put(message, (byte) REDIRECT).put(message + CODE_OFFSET, (byte) CODE_HOST);
    int last = packet.get(xip + XipLayout.LAST_OFFSET);
    int current = last < 0 ? XipLayout.destinationNodes(packet, xip) - 1 : last;
    out.put(message + XID_OFFSET, packet, XipLayout.destination(xip, current), Xid.LENGTH);
    nextHop.write(out, message + NEXT_HOP_OFFSET);
    quote(packet, xip, end, message);
    finish(message, QUOTE_OFFSET + header + QUOTED_PAYLOAD);
  }

  /** Takes an XCMP message that was delivered on this node. */
  void receive(ArrivedPacket packet) {
    ByteBuffer in = packet.buffer();
    int message = packet.payloadOffset();
    int length = packet.end() - message;
    counters.add(NodeCounter.XCMP_IN);
    if (length < HEADER_LENGTH || checksum(in, message, length) != 0) {
      counters.add(NodeCounter.DROP_XCMP);
      return;
    }
    int type = in.get(message) & 0xff;
    boolean fromLink = packet.inPort() >= 0;
    if (fromLink && XipLayout.hopLimit(in, packet.xipOffset()) <= 1) {
      counters.add(NodeCounter.DROP_HOP_LIMIT);
      timeExceeded(in, packet.xipOffset(), packet.end());
      return;
    }
    switch (type) {
      case ECHO_REQUEST -> reply(packet, message, length);
      case ECHO_REPLY -> tellListeners(packet, message, length);
      case UNREACHABLE, TIME_EXCEEDED -> {
        tellSender(packet, message, length, type);
        tellListeners(packet, message, length);
      }
      case REDIRECT -> takeRedirect(packet, message, length);
      default -> counters.add(NodeCounter.DROP_XCMP);
    }
  }

  private void reply(ArrivedPacket request, int message, int length) {
    ByteBuffer in = request.buffer();
    int xip = request.xipOffset();
    if (hasBroadcastSource(in, xip)) {
      counters.add(NodeCounter.DROP_XCMP);
      return;
    }
    int header = XipLayout.headerLength(in, xip);
    int quoteEnd = QUOTE_OFFSET + header + QUOTED_PAYLOAD;
    Dag asked = request.destination();
    Dag from = asked.intent().equals(Xid.BHID) ? ownAddress.get() : asked;
    int room =
        out.capacity()
            - ETHERNET_HEADER
            - FIXED_LENGTH
            - NODE_LENGTH * (XipLayout.sourceNodes(in, xip) + from.size());
    // The prototype's replies are 4 bytes longer than long requests; those are undefined.
    int replyLength = Math.max(quoteEnd, length + REPLY_EXTRA);
    if (replyLength > room && quoteEnd <= length) {
      replyLength = length;
    }
    int at = begin(in, xip, from, replyLength);
    if (at < 0) {
      counters.add(NodeCounter.DROP_TOO_BIG);
      return;
    }
    out.put(at, in, message, length);
    out.put(at, (byte) ECHO_REPLY).put(at + CODE_OFFSET, (byte) 0);
    quote(in, xip, request.end(), at);
    finish(at, replyLength);
  }

  /**
   * Lays down the header of an answer to the source of {@code packet} and clears the message.
   *
   * @return where the message goes, or −1 if it does not fit
   */
  private int begin(ByteBuffer packet, int xip, Dag from, int length) {
    int sources = XipLayout.sourceNodes(packet, xip);
    int message = ETHERNET_HEADER + FIXED_LENGTH + NODE_LENGTH * (sources + from.size());
    if (message + length > out.capacity()) {
      return -1;
    }
    out.clear();
    int at = ETHERNET_HEADER;
    out.put(at, (byte) XipLayout.VERSION);
    out.put(at + XipLayout.NEXT_HEADER_OFFSET, (byte) NEXT_XCMP);
    out.putShort(at + XipLayout.PAYLOAD_LENGTH_OFFSET, (short) length);
    out.put(at + XipLayout.HOP_LIMIT_OFFSET, (byte) XipLayout.HOP_LIMIT);
    out.put(at + XipLayout.DESTINATION_NODES_OFFSET, (byte) sources);
    out.put(at + XipLayout.SOURCE_NODES_OFFSET, (byte) from.size());
    out.put(at + XipLayout.LAST_OFFSET, (byte) -1);
    int nodes = at + FIXED_LENGTH;
    XipLayout.copyNodes(packet, XipLayout.sources(packet, xip), out, nodes, sources);
    out.put(nodes + sources * NODE_LENGTH, from.wireBytes());
    for (int i = 0; i < length; i++) {
      out.put(message + i, (byte) 0);
    }
    return message;
  }

  /** Copies the packet's header and the first bytes behind it (and behind extension headers). */
  private void quote(ByteBuffer packet, int xip, int end, int message) {
    int header = XipLayout.headerLength(packet, xip);
    out.put(message + QUOTE_OFFSET, packet, xip, header);
    int payload = payload(packet, xip, end);
    int quoted = Math.min(QUOTED_PAYLOAD, end - payload);
    out.put(message + QUOTE_OFFSET + header, packet, payload, quoted);
  }

  /** Offset of the first byte behind all extension headers; at most {@code end}. */
  private static int payload(ByteBuffer packet, int xip, int end) {
    int next = XipLayout.nextHeader(packet, xip);
    int at = xip + XipLayout.headerLength(packet, xip);
    while (next < NEXT_NONE && at + 2 <= end) {
      int length = packet.get(at + 1) & 0xff;
      if (length < 2 || at + length > end) {
        break;
      }
      next = packet.get(at) & 0xff;
      at += length;
    }
    return at;
  }

  private void finish(int message, int length) {
    out.putShort(message + CHECKSUM_OFFSET, (short) 0);
    out.putShort(message + CHECKSUM_OFFSET, (short) checksum(out, message, length));
    counters.add(NodeCounter.XCMP_OUT);
    node.send(out, ETHERNET_HEADER, message + length);
  }

  /** The Internet checksum; 0 over a message that carries its own. */
  static int checksum(ByteBuffer buffer, int offset, int length) {
    long sum = 0;
    int i = 0;
    for (; i + 1 < length; i += 2) {
      sum += buffer.getShort(offset + i) & 0xffff;
    }
    if (i < length) {
      sum += (buffer.get(offset + i) & 0xff) << 8;
    }
    while (sum >>> 16 != 0) {
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return (int) ~sum & 0xffff;
  }

  private static boolean isXcmpError(ByteBuffer packet, int xip, int end) {
    int message = xip + XipLayout.headerLength(packet, xip);
    if (XipLayout.nextHeader(packet, xip) != NEXT_XCMP || message >= end) {
      return false;
    }
    int type = packet.get(message);
    return type == UNREACHABLE || type == TIME_EXCEEDED || type == REDIRECT;
  }

  private static boolean hasBroadcastSource(ByteBuffer packet, int xip) {
    int first = XipLayout.sources(packet, xip);
    for (int i = XipLayout.sourceNodes(packet, xip) - 1; i >= 0; i--) {
      if (Xid.BHID.matches(packet, first + i * NODE_LENGTH)) {
        return true;
      }
    }
    return false;
  }

  private void tellListeners(ArrivedPacket packet, int message, int length) {
    for (XcmpHandler listener : listeners) {
      listener.onMessage(
          packet.source(), packet.buffer().slice(message, length).asReadOnlyBuffer());
    }
  }

  /** Hands an error to the socket whose packet it quotes. */
  private void tellSender(ArrivedPacket packet, int message, int length, int type) {
    ByteBuffer in = packet.buffer();
    int quote = message + QUOTE_OFFSET;
    int header =
        length < QUOTE_OFFSET + FIXED_LENGTH ? -1 : quotedHeader(in, quote, message + length);
    if (header < 0) {
      counters.add(NodeCounter.DROP_XCMP);
      return;
    }
    var receiver = node.receiver(in, XipLayout.sourceIntent(in, quote));
    if (receiver == null) {
      return;
    }
    int nodes = XipLayout.destinationNodes(in, quote);
    Dag destination = Dag.tryRead(in, XipLayout.destination(quote, 0), nodes);
    if (destination == null) {
      counters.add(NodeCounter.DROP_XCMP);
      return;
    }
    boolean tooBig = type == UNREACHABLE && in.get(message + CODE_OFFSET) == CODE_TOO_BIG;
    int mtu = tooBig ? in.getShort(message + MTU_OFFSET) & 0xffff : 0;
    DeliveryReport.Reason reason =
        type == TIME_EXCEEDED
            ? DeliveryReport.Reason.TIME_EXCEEDED
            : tooBig ? DeliveryReport.Reason.TOO_BIG : DeliveryReport.Reason.UNREACHABLE;
    receiver.undeliverable(
        new DeliveryReport(reason, destination.intent(), destination, packet.source(), mtu));
  }

  /** Length of a quoted header; its payload is cut off, so that is not checked. */
  private static int quotedHeader(ByteBuffer in, int quote, int end) {
    int nodes = XipLayout.destinationNodes(in, quote);
    int sources = XipLayout.sourceNodes(in, quote);
    boolean sane = nodes > 0 && nodes <= Dag.MAX_NODES && sources > 0 && sources <= Dag.MAX_NODES;
    int length = FIXED_LENGTH + NODE_LENGTH * (nodes + sources);
    return sane && quote + length <= end ? length : -1;
  }

  private void takeRedirect(ArrivedPacket packet, int message, int length) {
    ByteBuffer in = packet.buffer();
    boolean applied = false;
    if (length >= QUOTE_OFFSET) {
      Xid destination = Xid.read(in, message + XID_OFFSET);
      Xid nextHop = Xid.read(in, message + NEXT_HOP_OFFSET);
      applied = node.redirect(destination, nextHop, packet.source().host());
    }
    counters.add(applied ? NodeCounter.REDIRECTS_APPLIED : NodeCounter.DROP_REDIRECT);
  }
}
