package io.xmig.xia.node.stream;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.node.congestion.CongestionControl;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.StreamAcceptor;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import io.xmig.xia.wire.TransportFlyweight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * XSOCK_STREAM of the embedded node: reliable byte streams between our own nodes, with selective
 * acknowledgement, congestion and flow control, orderly close and mobility; and v1.1's stop-gap
 * protocol with peers that know nothing else. Which one it is, is found out in the handshake.
 *
 * @threading on the node's loop
 * @source docs/stream.md; for v1.1 docs/wire.md section 5
 */
public final class StreamTransport implements AutoCloseable {
  private static final int MAX_LINGERING = 4096;

  final TransportContext context;
  final StreamOptions options;
  final StreamCounters counters = new StreamCounters();
  final BufferPool pool;
  final CongestionControl.Provider congestion;
  final StreamHeader reader = new StreamHeader();
  final StreamHeader writer = new StreamHeader();
  private final Map<Xid, Endpoint> endpoints = new HashMap<>();
  private final TokenMap<SackConnection> byToken = new TokenMap<>();
  private final TokenMap<SackConnection> byPeerToken = new TokenMap<>();
  private final Set<Connection> active = new LinkedHashSet<>();
  private final Set<ConnectAttempt> attempts = new LinkedHashSet<>();
  private final Runnable stopListening;
  private final Set<Connection> lingering = new LinkedHashSet<>();
  private boolean closed;

  /**
   * A transport on a node.
   *
   * @throws IllegalArgumentException when the options name an unknown congestion control
   */
  public StreamTransport(TransportContext context, StreamOptions options) {
    this.context = context;
    this.options = options;
    this.pool = new BufferPool(options.memoryBytes());
    this.congestion = CongestionControl.provider(options.congestionControl());
    this.stopListening = context.onAddressChange(this::addressChanged);
  }

  /** What has been counted. */
  public StreamCounters counters() {
    return counters;
  }

  /** Connections open now, half-open ones included. */
  public int connections() {
    return active.size();
  }

  /**
   * Accepts connections to a service.
   *
   * @param backlog connections that may be half open before further ones are refused
   * @throws XiaSocketException with {@link Kind#ADDRESS_IN_USE} if the SID is taken
   */
  public StreamListener listen(Xid sid, int backlog, StreamAcceptor acceptor) {
    checkOpen();
    Endpoint endpoint = endpoints.get(sid);
    if (endpoint != null && (endpoint.isListening() || endpoint.isConnecting())) {
      throw inUse(sid);
    }
    if (endpoint == null) {
      endpoint = bind(sid);
    }
    endpoint.listen(backlog, acceptor);
    return endpoint;
  }

  /**
   * Opens a connection from a service of this node, usually an ephemeral one.
   *
   * @param local SID to connect from; bound as long as the connection lives
   * @param remote address of a service
   * @param timeout after which the attempt fails with {@link Kind#TIMED_OUT}
   * @return completes with the connection, or fails with {@link XiaSocketException}; cancelling it
   *     does nothing
   */
  public CompletableFuture<StreamConnection> connect(
      Xid local, Dag remote, Duration timeout, StreamHandler handler) {
    checkOpen();
    if (endpoints.containsKey(local)) {
      throw inUse(local);
    }
    if (!reserve()) {
      return CompletableFuture.failedFuture(
          new XiaSocketException(
              Kind.NO_SPACE,
              "no room for another stream; close some, or raise the node's limits",
              Map.of("open", active.size(), "buffered", pool.reservedBytes())));
    }
    Endpoint endpoint;
    try {
      endpoint = bind(local);
    } catch (RuntimeException e) {
      unreserve();
      throw e;
    }
    ConnectAttempt attempt = new ConnectAttempt(endpoint, remote, timeoutNs(timeout), handler);
    attempts.add(attempt);
    endpoint.attempt(attempt);
    CompletableFuture<StreamConnection> result = attempt.result();
    attempt.start();
    return result;
  }

