package io.xmig.xia.socket.api;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
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

  /** Programs ask for the status of the same texts again and again. */
  private final Map<String, Xid> cids = new HashMap<>();

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
    final String text;
    Status status = Status.WAITING;
    @Nullable ByteBuffer data;
    boolean reader;

    Request(Dag dag, String text) {
      this.dag = dag;
      this.text = text;
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
      fetch(text);
    }
  }

  private Xid cidOf(String text) {
    Xid known = cids.get(text);
    return known != null ? known : Dag.parse(text).intent();
  }

  private Request fetch(String text) {
    Xid cid = cidOf(text);
    Request known = requests.get(cid);
    if (known != null && known.status != Status.FAILED && known.status != Status.INVALID_HASH) {
      return known;
    }
    Request request = new Request(Dag.parse(text), text);
    if (!cid.is(XidType.CID) || requests.size() >= MAX_REQUESTS) {
      api.complain("port " + port + " requests " + cid + " (at most " + MAX_REQUESTS + " chunks)");
      request.status = Status.FAILED;
      return request;
    }
    requests.put(cid, request);
    if (cids.size() > 2 * MAX_REQUESTS) {
      cids.clear(); // texts of requests that failed
    }
    cids.put(text, cid);
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
            api.complain("port " + port + ": " + cause.getMessage());
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
    request.data = data;
    if (request.reader) {
      deliver(request, request.dag.toString());
    }
  }

  void status(XSocketMsg.XGetchunkstatus message) {
    XSocketMsg.XGetchunkstatus.Builder answer = XSocketMsg.XGetchunkstatus.newBuilder();
    for (String text : message.getDagList()) {
      Request request = requests.get(cidOf(text));
      answer.addDag(text);
      answer.addStatus((request == null ? Status.FAILED : request.status).name());
    }
    answer.setPayload(STATUS_ANSWER);
    api.reply(
        port, XSocketMsg.newBuilder().setType(MsgType.XGETCHUNKSTATUS).setXGetchunkstatus(answer));
  }

  void read(XSocketMsg.XReadchunk message) {
    Request request = fetch(message.getDag());
    request.reader = true;
    if (request.data != null) {
      deliver(request, api.stack().localAddress().service(self()).toString());
    }
  }

  /** The SID of a socket that needs none, in the form of those that Click makes up. */
  private Xid self() {
    return Xid.parse(String.format("SID:30000ff0000000000000000000000000%08x", port));
  }

  /** Hands a chunk over and forgets it: reading it again requests it again. */
  private void deliver(Request request, String dag) {
    ByteBuffer data = request.data;
    if (data != null) {
      requests.remove(request.dag.intent());
      cids.remove(request.text);
      api.reply(
          port,
          XSocketMsg.newBuilder()
              .setType(MsgType.XREADCHUNK)
              .setXReadchunk(
                  XSocketMsg.XReadchunk.newBuilder()
                      .setDag(dag)
                      .setPayload(UnsafeByteOperations.unsafeWrap(data))));
      request.data = null;
      if (socket != null) {
        socket.recycle(data);
      }
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
