package io.xmig.xia.socket.api;

import com.google.protobuf.ByteString;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XcmpHandler;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import io.xmig.xia.socket.api.proto.XSocketMsg.MsgType;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One Xsocket of a program. */
final class ApiSocket implements AutoCloseable {
  static final int STREAM = 1;
  static final int DGRAM = 2;
  static final int RAW = 3;
  static final int CHUNK = 4;

  private static final int OPT_HLIM = 1;
  private static final int OPT_NEXT_PROTO = 2;
  private static final int XCMP = 0x3d;
  private static final int DEFAULT_HLIM = 250;
  static final int BACKLOG = 128;
  private static final int MAX_EARLY_DATAGRAMS = 64;
  private static final int EADDRINUSE = 98;

  /** As long as the prototype repeats its SYN, and some more for the answer. */
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(12);

  private static final Logger LOG = LoggerFactory.getLogger(ApiSocket.class);

  private final LocalApi api;
  private final int port;
  private final int type;
  private final Credit credit;
  private final ApiChunks chunks;
  private final Deque<XSocketMsg.XSendto> early = new ArrayDeque<>();
  private @Nullable StreamListener listener;
  private @Nullable StreamBridge bridge;
  private @Nullable DatagramSocket datagrams;
  private @Nullable XcmpSocket xcmp;
  private boolean opening;
  private boolean closed;
  private int hopLimit = DEFAULT_HLIM;
  private int nextProtocol;

  ApiSocket(LocalApi api, int port, int type, Credit credit) {
    this.api = api;
    this.port = port;
    this.type = type;
    this.credit = credit;
    this.chunks = new ApiChunks(api, port, credit);
  }

  int port() {
    return port;
  }

  boolean isStream() {
    return type == STREAM;
  }

  Credit credit() {
    return credit;
  }

  void opened() {
    if (type == CHUNK) {
      chunks.open();
    }
  }

  void handle(XSocketMsg message) {
    switch (message.getType()) {
      case XBIND -> bind(Dag.parse(message.getXBind().getSdag()));
      case XCONNECT -> connect(Dag.parse(message.getXConnect().getDdag()));
      case XSEND -> sendOnStream(message);
      case XRECV -> {
        Long read = Credit.consumedIn(message);
        if (read != null) {
          credit.read(read);
          pushMore();
        }
      }
      case XSENDTO -> sendTo(message.getXSendto());
      case XSETSOCKOPT -> setOption(message.getXSetsockopt());
      case XGETSOCKOPT -> getOption(message.getXGetsockopt());
      case XREQUESTCHUNK -> chunks.request(message);
      case XGETCHUNKSTATUS -> chunks.status(message.getXGetchunkstatus());
      case XREADCHUNK -> chunks.read(message.getXReadchunk());
      case XGETPEERNAME -> name(message.getType());
      case XGETSOCKNAME -> name(message.getType());
      default -> LOG.info("local api: {} makes no sense from a program", message.getType());
    }
  }

  private void pushMore() {
    if (bridge != null) {
      bridge.pushToProgram();
    }
    chunks.deliver();
  }

  private void bind(Dag address) {
    Xid sid = address.intent();
    if (type == RAW || type == CHUNK) {
      api.result(port, MsgType.XBIND, 0, 0); // the address that packets are sent from is the host's
      return;
    }
    if (!sid.is(XidType.SID)) {
      api.result(port, MsgType.XBIND, -1, LocalApi.EADDRNOTAVAIL);
      return;
    }
    if (type == STREAM) {
      listen(sid, true);
    } else {
      openDatagrams(sid);
    }
  }

  /**
   * @param again whether to look for sockets of programs that died if the SID is taken
   */
  private void listen(Xid sid, boolean again) {
    api.stack()
        .listen(
            sid,
            BACKLOG,
            connection -> {
              StreamBridge arriving = new StreamBridge(api);
              arriving.connection(connection);
              api.announce(this, arriving);
              return arriving;
            })
        .whenComplete(
            (bound, failure) -> {
              if (failure != null && again && api.sweep() > 0) {
                listen(sid, false);
                return;
              }
              listener = bound;
              bound(bound, failure);
            });
  }

  private void bound(@Nullable AutoCloseable socket, @Nullable Throwable failure) {
    if (closed && socket != null) {
      close();
    }
    api.result(port, MsgType.XBIND, failure == null ? 0 : -1, failure == null ? 0 : EADDRINUSE);
  }

  private void openDatagrams(@Nullable Xid sid) {
    openDatagrams(sid, sid != null);
  }

  private void openDatagrams(@Nullable Xid sid, boolean again) {
    opening = true;
    api.stack()
        .openDatagram(
            sid,
            (source, payload, inPort) ->
                api.recv(port, source.toString(), ByteString.copyFrom(payload)))
        .whenComplete(
            (opened, failure) -> {
              opening = false;
              if (failure != null && again && api.sweep() > 0) {
                openDatagrams(sid, false);
                return;
              }
              datagrams = opened;
              if (sid != null) {
                bound(opened, failure);
              } else if (closed && opened != null) {
                opened.close();
              }
              while (datagrams != null && !early.isEmpty()) {
                sendTo(early.poll());
              }
            });
  }

