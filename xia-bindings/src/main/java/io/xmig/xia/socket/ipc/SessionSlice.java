package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** A client's cache slice; knows the memory of its chunks, so that it can be used again. */
final class SessionSlice implements AutoCloseable {
  /** In place of a buffer that must be left to the collector: the node may hold it or another. */
  private static final ByteBuffer UNSURE = ByteBuffer.allocate(0);

  private final Session session;
  private final CacheSlice slice;
  private final Map<Xid, ByteBuffer> buffers = new HashMap<>();

  SessionSlice(Session session, CacheSlice slice) {
    this.session = session;
    this.slice = slice;
  }

  CompletableFuture<Void> put(Xid cid, ByteBuffer data) {
    ByteBuffer owned = data.duplicate();
    return slice
        .put(cid, data)
        .whenComplete(
            (nothing, failure) -> {
              if (failure != null) {
                session.pool().release(owned);
              } else if (buffers.put(cid, owned) != null) {
                buffers.put(cid, UNSURE); // put twice: which of the two was kept?
              }
            });
  }

  void remove(Xid cid) {
    slice.remove(cid);
    ByteBuffer buffer = buffers.remove(cid);
    if (buffer != null) {
      session.pool().release(buffer);
    }
  }

  @Override
  public void close() {
    slice.close(); // chunks may be retained, so their memory is not taken back
    buffers.clear();
  }
}
