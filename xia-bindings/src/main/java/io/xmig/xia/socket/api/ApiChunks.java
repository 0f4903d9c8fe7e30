package io.xmig.xia.socket.api;

import com.google.protobuf.ByteString;
import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import io.xmig.xia.socket.api.proto.XSocketMsg.MsgType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The chunk requests of one socket of a program. */
final class ApiChunks implements AutoCloseable {
  /** Chunks that one socket may have requested and not read. */
  private static final int MAX_REQUESTS = 4096;

  /** Largest chunk that fits into a message to a program. */
  private static final int MAX_CHUNK = 60_000;

  private static final ByteString STATUS_ANSWER =
      ByteString.copyFromUtf8("CID request status response\0");
  private static final Logger LOG = LoggerFactory.getLogger(ApiChunks.class);

  private final LocalApi api;
  private final int port;
  private final Map<Xid, Request> requests = new HashMap<>();
  private final List<Runnable> waiting = new ArrayList<>();
  private @Nullable ChunkSocket socket;
  private boolean closed;

  private enum Status {
    WAITING,
    READY,
    INVALID_HASH,
    FAILED
  }

  private static final class Request {
    final Dag dag;
    Status status = Status.WAITING;
    @Nullable ByteString data;
    boolean reader;

    Request(Dag dag) {
      this.dag = dag;
    }
  }

  ApiChunks(LocalApi api, int port) {
    this.api = api;
    this.port = port;
  }

  void open() {
    api.stack()
        .openChunks()
        .whenComplete(
            (opened, failure) -> {
              socket = opened;
              if (closed && opened != null) {
                opened.close();
                return;
              }
              List<Runnable> late = List.copyOf(waiting);
              waiting.clear();
              late.forEach(Runnable::run);
            });
  }

  void request(XSocketMsg.XRequestchunk message) {
    for (String text : message.getDagList()) {
      fetch(Dag.parse(text));
    }
  }

  private Request fetch(Dag dag) {
    Xid cid = dag.intent();
    Request known = requests.get(cid);
    if (known != null && known.status != Status.FAILED && known.status != Status.INVALID_HASH) {
      return known;
    }
    Request request = new Request(dag);
    if (!cid.is(XidType.CID) || requests.size() >= MAX_REQUESTS) {
      LOG.info("local api: port {} requests {} (at most {} chunks)", port, cid, MAX_REQUESTS);
      request.status = Status.FAILED;
      return request;
    }
    requests.put(cid, request);
    if (socket == null) {
      waiting.add(() -> start(request));
    } else {
      start(request);
    }
    return request;
  }

  private void start(Request request) {
    if (socket == null) {
      return;
    }
    socket.request(
        request.dag,
        ChunkSocket.UNKNOWN_LENGTH,
        new ChunkHandler() {
          @Override
          public void onChunk(Xid cid, ByteBuffer data) {
            arrived(request, cid, data);
          }

          @Override
          public void onFailed(Xid cid, XiaSocketException cause) {
            LOG.info("local api: port {}: {}", port, cause.getMessage());
            request.status = Status.FAILED;
          }
        });
  }

  private void arrived(Request request, Xid cid, ByteBuffer data) {
    if (data.remaining() > MAX_CHUNK) {
      LOG.info("local api: chunk of {} bytes is too large for a message", data.remaining());
      request.status = Status.FAILED;
      return;
    }
    request.status = Cid.of(data.duplicate()).equals(cid) ? Status.READY : Status.INVALID_HASH;
    request.data = ByteString.copyFrom(data);
    if (request.reader) {
      deliver(request, request.dag.toString());
    }
  }

  void status(XSocketMsg.XGetchunkstatus message) {
    XSocketMsg.XGetchunkstatus.Builder answer = XSocketMsg.XGetchunkstatus.newBuilder();
    for (String text : message.getDagList()) {
      Request request = requests.get(Dag.parse(text).intent());
      answer.addDag(text);
      answer.addStatus((request == null ? Status.FAILED : request.status).name());
    }
    answer.setPayload(STATUS_ANSWER);
    api.reply(
        port, XSocketMsg.newBuilder().setType(MsgType.XGETCHUNKSTATUS).setXGetchunkstatus(answer));
  }

  void read(XSocketMsg.XReadchunk message) {
    Request request = fetch(Dag.parse(message.getDag()));
    request.reader = true;
    if (request.data != null) {
      deliver(request, api.stack().localAddress().host().toString());
    }
  }

  /** Hands a chunk over and forgets it: reading it again requests it again. */
  private void deliver(Request request, String dag) {
    ByteString data = request.data;
    if (data != null) {
      requests.remove(request.dag.intent());
      api.reply(
          port,
          XSocketMsg.newBuilder()
              .setType(MsgType.XREADCHUNK)
              .setXReadchunk(XSocketMsg.XReadchunk.newBuilder().setDag(dag).setPayload(data)));
    }
  }

  @Override
  public void close() {
    closed = true;
    if (socket != null) {
      socket.close();
    }
  }
}
