package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.TransportContext.DeliveryReport;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XcmpHandler;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XcmpFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * XCMP, the XIA Control Message Protocol: answers echo requests, reports what happened to packets,
 * and takes such reports.
 *
 * <p>Unlike the prototype it verifies checksums, sends no error about an error, and limits the rate
 * of errors.
 *
 * @threading on the node's loop
 * @source XIA prototype v1.1, docs/wire.md section 7
 */
final class Xcmp {
  /**
   * Code of an unreachable: the packet is too big for a link. Bytes 6 and 7 hold the largest packet
   * that passes (big-endian).
   *
   * @source local choice, modelled on RFC 1191; v1.1 peers show it to raw sockets only
   */
  static final int CODE_TOO_BIG = 4;

  private static final int CODE_OFFSET = 1;
  private static final int MTU_OFFSET = 6;
  private static final int START = EthernetFlyweight.LENGTH;

  /** Bytes that a prototype's reply to a long request has too many; they are undefined. */
  private static final int REPLY_EXTRA = 4;

  /** Errors a node sends a second; local choice. */
  private static final int ERRORS_PER_SECOND = 200;

  private static final int ERROR_BURST = 50;

  /** Redirects a node sends a second; local choice. */
  private static final int REDIRECTS_PER_SECOND = 10;

  /** What the node does for XCMP. */
  interface Node {
    /** The node's own address. */
    Dag address();

    /** The largest packet that the link towards an address carries. */
    int largestPacketTo(Dag destination);

    /** Routes a message made here. */
    void send(XipFlyweight packet);

    /** The receiver bound to the SID at {@code offset}. */
    TransportContext.@Nullable PacketReceiver receiver(ByteBuffer buffer, int offset);

    /** A packet of this node was too big for a link on the way to its destination. */
    void tooBig(Dag destination, int maxPacketBytes);

    /** Applies a redirect of {@code reporter} if it is allowed and plausible. */
    boolean redirect(Xid destination, Xid nextHop, @Nullable Xid reporter);
  }

  private final EventLoop loop;
  private final NodeCounters counters;
  private final Node node;
  private final ByteBuffer out =
      ByteBuffer.allocateDirect(START + XiaNode.MAX_PACKET + REPLY_EXTRA);
  private final XipFlyweight outPacket = new XipFlyweight();
  private final XcmpFlyweight heard = new XcmpFlyweight();
  private final XipFlyweight quoted = new XipFlyweight();
  private final RateLimit errors = new RateLimit(ERRORS_PER_SECOND, ERROR_BURST);
  private final RateLimit redirects = new RateLimit(REDIRECTS_PER_SECOND, REDIRECTS_PER_SECOND);
  private List<XcmpHandler> listeners = List.of();