  private void connect(Dag remote) {
    if (type != STREAM) {
      return;
    }
    StreamBridge connecting = new StreamBridge(api);
    bridge = connecting;
    StreamListener bound = listener;
    CompletableFuture<StreamConnection> attempt;
    if (bound == null) {
      attempt = api.stack().connect(remote, CONNECT_TIMEOUT, connecting);
    } else { // a bound socket that connects does so from its SID, and listens no more
      listener = null;
      bound.close();
      attempt =
          api.stack().connectFrom(bound.localDag().intent(), remote, CONNECT_TIMEOUT, connecting);
    }
    attempt.whenComplete(
        (connection, failure) -> {
          if (failure != null) {
            LOG.info("local api: port {} cannot connect: {}", port, failure.getMessage());
            api.recv(port, "RE", ByteString.copyFromUtf8("^Connection-failed^"));
            return;
          }
          if (closed) {
            connection.abort();
            return;
          }
          api.recv(
              port,
              connection.remoteDag().toString(),
              ByteString.copyFromUtf8("Connection_granted"));
          connecting.join(this, connection);
        });
  }

  /** Takes over a connection that the program accepted on this port. */
  void adopt(StreamBridge accepted) {
    bridge = accepted;
    StreamConnection connection = accepted.connection();
    if (connection != null) {
      accepted.join(this, connection);
    }
  }

  private void sendOnStream(XSocketMsg message) {
    if (bridge == null) {
      api.complain("port " + port + " sends without a connection");
      return;
    }
    if (!credit.inOrder(message)) {
      bridge.lostPiece();
      return;
    }
    try {
      credit.arrived(message.getXSend().getPayload().size());
      bridge.send(message.getXSend().getPayload().asReadOnlyByteBuffer());
    } catch (XiaSocketException e) {
      LOG.info("local api: port {}: {}", port, e.getMessage());
    }
  }

  /** Bytes of the program went into its connection. */
  void consumed(int bytes) {
    long total = credit.taken(bytes);
    if (total >= 0) {
      api.reply(credit.reportPort(port), Credit.consumed(total));
    }
  }

  private void sendTo(XSocketMsg.XSendto request) {
    ByteBuffer payload = request.getPayload().asReadOnlyByteBuffer();
    Dag destination = Dag.parse(request.getDdag());
    if (type == RAW) {
      sendXcmp(destination, payload);
      return;
    }
    if (type != DGRAM) {
      return;
    }
    if (datagrams == null) {
      if (early.size() < MAX_EARLY_DATAGRAMS) {
        early.add(request);
      }
      if (!opening) {
        openDatagrams(null);
      }
      return;
    }
    try {
      datagrams.send(destination, payload);
    } catch (XiaSocketException e) {
      LOG.info("local api: port {}: {}", port, e.getMessage());
    }
  }

  private void sendXcmp(Dag destination, ByteBuffer message) {
    if (xcmp == null || nextProtocol != XCMP || message.remaining() < 8 || message.get(0) != 8) {
      return;
    }
    ByteBuffer m = message.slice().order(java.nio.ByteOrder.LITTLE_ENDIAN);
    int id = Short.toUnsignedInt(m.getShort(4));
    int sequence = Short.toUnsignedInt(m.getShort(6));
    xcmp.echo(destination, id, sequence, m.position(8).slice(), Math.max(1, hopLimit));
  }

  private void setOption(XSocketMsg.XSetsockopt request) {
    if (request.getOptType() == OPT_HLIM
        && request.getIntOpt() >= 0
        && request.getIntOpt() <= 255) {
      hopLimit = request.getIntOpt();
      api.result(port, MsgType.XSETSOCKOPT, 0, 0);
    } else if (request.getOptType() == OPT_NEXT_PROTO && request.getIntOpt() == XCMP) {
      nextProtocol = XCMP;
      api.stack()
          .openXcmp(
              new XcmpHandler() {
                @Override
                public void onMessage(Dag source, ByteBuffer message) {
                  api.recv(port, source.toString(), RawPacket.of(api.stack(), source, message));
                }

                @Override
                public void onPacket(Dag source, ByteBuffer packet, ByteBuffer message) {
                  api.recv(port, source.toString(), ByteString.copyFrom(packet));
                }
              })
          .whenComplete(
              (opened, failure) -> {
                xcmp = opened;
                if (closed && opened != null) {
                  opened.close();
                }
                api.result(
                    port,
                    MsgType.XSETSOCKOPT,
                    failure == null ? 0 : -1,
                    failure == null ? 0 : LocalApi.EINVAL);
              });
    } else {
      api.result(port, MsgType.XSETSOCKOPT, -1, LocalApi.EINVAL);
    }
  }

  private void getOption(XSocketMsg.XGetsockopt request) {
    int value = request.getOptType() == OPT_HLIM ? hopLimit : nextProtocol;
    api.reply(
        port,
        XSocketMsg.newBuilder()
            .setType(MsgType.XGETSOCKOPT)
            .setXGetsockopt(
                XSocketMsg.XGetsockopt.newBuilder()
                    .setOptType(request.getOptType())
                    .setIntOpt(value)));
  }

  private void name(MsgType which) {
    StreamConnection connection = bridge == null ? null : bridge.connection();
    Dag dag =
        connection == null
            ? null
            : which == MsgType.XGETPEERNAME ? connection.remoteDag() : connection.localDag();
    if (dag == null) {
      api.result(port, which, -1, LocalApi.EINVAL);
      return;
    }
    XSocketMsg.Builder answer = XSocketMsg.newBuilder().setType(which);
    if (which == MsgType.XGETPEERNAME) {
      answer.setXGetpeername(XSocketMsg.XGetpeername.newBuilder().setDag(dag.toString()));
    } else {
      answer.setXGetsockname(XSocketMsg.XGetsockname.newBuilder().setDag(dag.toString()));
    }
    api.reply(port, answer);
  }

  @Override
  public void close() {
    closed = true;
    if (listener != null) {
      listener.close();
    }
    if (bridge != null) {
      bridge.close();
    }
    if (datagrams != null) {
      datagrams.close();
    }
    if (xcmp != null) {
      xcmp.close();
    }
    chunks.close();
  }
}
