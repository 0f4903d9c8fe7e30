package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Fetches chunks through the node. */
final class ClientChunks extends ClientHandle implements ChunkSocket {
  private final Map<Xid, ArrayList<ChunkHandler>> waiting = new HashMap<>();

  ClientChunks(IpcStack stack, int handle) {
    super(stack, handle);
  }

  @Override
  public void request(Dag chunk, int length, ChunkHandler handler) {
    needOpen();
    waiting.computeIfAbsent(chunk.intent(), cid -> new ArrayList<>(1)).add(handler);
    ByteBuffer out = stack.channel().begin(Op.REQUEST, handle, 0, 4 + Op.Limits.DAG);
    out.putInt(length);
    Body.putDag(out, chunk);
    stack.channel().end();
  }

  @Override
  public void cancel(Xid cid) {
    if (waiting.remove(cid) != null && !closed && !stack.isGone()) {
      Body.putXid(stack.channel().begin(Op.CANCEL, handle, 0, Xid.LENGTH), cid);
      stack.channel().end();
    }
  }

  @Override
  public void recycle(ByteBuffer data) {
    stack.pool().release(data);
  }

  private @org.jspecify.annotations.Nullable ChunkHandler next(Xid cid) {
    ArrayList<ChunkHandler> handlers = waiting.get(cid);
    if (handlers == null) {
      return null;
    }
    ChunkHandler first = handlers.remove(0);
    if (handlers.isEmpty()) {
      waiting.remove(cid);
    }
    return first;
  }

  void arrived(Xid cid, ByteBuffer data) {
    ChunkHandler handler = next(cid);
    if (handler == null) { // cancelled
      stack.pool().release(data);
    } else {
      handler.onChunk(cid, data);
    }
  }

  @Override
  void message(Op op, ByteBuffer body) {
    if (op != Op.CHUNK_FAILED) {
      super.message(op, body);
      return;
    }
    Xid cid = Body.xid(body);
    XiaSocketException cause = Body.cause(body);
    ChunkHandler handler = next(cid);
    if (handler != null) {
      handler.onFailed(cid, cause);
    }
  }

  @Override
  void nodeGone(XiaSocketException cause) {
    super.nodeGone(cause);
    Map<Xid, List<ChunkHandler>> left = new HashMap<>(waiting);
    waiting.clear();
    left.forEach((cid, handlers) -> handlers.forEach(handler -> handler.onFailed(cid, cause)));
  }

  @Override
  public void close() {
    waiting.clear();
    super.close();
  }
}
