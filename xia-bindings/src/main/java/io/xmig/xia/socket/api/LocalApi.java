package io.xmig.xia.socket.api;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import io.xmig.xia.socket.api.proto.XSocketMsg.MsgType;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's side of the local protocol, without input and output of its own: a datagram from a
 * program goes in with the UDP port it came from (the port is the socket's identity), datagrams to
 * programs come out.
 *
 * <p>Replies have their fields in ascending order and strings before zero-valued numbers, because
 * the prototype's library reads a reply only up to its first zero byte.
 *
 * @threading on the stack's loop
 * @source XIA prototype v1.1, docs/xsocket-api.md part B
 */
public final class LocalApi implements AutoCloseable {
  /** Largest datagram taken from a program: a full buffer and the message around it. */
  public static final int MAX_DATAGRAM = 65_507;

  /** Sockets that programs may have open on one node. */
  public static final int MAX_SOCKETS = 4096;

  static final int EADDRNOTAVAIL = 99;
  static final int ECONNABORTED = 103;
  static final int EINVAL = 22;
  static final int ENFILE = 23;
  private static final Logger LOG = LoggerFactory.getLogger(LocalApi.class);

  private final XiaStack stack;
  private final Output output;
  private final boolean dualStack;
  private final Map<Integer, ApiSocket> sockets = new HashMap<>();
  private final Map<Integer, ApiSlice> slices = new HashMap<>();
  private final Deque<PendingConnection> pending = new ArrayDeque<>();

  /** Where datagrams to programs go. */
  public interface Output {
    /** Sends one message to the UDP port of a program's socket; the buffer is the callee's. */
    void send(int port, ByteBuffer message);

    /** Bytes that lie unread in the program's socket on this port, 0 if that cannot be known. */
    default int unread(int port) {
      return 0;
    }
  }

  /** A connection that was announced to a program and waits for its XACCEPT. */
  record PendingConnection(ApiSocket listener, StreamBridge bridge) {}

  /**
   * @param dualStack what XisDualStackRouter answers
   */
  public LocalApi(XiaStack stack, boolean dualStack, Output output) {
    this.stack = stack;
    this.output = output;
    this.dualStack = dualStack;
  }

  int unread(int port) {
    return output.unread(port);
  }

  XiaStack stack() {
    return stack;
  }

  /**
   * Takes one datagram from a program; whatever is wrong with it is logged and ignored, as Click
   * does.
   */
  public void datagram(int port, ByteBuffer datagram) {
    XSocketMsg message;
    try {
      message = XSocketMsg.parseFrom(datagram);
    } catch (InvalidProtocolBufferException e) {
      LOG.info("local api: port {} sent something that is not a message: {}", port, e.getMessage());
      return;
    }
    try {
      handle(port, message);
    } catch (DagParseException e) {
      LOG.info("local api: port {}: {}", port, e.getMessage());
      result(
          port, message.getType(), -1, message.getType() == MsgType.XBIND ? EADDRNOTAVAIL : EINVAL);
    }
  }

  private void handle(int port, XSocketMsg message) {
    MsgType type = message.getType();
    if (type == MsgType.XSOCKET) {
      open(port, message.getXSocket().getType(), message.getXSocket().getTemp());
      return;
    }
    if (type == MsgType.XACCEPT) {
      accept(port);
      return;
    }
    ApiSocket socket = sockets.get(port);
    switch (type) {
      case XCLOSE -> close(port, socket);
      case XCHANGEAD -> changeAd(message);
      case XREADLOCALHOSTADDR -> localAddress(port);
      case XUPDATENAMESERVERDAG ->
          stack.updateNameServer(Dag.parse(message.getXUpdatenameserverdag().getDag()));
      case XREADNAMESERVERDAG -> nameServer(port);
      case XISDUALSTACKROUTER ->
          reply(
              port,
              XSocketMsg.newBuilder()
                  .setType(type)
                  .setXIsdualstackrouter(
                      XSocketMsg.XIsdualstackrouter.newBuilder().setFlag(dualStack ? 1 : 0)));
      case XPUTCHUNK ->
          slice(message.getXPutchunk().getContextid()).put(port, message.getXPutchunk());
      case XREMOVECHUNK -> removeChunk(port, message.getXRemovechunk());
      default -> {
        if (socket == null) {
          LOG.info("local api: {} from port {} that has no socket", type, port);
        } else {
          socket.handle(message);
        }
      }
    }
  }

  private void open(int port, int type, String offer) {
    ApiSocket old = sockets.remove(port);
    if (old != null) {
      old.close(); // the port was given to another program after its owner died
    }
    if (type < ApiSocket.STREAM || type > ApiSocket.CHUNK) {
      result(port, MsgType.XSOCKET, -1, EINVAL);
      return;
    }
    if (sockets.size() >= MAX_SOCKETS) {
      result(port, MsgType.XSOCKET, -1, ENFILE);
      return;
    }
    ApiSocket socket = new ApiSocket(this, port, type, Credit.offeredBy(offer));
    sockets.put(port, socket);
    socket.opened();
    XSocketMsg.Builder done = resultMessage(MsgType.XSOCKET, 0, 0);
    reply(port, socket.credit().isOn() ? Credit.announce(done) : done);
  }

  private void accept(int port) {
    PendingConnection next = pending.poll();
    while (next != null && next.bridge().isClosed()) {
      next = pending.poll();
    }
    if (next == null) {
      result(port, MsgType.XACCEPT, -1, ECONNABORTED);
      return;
    }
    ApiSocket socket =
        new ApiSocket(this, port, ApiSocket.STREAM, next.listener().credit().fresh());
    ApiSocket old = sockets.put(port, socket);
    if (old != null) {
      old.close();
    }
    XSocketMsg.Builder answer =
        XSocketMsg.newBuilder()
            .setType(MsgType.XACCEPT)
            .setXAccept(
                XSocketMsg.XAccept.newBuilder().setDag(next.bridge().remoteDag().toString()));
    reply(port, socket.credit().isOn() ? Credit.announce(answer) : answer);
    socket.adopt(next.bridge());
  }

  /** Remembers a connection until some program accepts it; the prototype has one queue per node. */
  void announce(ApiSocket listener, StreamBridge bridge) {
    pending.add(new PendingConnection(listener, bridge));
    recv(
        listener.port(),
        bridge.remoteDag().toString(),
        ByteString.copyFromUtf8("Connection_request"));
  }

  private void close(int port, @Nullable ApiSocket socket) {
    if (socket != null) {
      sockets.remove(port);
      pending.removeIf(
          p -> {
            if (p.listener() == socket) {
              p.bridge().abort();
              return true;
            }
            return false;
          });
      socket.close();
      slices.values().removeIf(slice -> slice.ownerClosed(port));
    }
    result(port, MsgType.XCLOSE, 0, 0);
  }

  private void changeAd(XSocketMsg message) {
    String fourId = message.getXChangead().getIp4Id();
    Xid four = fourId.isEmpty() ? Xid.NULL_4ID : Xid.parse(fourId);
    stack.updateAd(
        Xid.parse(message.getXChangead().getAd()), four.equals(Xid.NULL_4ID) ? null : four);
  }

  private void localAddress(int port) {
    LocalAddress here = stack.localAddress();
    Xid four = here.fourId() == null ? Xid.NULL_4ID : here.fourId();
    reply(
        port,
        XSocketMsg.newBuilder()
            .setType(MsgType.XREADLOCALHOSTADDR)
            .setXReadlocalhostaddr(
                XSocketMsg.XReadlocalhostaddr.newBuilder()
                    .setAd(here.ad().toString())
                    .setHid(here.hid().toString())
                    .setIp4Id(four.toString())));
  }

  private void nameServer(int port) {
    stack
        .nameServer()
        .whenComplete(
            (dag, failure) ->
                reply(
                    port,
                    XSocketMsg.newBuilder()
                        .setType(MsgType.XREADNAMESERVERDAG)
                        .setXReadnameserverdag(
                            XSocketMsg.XReadnameserverdag.newBuilder()
                                .setDag(dag == null ? "RE" : dag.toString()))));
  }

  private ApiSlice slice(int contextId) {
    return slices.computeIfAbsent(contextId, id -> new ApiSlice(this));
  }

  private void removeChunk(int port, XSocketMsg.XRemovechunk request) {
    ApiSlice slice = slices.get(request.getContextid());
    if (slice != null) {
      slice.remove(Xid.parse(XidType.CID + ":" + request.getCid()));
    }
    reply(
        port,
        XSocketMsg.newBuilder()
            .setType(MsgType.XREMOVECHUNK)
            .setXRemovechunk(
                XSocketMsg.XRemovechunk.newBuilder()
                    .setContextid(request.getContextid())
                    .setCid(request.getCid())
                    .setStatus(0)));
  }

  static XSocketMsg.Builder resultMessage(MsgType of, int returnCode, int errorCode) {
    return XSocketMsg.newBuilder()
        .setType(MsgType.XRESULT)
        .setXResult(
            XSocketMsg.XResult.newBuilder()
                .setType(of)
                .setReturnCode(returnCode)
                .setErrCode(errorCode));
  }

  void result(int port, MsgType of, int returnCode, int errorCode) {
    reply(port, resultMessage(of, returnCode, errorCode));
  }

  void recv(int port, String dag, ByteString payload) {
    reply(
        port,
        XSocketMsg.newBuilder()
            .setType(MsgType.XRECV)
            .setXRecv(XSocketMsg.XRecv.newBuilder().setDag(dag).setPayload(payload)));
  }

  void reply(int port, XSocketMsg.Builder message) {
    output.send(port, ByteBuffer.wrap(message.build().toByteArray()));
  }

  @Override
  public void close() {
    pending.forEach(p -> p.bridge().abort());
    pending.clear();
    sockets.values().forEach(ApiSocket::close);
    sockets.clear();
    slices.values().forEach(ApiSlice::close);
    slices.clear();
  }
}
