package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * A client's chunk requests. Only as many are handed to the node as their answers may lie in the
 * node's memory; the others wait here, each a few hundred bytes.
 */
final class SessionChunks implements AutoCloseable, ChunkHandler {
  /** Bytes of chunks asked for and not yet taken by the client. */
  static final int MAX_BYTES = 24 << 20;

  /** Requests that may wait; a client that has more is told so. */
  static final int MAX_WAITING = 65_536;

  /** Assumed for a chunk of unknown length. */
  private static final int USUAL_BYTES = 256 << 10;

  private record Request(Dag chunk, int length) {}

  private final Session session;
  private final int handle;
  private final ChunkSocket socket;
  private final ArrayDeque<Request> waiting = new ArrayDeque<>();
  private final Map<Xid, Integer> asked = new HashMap<>();
  private long askedBytes;
  private boolean closed;

  SessionChunks(Session session, int handle, ChunkSocket socket) {
    this.session = session;
    this.handle = handle;
    this.socket = socket;
  }

  void request(Dag chunk, int length) {
    Xid cid = chunk.intent();
    if (!cid.is(XidType.CID) || length < ChunkSocket.UNKNOWN_LENGTH) {
      throw new IpcProtocolException("not a chunk", Map.of("dag", chunk, "length", length));
    }
    if (waiting.size() >= MAX_WAITING) {
      failed(
          cid,
          new XiaSocketException(
              XiaSocketException.Kind.NO_SPACE,
              "too many chunk requests",
              Map.of("most", MAX_WAITING)));
      return;
    }
    waiting.add(new Request(chunk, length));
    ask();
  }

  private void ask() {
    while (!closed && !waiting.isEmpty() && !session.channel().isCongested()) {
      Request next = waiting.element();
      int bytes = next.length < 0 ? USUAL_BYTES : next.length;
      if (!asked.isEmpty() && askedBytes + bytes > MAX_BYTES) {
        return;
      }
      waiting.remove();
      asked.put(next.chunk.intent(), bytes);
      askedBytes += bytes;
      socket.request(next.chunk, next.length, this);
    }
  }

  void cancel(Xid cid) {
    waiting.removeIf(request -> request.chunk.intent().equals(cid));
    socket.cancel(cid);
    answered(cid);
    ask();
  }

  private void answered(Xid cid) {
    Integer bytes = asked.remove(cid);
    if (bytes != null) {
      askedBytes -= bytes;
    }
  }

  /** Goes on when the client has taken what was queued for it. */
  void drained() {
    ask();
  }

  @Override
  public void onChunk(Xid cid, ByteBuffer data) {
    answered(cid);
    if (closed || session.isOver()) {
      session.pool().release(data);
      return;
    }
    session.channel().sendBulk(Op.CHUNK, handle, 0, cid, data, true);
    ask();
  }

  @Override
  public void onFailed(Xid cid, XiaSocketException cause) {
    answered(cid);
    failed(cid, cause);
    ask();
  }

  private void failed(Xid cid, XiaSocketException cause) {
    if (!closed && !session.isOver()) {
      ByteBuffer out =
          session.channel().begin(Op.CHUNK_FAILED, handle, 0, Xid.LENGTH + Op.Limits.MESSAGE);
      Body.putXid(out, cid);
      Body.putCause(out, cause);
      session.channel().end();
    }
  }

  @Override
  public void close() {
    closed = true;
    waiting.clear();
    asked.clear();
    socket.close();
  }
}