  private static long timeoutNs(Duration timeout) {
    return timeout.compareTo(Duration.ofDays(1)) > 0
        ? Duration.ofDays(1).toNanos()
        : timeout.toNanos();
  }

  /**
   * Somebody who should know says that a host is now elsewhere, e.g. a signed registration. Streams
   * to that host go on there as soon as the host itself confirms it; nothing is taken on trust.
   *
   * @param host address of the host, ending in its HID
   */
  public void hostMoved(Dag host) {
    for (Connection each : List.copyOf(active)) {
      Xid peerHost = each.remote.host();
      if (each instanceof SackConnection && host.intent().equals(peerHost)) {
        List<Xid> steps = new ArrayList<>(host.nodes());
        steps.add(each.remote.intent());
        ((SackConnection) each).tryRemote(Dag.path(steps.toArray(new Xid[0])));
      }
    }
  }

  /** Drops every connection and listener; peers of our own kind are told. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    stopListening.run();
    for (ConnectAttempt each : List.copyOf(attempts)) {
      each.fail(Kind.CLOSED, "the stream transport was closed");
    }
    for (Connection each : List.copyOf(active)) {
      each.abort();
    }
    for (Endpoint each : List.copyOf(endpoints.values())) {
      each.close();
      if (endpoints.remove(each.sid) != null) {
        context.unbind(each.sid);
      }
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new XiaSocketException(Kind.CLOSED, "the stream transport was closed");
    }
  }

  private static XiaSocketException inUse(Xid sid) {
    return new XiaSocketException(
        Kind.ADDRESS_IN_USE, "the service is bound already", Map.of("sid", sid));
  }

  private Endpoint bind(Xid sid) {
    Endpoint endpoint = new Endpoint(this, sid);
    context.bind(sid, endpoint);
    endpoints.put(sid, endpoint);
    return endpoint;
  }

  void unbindIfUnused(Endpoint endpoint) {
    if (!endpoint.isUsed() && endpoints.remove(endpoint.sid, endpoint)) {
      context.unbind(endpoint.sid);
    }
  }

  // Connections

  /** Sets the memory of a connection aside; false when the node is full. */
  boolean reserve() {
    return active.size() < options.maxConnections() && pool.reserve(2L * options.bufferBytes());
  }

  /** Undoes {@link #reserve} when there will be no connection. */
  void unreserve() {
    pool.unreserve(2L * options.bufferBytes());
  }

  void attemptOver(ConnectAttempt attempt) {
    attempts.remove(attempt);
  }

  void add(Connection connection) {
    active.add(connection);
    connection.endpoint.opened();
    if (connection instanceof SackConnection) {
      SackConnection own = (SackConnection) connection;
      byToken.put(own.token, own);
      byPeerToken.put(own.peerToken, own);
    }
  }

  /** A connection lives on only to answer stragglers; false if there are too many such. */
  boolean retire(Connection connection) {
    if (active.remove(connection)) {
      lingering.add(connection);
    }
    return lingering.size() <= MAX_LINGERING && !closed;
  }

  void forget(Connection connection) {
    if (!active.remove(connection)) {
      lingering.remove(connection);
    }
    if (connection instanceof SackConnection) {
      SackConnection own = (SackConnection) connection;
      byToken.remove(own.token);
      if (byPeerToken.get(own.peerToken) == own) {
        byPeerToken.remove(own.peerToken);
      }
    }
    connection.endpoint.gone(connection);
  }

  void dropHalfOpen(Endpoint endpoint) {
    for (Connection each : List.copyOf(active)) {
      if (each.endpoint == endpoint
          && each instanceof SackConnection
          && ((SackConnection) each).isHalfOpen()) {
        ((SackConnection) each).drop();
      }
    }
  }

  @Nullable SackConnection byToken(long token) {
    return byToken.get(token);
  }

