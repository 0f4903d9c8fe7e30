package io.xmig.xia.socket.api;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import io.xmig.xia.socket.api.proto.XSocketMsg.MsgType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
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

  private static final long SWEEP_NS = 5_000_000_000L;
  private static final long COMPLAINT_NS = 1_000_000_000L;
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
  private final ByteBuffer out = ByteBuffer.allocateDirect(MAX_DATAGRAM);
  private EventLoop.@Nullable Timer sweeping;
  private boolean complained;
  private long complainedNs;
  private long unsaid;

  /** Where datagrams to programs go. */
  public interface Output {
    /**
     * Sends one message to the UDP port of a program's socket; the buffer is used again after the
     * call.
     */
    void send(int port, ByteBuffer message);

    /** Bytes that lie unread in the program's socket on this port, 0 if that cannot be known. */
    default int unread(int port) {
      return 0;
    }

    /** Those of the ports whose sockets no longer exist; none if that cannot be known. */
    default Set<Integer> gone(Set<Integer> ports) {
      return Set.of();
    }

    /** Bytes from programs that may lie unread in the node's socket. */
    default long buffer() {
      return Long.MAX_VALUE / 2;
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
   *
   * @param datagram belongs to this node from now on
   */
  public void datagram(int port, ByteBuffer datagram) {
    XSocketMsg message;
    try {
      message = parse(datagram);
    } catch (InvalidProtocolBufferException e) {
      complain("port " + port + " sent something that is not a message: " + e.getMessage());
      return;
    }
    try {
      handle(port, message);
    } catch (DagParseException e) {
      complain("port " + port + ": " + e.getMessage());
      result(
          port, message.getType(), -1, message.getType() == MsgType.XBIND ? EADDRNOTAVAIL : EINVAL);
    }
  }

  /** Bytes in the message are views of the datagram. */
  private static XSocketMsg parse(ByteBuffer datagram) throws InvalidProtocolBufferException {
    CodedInputStream in = UnsafeByteOperations.unsafeWrap(datagram).newCodedInput();
    in.enableAliasing(true);
    XSocketMsg message = XSocketMsg.parser().parseFrom(in);
    in.checkLastTagWas(0);
    return message;
  }

  /** Whether the program on this port uses our library, which reads less of some answers. */
  boolean isOurs(int port) {
    ApiSocket socket = sockets.get(port);
    return socket != null && socket.credit().isOn();
  }

  /** Says what is wrong, but not as often as a program can do it. */
  void complain(String what) {
    long now = stack.loop().nanoTime();
    if (complained && now - complainedNs < COMPLAINT_NS) {
      unsaid++;
      return;
    }
    LOG.info("local api: {}{}", what, unsaid == 0 ? "" : " (and " + unsaid + " more)");
    complained = true;
    complainedNs = now;
    unsaid = 0;
  }

  private void handle(int port, XSocketMsg message) {
    MsgType type = message.getType();
    if (type == MsgType.XSOCKET) {
      open(port, message);
      return;
    }
    if (type == MsgType.XACCEPT) {
      accept(port, message);
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
          complain(type + " from port " + port + " that has no socket");
        } else {
          socket.handle(message);
        }
      }
    }
  }

  private void open(int port, XSocketMsg message) {
    int type = message.getXSocket().getType();
    ApiSocket old = sockets.remove(port);
    if (old != null) {
      old.close(); // the port was given to another program after its owner died
    }
    if (type < ApiSocket.STREAM || type > ApiSocket.CHUNK) {
      result(port, MsgType.XSOCKET, -1, EINVAL);
      return;
    }
    if (sockets.size() >= MAX_SOCKETS && sweep() == 0) {
      result(port, MsgType.XSOCKET, -1, ENFILE);
      return;
    }
    Credit credit = Credit.offeredBy(message, type == ApiSocket.STREAM ? window() : Credit.WINDOW);
    ApiSocket socket = new ApiSocket(this, port, type, credit);
    put(port, socket);
    socket.opened();
    reply(port, credit.announce(resultMessage(MsgType.XSOCKET, 0, 0)));
  }

  private void put(int port, ApiSocket socket) {
    sockets.put(port, socket);
    if (sweeping == null) {
      sweeping = stack.loop().schedule(SWEEP_NS, this::sweepAgain);
    }
  }

  private void sweepAgain() {
    sweeping = null;
    sweep();
    if (!sockets.isEmpty()) {
      sweeping = stack.loop().schedule(SWEEP_NS, this::sweepAgain);
    }
  }

  /**
   * Closes the sockets of programs that ended without closing them: nothing else would free their
   * SIDs.
   *
   * @return how many there were
   */
  int sweep() {
    Set<Integer> gone = output.gone(Set.copyOf(sockets.keySet()));
    for (int port : gone) {
      ApiSocket socket = sockets.get(port);
      if (socket != null) {
        LOG.info("local api: the program on port {} is gone", port);
        release(port, socket);
      }
    }
    return gone.size();
  }

  /**
   * The window of one more stream: all windows together stay below what the node's socket holds, so
   * that programs that send at once lose nothing.
   */
  private int window() {
    long used = 0;
    for (ApiSocket socket : sockets.values()) {
      used += socket.isStream() ? socket.credit().window() : 0;
    }
    long share = (output.buffer() - used) / 2;
    return (int) Math.max(Credit.SMALLEST_WINDOW, Math.min(Credit.WINDOW, share));
  }

  /** The oldest connection of a listening socket; of any, where the library does not say which. */
  private @Nullable PendingConnection nextPending(@Nullable Long listener) {
    pending.removeIf(p -> p.bridge().isClosed());
    for (PendingConnection p : pending) {
      if (listener == null || p.listener().port() == listener) {
        pending.remove(p);
        return p;
      }
    }
    return null;
  }

  private void accept(int port, XSocketMsg message) {
    PendingConnection next = nextPending(Credit.number(message, Credit.LISTENER_FIELD));
    if (next == null) {
      result(port, MsgType.XACCEPT, -1, ECONNABORTED);
      return;
    }
    Credit credit = next.listener().credit().acceptedBy(message, window());
    ApiSocket socket = new ApiSocket(this, port, ApiSocket.STREAM, credit);
    ApiSocket old = sockets.remove(port);
    if (old != null) {
      old.close();
    }
    put(port, socket);
    XSocketMsg.Builder answer =
        XSocketMsg.newBuilder()
            .setType(MsgType.XACCEPT)
            .setXAccept(
                XSocketMsg.XAccept.newBuilder().setDag(next.bridge().remoteDag().toString()));
    reply(port, credit.announce(answer));
    socket.adopt(next.bridge());
  }

  /** Remembers a connection until some program accepts it; the prototype has one queue per node. */
  void announce(ApiSocket listener, StreamBridge bridge) {
    if (pending.stream().filter(p -> p.listener() == listener).count() >= ApiSocket.BACKLOG) {
      complain("port " + listener.port() + " does not accept its connections");
      bridge.abort();
      return;
    }
    pending.add(new PendingConnection(listener, bridge));
    recv(
        listener.port(),
        bridge.remoteDag().toString(),
        ByteString.copyFromUtf8("Connection_request"));
  }

  private void close(int port, @Nullable ApiSocket socket) {
    if (socket != null) {
      release(port, socket);
    }
    result(port, MsgType.XCLOSE, 0, 0);
  }

  private void release(int port, ApiSocket socket) {
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
    XSocketMsg built = message.build();
    if (built.getSerializedSize() > out.capacity()) {
      complain("no datagram takes the answer to port " + port + ": " + built.getType());
      return;
    }
    out.clear();
    CodedOutputStream coded = CodedOutputStream.newInstance(out);
    try {
      built.writeTo(coded);
      coded.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("a message was longer than it said", e);
    }
    output.send(port, out.flip());
  }

  @Override
  public void close() {
    if (sweeping != null) {
      sweeping.cancel();
      sweeping = null;
    }
    pending.forEach(p -> p.bridge().abort());
    pending.clear();
    sockets.values().forEach(ApiSocket::close);
    sockets.clear();
    slices.values().forEach(ApiSlice::close);
    slices.clear();
  }
}