  Xcmp(EventLoop loop, NodeCounters counters, Node node) {
    this.loop = loop;
    this.counters = counters;
    this.node = node;
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
  void unreachable(XipFlyweight packet) {
    int nodes = packet.destinationCount();
    if (nodes >= 2 && !isBroadcast(packet, packet.destinationNodeOffset(nodes - 2))) {
      error(packet, XcmpFlyweight.UNREACHABLE, 0);
    }
  }

  /** Reports that the packet does not fit a link. */
  void tooBig(XipFlyweight packet, int mtu) {
    error(packet, XcmpFlyweight.UNREACHABLE, mtu);
  }

  /** Reports that the packet's hop limit is used up. */
  void timeExceeded(XipFlyweight packet) {
    error(packet, XcmpFlyweight.TIME_EXCEEDED, 0);
  }

  private void error(XipFlyweight packet, int type, int mtu) {
    if (!mayReport(packet, errors)) {
      return;
    }
    int at = begin(packet.source(), node.address(), XcmpFlyweight.errorLength(packet));
    if (at < 0) {
      return;
    }
    int length = XcmpFlyweight.writeError(out, at, type, packet);
    if (mtu > 0) {
      out.put(at + CODE_OFFSET, (byte) CODE_TOO_BIG).putShort(at + MTU_OFFSET, (short) mtu);
      XcmpFlyweight.seal(out, at, length);
    }
    finish(at + length);
  }

  /**
   * Reports that the packet came by the link it leaves by, so that its sender can use the next hop
   * itself. The XID named is the prototype's choice: the node reached last, or the final one.
   */
  void redirect(XipFlyweight packet, Route route) {
    Xid nextHop = route.nextHop();
    if (nextHop == null || !mayReport(packet, redirects)) {
      return;
    }
    int at = begin(packet.source(), node.address(), XcmpFlyweight.errorLength(packet));
    if (at >= 0) {
      Xid xid = packet.destinationXid(packet.current());
      finish(at + XcmpFlyweight.writeRedirect(out, at, xid, nextHop, packet));
    }
  }

  private boolean mayReport(XipFlyweight packet, RateLimit limit) {
    // A message of this node that finds no way is not reported: its buffer is in use.
    if (packet.buffer() == out || isXcmpError(packet) || hasBroadcastSource(packet)) {
      return false;
    }
    boolean allowed = limit.allows(loop.nanoTime());
    if (!allowed) {
      counters.add(NodeCounter.DROP_XCMP_RATE);
    }
    return allowed;
  }

  private static boolean isXcmpError(XipFlyweight packet) {
    int message = packet.payloadOffset();
    if (packet.nextHeader() != XipFlyweight.NEXT_XCMP || message >= packet.end()) {
      return false;
    }
    int type = packet.buffer().get(message);
    return type == XcmpFlyweight.UNREACHABLE
        || type == XcmpFlyweight.TIME_EXCEEDED
        || type == XcmpFlyweight.REDIRECT;
  }

  private static boolean hasBroadcastSource(XipFlyweight packet) {
    for (int i = packet.sourceCount() - 1; i >= 0; i--) {
      if (isBroadcast(packet, packet.sourceNodeOffset(i))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isBroadcast(XipFlyweight packet, int xid) {
    return Xid.BHID.matches(packet.buffer(), xid);
  }

  /**
   * Lays down the header of a message.
   *
   * @return where the message goes, or −1 if it has no sane destination or does not fit
   */
  private int begin(@Nullable Dag to, Dag from, int length) {
    if (to == null || START + XipFlyweight.lengthOf(to, from) + length > out.capacity()) {
      return -1;
    }
    out.clear();
    return START
        + XipFlyweight.write(
            out, START, XipFlyweight.NEXT_XCMP, length, XipFlyweight.DEFAULT_HOP_LIMIT, to, from);
  }

  private void finish(int end) {
    if (outPacket.tryWrap(out, START, end)) {
      counters.add(NodeCounter.XCMP_OUT);
      node.send(outPacket);
    }
  }

  /** Takes an XCMP message that was delivered on this node. */
  void receive(ArrivedPacket packet) {
    counters.add(NodeCounter.XCMP_IN);
    if (!heard.tryWrap(packet.buffer(), packet.payloadOffset(), packet.end())
        || !heard.hasRightChecksum()) {
      counters.add(NodeCounter.DROP_XCMP);
      return;
    }
    if (packet.inPort() >= 0 && packet.header().hopLimit() <= 1) {
      counters.add(NodeCounter.DROP_HOP_LIMIT);
      timeExceeded(packet.header());
      return;
    }
    switch (heard.type()) {
      case XcmpFlyweight.ECHO_REQUEST -> reply(packet);
      case XcmpFlyweight.ECHO_REPLY -> tellListeners(packet);
      case XcmpFlyweight.UNREACHABLE, XcmpFlyweight.TIME_EXCEEDED -> {
        tellSender(packet);
        tellListeners(packet);
      }
      case XcmpFlyweight.REDIRECT -> takeRedirect(packet);
      default -> counters.add(NodeCounter.DROP_XCMP);
    }
  }

  private void reply(ArrivedPacket request) {
    XipFlyweight header = request.header();
    Dag asked = request.destination();
    Dag from = asked.intent().equals(Xid.BHID) ? node.address() : asked;
    Dag to = request.source();
    int length = XcmpFlyweight.echoReplyLength(header);
    int at = hasBroadcastSource(header) ? -1 : begin(to, from, length);
    if (at < 0) {
      counters.add(NodeCounter.DROP_XCMP);
      return;
    }
    XcmpFlyweight.writeEchoReply(out, at, header);
    // A request that just fits the link would not get a reply that is longer by undefined bytes.
    boolean tooBig = at - START + length > node.largestPacketTo(to);
    if (tooBig && length - REPLY_EXTRA >= XcmpFlyweight.errorLength(header)) {
      length -= REPLY_EXTRA;
      begin(to, from, length);
      XcmpFlyweight.seal(out, at, length);
    }
    finish(at + length);
  }

  private void tellListeners(ArrivedPacket packet) {
    int message = packet.payloadOffset();
    for (XcmpHandler listener : listeners) {
      ByteBuffer whole =
          packet.buffer().slice(packet.xipOffset(), packet.end() - packet.xipOffset());
      ByteBuffer view = packet.buffer().slice(message, packet.end() - message);
      listener.onPacket(packet.source(), whole.asReadOnlyBuffer(), view.asReadOnlyBuffer());
    }
  }

  /** Hands an error to the socket whose packet it quotes. */
  private void tellSender(ArrivedPacket packet) {
    if (!heard.quoted(quoted)) {
      counters.add(NodeCounter.DROP_XCMP);
      return;
    }
    Dag destination = quoted.destination();
    Dag source = quoted.source();
    if (destination == null || source == null) {
      counters.add(NodeCounter.DROP_XCMP);
      return;
    }
    boolean exceeded = heard.type() == XcmpFlyweight.TIME_EXCEEDED;
    boolean tooBig = !exceeded && heard.code() == CODE_TOO_BIG;
    int mtu =
        tooBig
            ? Short.toUnsignedInt(packet.buffer().getShort(packet.payloadOffset() + MTU_OFFSET))
            : 0;
    if (tooBig && node.address().intent().equals(source.host())) {
      node.tooBig(destination, mtu);
    }
    var receiver = node.receiver(quoted.buffer(), quoted.sourceIntentOffset());
    if (receiver == null) {
      return;
    }
    DeliveryReport.Reason reason =
        exceeded
            ? DeliveryReport.Reason.TIME_EXCEEDED
            : tooBig ? DeliveryReport.Reason.TOO_BIG : DeliveryReport.Reason.UNREACHABLE;
    receiver.undeliverable(
        new DeliveryReport(
            reason,
            destination.intent(),
            destination,
            packet.source(),
            mtu,
            heard.quotedPayload(quoted)));
  }

  private void takeRedirect(ArrivedPacket packet) {
    boolean applied =
        node.redirect(heard.redirectXid(), heard.redirectNextHop(), packet.source().host());
    counters.add(applied ? NodeCounter.REDIRECTS_APPLIED : NodeCounter.DROP_REDIRECT);
  }
}
