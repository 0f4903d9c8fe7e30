package io.xmig.xia.node.stream;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A connection being opened: SYN every 300 ms as v1.1 does it, with our offer on it, until somebody
 * answers.
 */
final class ConnectAttempt {
  /** Interval of SYNs and how many there are at that interval. docs/behaviour.md section 1. */
  static final long SYN_INTERVAL_NS = 300_000_000L;

  static final int SYNS = 31;

  private static final long LATER_INTERVAL_NS = 1_000_000_000L;
  private static final long UNREACHABLE_PATIENCE_NS = 2_000_000_000L;

  final long token;
  private final Endpoint endpoint;
  private final StreamTransport transport;
  private final TransportContext context;
  private final Dag remote;
  private final StreamHandler handler;
  private final byte[] share;
  private final Alarm alarm;
  private final long endNs;
  private final CompletableFuture<StreamConnection> result = new CompletableFuture<>();
  private Dag local;
  private int syns;
  private long nextSynNs;
  private long unreachableSinceNs = Alarm.NEVER;
  private boolean moved;
  private boolean done;

  ConnectAttempt(Endpoint endpoint, Dag remote, long timeoutNs, StreamHandler handler) {
    this.endpoint = endpoint;
    this.transport = endpoint.transport;
    this.context = transport.context;
    this.remote = remote;
    this.handler = handler;
    this.token = transport.newToken();
    this.share = transport.newShare();
    this.local = endpoint.localDag();
    this.endNs = context.nowNs() + Math.max(1, timeoutNs);
    this.alarm = new Alarm(context, this::onAlarm);
  }

  CompletableFuture<StreamConnection> result() {
    return result;
  }

  void start() {
    sendSyn(context.nowNs());
  }

  boolean isTo(Xid intent) {
    return remote.intent().equals(intent);
  }

  private void onAlarm() {
    long now = context.nowNs();
    long since = unreachableSinceNs;
    if (since != Alarm.NEVER && now - since >= UNREACHABLE_PATIENCE_NS) {
      fail(Kind.UNREACHABLE, "no way to the destination");
    } else if (now >= endNs) {
      if (since != Alarm.NEVER) {
        fail(Kind.UNREACHABLE, "no way to the destination");
      } else {
        fail(Kind.TIMED_OUT, "no answer to the connection request");
      }
    } else if (now >= nextSynNs) {
      sendSyn(now);
    } else {
      setAlarm();
    }
  }

  private void setAlarm() {
    long due = Math.min(endNs, nextSynNs);
    if (unreachableSinceNs != Alarm.NEVER) {
      due = Math.min(due, unreachableSinceNs + UNREACHABLE_PATIENCE_NS);
    }
    alarm.at(due);
  }

  private void sendSyn(long now) {
    local = endpoint.localDag();
    transport.sendSyn(local, remote, token, share);
    syns++;
    nextSynNs = now + (syns < SYNS ? SYN_INTERVAL_NS : LATER_INTERVAL_NS);
    setAlarm();
  }

  /** The host has moved: ask from the new address at once. */
  void hostMoved() {
    moved = true;
    sendSyn(context.nowNs());
  }

  void granted(PacketView view, StreamHeader header) {
    AddressProof proof =
        new AddressProof(share, header.offerShare(), token, header.offerToken(), true);
    SackConnection connection =
        new SackConnection(
            endpoint,
            local,
            view.source(),
            true,
            token,
            header.offerToken(),
            header.offerWindow(),
            header.offerMaxPacket(),
            proof);
    connection.handler = handler;
    transport.add(connection);
    finish();
    connection.confirm(moved);
    transport.counters.connected++;
    result.complete(connection);
  }

  void grantedByPrototype(PacketView view) {
    LegacyConnection connection = new LegacyConnection(endpoint, local, view.source());
    connection.handler = handler;
    endpoint.addLegacy(view.sourceIntent(), connection);
    transport.add(connection);
    finish();
    transport.counters.connected++;
    result.complete(connection);
  }

  void refused(int reason) {
    fail(Reset.kind(reason), Reset.text(reason));
  }

  /** An unauthenticated hint; the SYN's ephemeral SID in it is what makes it worth something. */
  void unreachable(boolean fromHost) {
    if (fromHost) {
      fail(Kind.REFUSED, "the host answers, but nobody listens there");
    } else if (unreachableSinceNs == Alarm.NEVER) {
      unreachableSinceNs = context.nowNs();
      setAlarm();
    }
  }

  void fail(Kind kind, String what) {
    if (!done) {
      transport.unreserve();
      finish();
      result.completeExceptionally(
          new XiaSocketException(kind, what, Map.of("remote", remote, "requests", syns)));
    }
  }

  private void finish() {
    done = true;
    alarm.cancel();
    transport.attemptOver(this);
    endpoint.attempt(null);
  }
}
