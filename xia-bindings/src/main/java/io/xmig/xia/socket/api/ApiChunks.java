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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
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

  private static final int ENOENT = 2;
  private static final int EMSGSIZE = 90;
  private static final int ENOBUFS = 105;
  private static final int ETIMEDOUT = 110;

  private static final ByteString STATUS_ANSWER =
      ByteString.copyFromUtf8("CID request status response\0");
  private static final Logger LOG = LoggerFactory.getLogger(ApiChunks.class);

  private final LocalApi api;
  private final int port;
  private final Credit credit;
  private final Map<Xid, Request> requests = new HashMap<>();

  /** Chunks that have arrived and are to be sent to the program without being asked for. */
  private final Deque<Request> arrived = new ArrayDeque<>();

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
    static final long ASKED_FOR = -1;

    final Dag dag;
    final String text;

    /** Of a chunk that is sent as it arrives. */
    long number = ASKED_FOR;

    @Nullable ByteBuffer data;
    boolean reader;
    private Status status = Status.WAITING;

    /** Chunks are hashed only for programs that ask whether they are right. */
    Status status() {
      if (status == Status.READY && data != null && !checked) {
        checked = true;
        status = Cid.matches(dag.intent(), data) ? Status.READY : Status.INVALID_HASH;
      }
      return status;
    }

    private boolean checked;

    Request(Dag dag, String text) {
      this.dag = dag;
      this.text = text;
    }
  }

  /**
   * @param credit bounds what is sent as it arrives
   */
  ApiChunks(LocalApi api, int port, Credit credit) {
    this.api = api;
    this.port = port;
    this.credit = credit;
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

  void request(XSocketMsg message) {
    Long first = credit.isOn() ? Credit.number(message, Credit.NUMBER_FIELD) : null;
    long number = Request.ASKED_FOR;
    for (String text : message.getXRequestchunk().getDagList()) {
      if (first != null) {
        number = number == Request.ASKED_FOR ? first & 0xffff_ffffL : number + 1;
      }
      fetch(text, number);
    }
  }

  private Xid cidOf(String text) {
    Xid known = cids.get(text);
    return known != null ? known : Dag.parse(text).intent();
  }

  private Request fetch(String text, long number) {
    Xid cid = cidOf(text);
    Request known = requests.get(cid);
    if (known != null && number != Request.ASKED_FOR && known.status != Status.FAILED) {
      known.number = number; // asked for again: the program no longer awaits the first answer
      if (known.data != null && !arrived.contains(known)) {
        arrived.add(known);
        deliver();
      }
      return known;
    }
    if (known != null && known.status() != Status.FAILED && known.status() != Status.INVALID_HASH) {
      return known;
    }
    Request request = new Request(Dag.parse(text), text);
    request.number = number;
    if (!cid.is(XidType.CID) || requests.size() >= MAX_REQUESTS) {
      api.complain("port " + port + " requests " + cid + " (at most " + MAX_REQUESTS + " chunks)");
      failed(request, ENOBUFS);
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
            arrived(request, data);
          }

          @Override
          public void onFailed(Xid cid, XiaSocketException cause) {
            api.complain("port " + port + ": " + cause.getMessage());
            failed(request, cause.kind() == XiaSocketException.Kind.TIMED_OUT ? ETIMEDOUT : ENOENT);
          }
        });
  }

  private void arrived(Request request, ByteBuffer data) {
    if (data.remaining() > MAX_CHUNK) {
      LOG.info("local api: chunk of {} bytes is too large for a message", data.remaining());
      failed(request, EMSGSIZE);
      return;
    }
    request.status = Status.READY;
    request.data = data;
    if (request.number != Request.ASKED_FOR) {
      arrived.add(request);
      deliver();
    } else if (request.reader) {
      handOver(request, request.dag.toString());
    }
  }

  private void failed(Request request, int error) {
    request.status = Status.FAILED;
    if (request.number != Request.ASKED_FOR) {
      forget(request);
      api.reply(
          port,
          Credit.numbered(LocalApi.resultMessage(MsgType.XREADCHUNK, -1, error), request.number));
    }
  }

  private void forget(Request request) {
    requests.remove(request.dag.intent(), request);
    cids.remove(request.text);
  }

  /** Sends chunks that have arrived, as far as the program has shown that it takes them. */
  void deliver() {
    while (!arrived.isEmpty()) {
      Request request = arrived.peek();
      ByteBuffer data = java.util.Objects.requireNonNull(request.data);
      if (credit.isWaiting() && credit.room() < data.remaining()) {
        return; // its next report comes back here
      }
      arrived.poll();
      credit.pushed(data.remaining());
      handOver(request, "");
    }
  }

  void status(XSocketMsg.XGetchunkstatus message) {
    XSocketMsg.XGetchunkstatus.Builder answer = XSocketMsg.XGetchunkstatus.newBuilder();
    for (String text : message.getDagList()) {
      Request request = requests.get(cidOf(text));
      answer.addDag(text);
      answer.addStatus((request == null ? Status.FAILED : request.status()).name());
    }
    answer.setPayload(STATUS_ANSWER);
    api.reply(
        port, XSocketMsg.newBuilder().setType(MsgType.XGETCHUNKSTATUS).setXGetchunkstatus(answer));
  }

  void read(XSocketMsg.XReadchunk message) {
    Request request = fetch(message.getDag(), Request.ASKED_FOR);
    request.reader = true;
    if (request.data != null) {
      handOver(request, api.stack().localAddress().service(self()).toString());
    }
  }

  /** The SID of a socket that needs none, in the form of those that Click makes up. */
  private Xid self() {
    return Xid.parse(String.format("SID:30000ff0000000000000000000000000%08x", port));
  }

  /** Hands a chunk over and forgets it: reading it again requests it again. */
  private void handOver(Request request, String dag) {
    ByteBuffer data = request.data;
    if (data == null) {
      return;
    }
    forget(request);
    XSocketMsg.Builder answer =
        XSocketMsg.newBuilder()
            .setType(MsgType.XREADCHUNK)
            .setXReadchunk(
                XSocketMsg.XReadchunk.newBuilder()
                    .setDag(dag)
                    .setPayload(UnsafeByteOperations.unsafeWrap(data)));
    api.reply(
        port,
        request.number == Request.ASKED_FOR ? answer : Credit.numbered(answer, request.number));
    request.data = null;
    if (socket != null) {
      socket.recycle(data);
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
