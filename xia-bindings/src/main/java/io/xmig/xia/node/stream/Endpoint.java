package io.xmig.xia.node.stream;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.StreamAcceptor;
import io.xmig.xia.socket.StreamListener;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One bound SID: its listener, the attempt to connect from it, and the way from a packet to its
 * connection.
 */
final class Endpoint implements TransportContext.PacketReceiver, StreamListener {
  final StreamTransport transport;
  final Xid sid;
  private final TransportContext context;
  private final StreamCounters counters;
  private final Map<Xid, LegacyConnection> legacy = new HashMap<>();
  private @Nullable StreamAcceptor acceptor;
  private @Nullable ConnectAttempt attempt;
  private int backlog;
  private int halfOpen;
  private int connections;

  Endpoint(StreamTransport transport, Xid sid) {
    this.transport = transport;
    this.context = transport.context;
    this.counters = transport.counters;
    this.sid = sid;
  }

  void listen(int newBacklog, StreamAcceptor newAcceptor) {
    backlog = Math.max(1, newBacklog);
    acceptor = newAcceptor;
  }

  boolean isListening() {
    return acceptor != null;
  }

  boolean isUsed() {
    return acceptor != null || attempt != null || connections > 0;
  }

  boolean isConnecting() {
    return attempt != null;
  }

  void attempt(@Nullable ConnectAttempt newAttempt) {
    attempt = newAttempt;
    if (newAttempt == null) {
      transport.unbindIfUnused(this);
    }
  }

  void opened() {
    connections++;
  }

  void gone(Connection connection) {
    connections--;
    legacy.values().remove(connection);
    transport.unbindIfUnused(this);
  }

  void leftHalfOpen() {
    halfOpen--;
  }

  void addLegacy(Xid peer, LegacyConnection connection) {
    legacy.put(peer, connection);
  }

  /** Hands a new connection to the application. */
  void established(Connection connection) {
    StreamAcceptor to = acceptor;
    if (to == null) {
      connection.abort();
      return;
    }
    counters.accepted++;
    connection.handler = to.accept(connection);
  }

  @Override
  public Dag localDag() {
    return context.localAddress().service(sid);
  }

  @Override
  public void close() {
    if (acceptor != null) {
      acceptor = null;
      transport.dropHalfOpen(this);
      transport.unbindIfUnused(this);
    }
  }

  // Packets

  @Override
  public void packet(PacketView view) {
    if (view.nextHeader() != StreamHeader.NEXT_HEADER) {
      return;
    }
    ByteBuffer buffer = view.buffer();
    int start = view.payloadOffset();
    int end = start + Short.toUnsignedInt(buffer.getShort(view.xipOffset() + 2));
    StreamHeader header = transport.reader;
    if (end > view.end() || !header.parse(buffer, start, end)) {
      counters.malformed++;
      return;
    }
    if (header.hasSegment() || header.hasControl()) {
      own(view, header);
    } else if (header.packet() == StreamHeader.SYN) {
      onSyn(view, header);
    } else if (header.packet() == StreamHeader.SYNACK) {
      onSynAck(view, header);
    } else {
      onLegacy(view, header);
    }
  }

  private void own(PacketView view, StreamHeader header) {
    if (!header.checksumIsRight(view.payloadOffset())) {
      counters.badChecksum++;
      return;
    }
    long token = header.token();
    boolean reset = header.packet() == StreamHeader.RST;
    SackConnection connection = transport.byToken(token);
    if (connection == null && reset && header.hasReset()) {
      connection = transport.byPeerToken(header.resetReflected());
    }
    if (connection != null && connection.endpoint == this) {
      connection.packet(view, header);
      return;
    }
    ConnectAttempt connecting = attempt;
    if (reset) {
      if (connecting != null && connecting.token == token && header.hasReset()) {
        counters.resetsIn++;
        connecting.refused(header.resetReason());
      }
      return;
    }
    counters.unknownToken++;
    boolean early = connecting != null && connecting.token == token; // its SYNACK is yet to come
    if (header.hasSegment() && !early) {
      transport.sendReset(view.source(), localDag(), 0, Reset.UNKNOWN, token);
    }
  }