  @Nullable SackConnection byPeerToken(long token) {
    return byPeerToken.get(token);
  }

  /** A token nobody has; never 0, which stands for "unknown". */
  long newToken() {
    long token;
    do {
      token = context.random().nextLong();
    } while (token == 0 || byToken.get(token) != null);
    return token;
  }

  byte[] newShare() {
    byte[] share = new byte[StreamHeader.SHARE_LENGTH];
    context.random().nextBytes(share);
    return share;
  }

  private void addressChanged(LocalAddress address) {
    for (Connection each : List.copyOf(active)) {
      if (each instanceof SackConnection) {
        ((SackConnection) each).hostMoved(address.service(each.endpoint.sid));
      } else {
        ((LegacyConnection) each).hostMoved(address.service(each.endpoint.sid));
      }
    }
    for (Connection each : List.copyOf(lingering)) {
      if (each instanceof SackConnection) {
        ((SackConnection) each).hostMoved(address.service(each.endpoint.sid));
      }
    }
    for (ConnectAttempt each : List.copyOf(attempts)) {
      each.hostMoved();
    }
  }

  void undeliverable(Endpoint endpoint, TransportContext.DeliveryReport report) {
    for (Connection each : List.copyOf(active)) {
      if (each.endpoint == endpoint
          && each instanceof SackConnection
          && each.remote.intent().equals(report.intent())) {
        SackConnection own = (SackConnection) each;
        if (report.reason() == TransportContext.DeliveryReport.Reason.UNREACHABLE) {
          own.unreachable(report.fromDestinationHost());
        } else if (report.reason() == TransportContext.DeliveryReport.Reason.TOO_BIG) {
          own.packetTooBig(report.maxPacketBytes());
        }
      }
    }
  }

  // Packets outside of a connection

  /** Where the source nodes of a packet's XIP header begin. */
  static int sourceNodes(PacketView view) {
    int nodes = Byte.toUnsignedInt(view.buffer().get(view.xipOffset() + 6));
    return view.payloadOffset() - nodes * Dag.NODE_LENGTH;
  }

  private ByteBuffer begin(Dag remote, Dag local) {
    return context.begin(remote, local, StreamHeader.NEXT_HEADER, StreamHeader.HOP_LIMIT);
  }

  void send(int transportLength) {
    counters.packetsOut++;
    if (!context.send(transportLength)) {
      counters.noRoute++;
    }
  }

  void sendSyn(Dag local, Dag remote, long token, byte[] share) {
    ByteBuffer packet = begin(remote, local);
    writer.beginPrototype(packet, StreamHeader.SYN, 0, TransportFlyweight.NO_NUMBER);
    if (options.offerExtensions()) {
      offer(local, remote, token, 0, share);
    }
    writer.endHeader().put(StreamHeader.CONNECTION_REQUEST);
    send(writer.seal());
  }

  void sendSynAck(SackConnection connection) {
    ByteBuffer packet = begin(connection.remote, connection.local);
    writer.beginPrototype(packet, StreamHeader.SYNACK, 0, 0);
    offer(
        connection.local,
        connection.remote,
        connection.token,
        connection.peerToken,
        connection.ownShare);
    writer.endHeader().put(StreamHeader.CONNECTION_GRANTED);
    send(writer.seal());
  }

  private void offer(Dag local, Dag remote, long token, long peerToken, byte[] share) {
    writer.offer(
        token,
        peerToken,
        options.bufferBytes(),
        Math.min(0xFFFF, context.maxPacketBytes(remote)),
        share,
        local.wireBytes().length);
  }

  void sendReset(Dag remote, Dag local, long token, int reason, long reflected) {
    counters.resetsOut++;
    ByteBuffer packet = begin(remote, local);
    writer.begin(packet, StreamHeader.RST).control(token).reset(reason, reflected).endHeader();
    send(writer.seal());
  }
}