  private void onSyn(PacketView view, StreamHeader header) {
    if (header.hasOffer() && header.offerVersion() >= StreamHeader.VERSION) {
      if (!header.checksumIsRight(StreamTransport.sourceNodes(view))) {
        counters.badChecksum++;
      } else if (transport.options.offerExtensions()) {
        onOffer(view, header);
      } else {
        onLegacySyn(view, header);
      }
    } else if (header.isPrototype()) {
      onLegacySyn(view, header);
    } else {
      counters.malformed++; // an offer that was damaged must not become a connection without checks
    }
  }

  private void onOffer(PacketView view, StreamHeader header) {
    SackConnection known = transport.byPeerToken(header.offerToken());
    if (known != null) {
      if (known.endpoint == this && known.isHalfOpen()) {
        known.synAgain(view.source());
        transport.sendSynAck(known);
      }
      return;
    }
    int reason = acceptor == null || halfOpen >= backlog ? Reset.REFUSED : 0;
    if (reason == 0 && !transport.reserve()) {
      reason = Reset.NO_SPACE;
    }
    if (reason != 0) {
      counters.refused++;
      transport.sendReset(
          view.source(), localDag(), header.offerToken(), reason, header.offerToken());
      return;
    }
    halfOpen++;
    byte[] share = transport.newShare();
    long token = transport.newToken();
    AddressProof proof =
        new AddressProof(header.offerShare(), share, header.offerToken(), token, false);
    SackConnection connection =
        new SackConnection(
            this,
            localDag(), // no checksum covers the destination that the request names
            view.source(),
            false,
            token,
            header.offerToken(),
            header.offerWindow(),
            header.offerMaxPacket(),
            proof);
    connection.ownShare = share;
    transport.add(connection);
    transport.sendSynAck(connection);
  }

  private void onSynAck(PacketView view, StreamHeader header) {
    ConnectAttempt connecting = attempt;
    if (connecting == null || !connecting.isTo(view.sourceIntent())) {
      return;
    }
    if (header.hasOffer()) {
      if (header.offerPeerToken() != connecting.token
          || !header.checksumIsRight(StreamTransport.sourceNodes(view))) {
        counters.badChecksum++;
        return;
      }
      connecting.granted(view, header);
    } else if (header.isPrototype()
        && header.payloadIs(StreamHeader.CONNECTION_GRANTED)
        && transport.options.servePrototype()) {
      connecting.grantedByPrototype(view);
    }
  }

  private void onLegacySyn(PacketView view, StreamHeader header) {
    StreamAcceptor to = acceptor;
    if (to == null
        || !transport.options.servePrototype()
        || !header.payloadIs(StreamHeader.CONNECTION_REQUEST)) {
      counters.malformed++;
      return;
    }
    LegacyConnection known = legacy.get(view.sourceIntent());
    if (known != null) {
      known.synAgain(view);
      return;
    }
    if (unheardLegacy() >= backlog || !transport.reserve()) {
      counters.refused++;
      return;
    }
    LegacyConnection connection = new LegacyConnection(this, view.destination(), view.source());
    addLegacy(view.sourceIntent(), connection);
    transport.add(connection);
    connection.grant();
    established(connection);
    connection.afterEvent();
  }

  private int unheardLegacy() {
    int unheard = 0;
    for (LegacyConnection each : legacy.values()) {
      if (!each.wasHeard()) {
        unheard++;
      }
    }
    return unheard;
  }

  private void onLegacy(PacketView view, StreamHeader header) {
    if (!header.isPrototype()) {
      counters.malformed++;
      return;
    }
    LegacyConnection connection = legacy.get(view.sourceIntent());
    if (connection != null) {
      connection.packet(view, header);
    }
  }

  @Override
  public void undeliverable(TransportContext.DeliveryReport report) {
    ConnectAttempt connecting = attempt;
    boolean fromHost = report.fromDestinationHost();
    switch (report.reason()) {
      case UNREACHABLE:
        if (connecting != null && connecting.isTo(report.intent())) {
          connecting.unreachable(fromHost);
        }
        break;
      case TOO_BIG:
      case TIME_EXCEEDED:
        break;
    }
    transport.undeliverable(this, report);
  }
}
