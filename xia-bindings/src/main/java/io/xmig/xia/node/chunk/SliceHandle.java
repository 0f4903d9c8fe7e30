package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/** What an application holds of a slice of the content cache. */
final class SliceHandle implements CacheSlice {
  private final TransportContext context;
  private final ContentCache.Slice slice;

  SliceHandle(TransportContext context, ContentCache.Slice slice) {
    this.context = context;
    this.slice = slice;
  }

  @Override
  public CompletableFuture<Void> put(Xid cid, ByteBuffer data) {
    try {
      slice.put(cid, data);
      return CompletableFuture.completedFuture(null);
    } catch (XiaSocketException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public void remove(Xid cid) {
    slice.remove(cid);
  }

  @Override
  public Dag dagOf(Xid cid) {
    return context.localAddress().chunk(cid);
  }

  @Override
  public void close() {
    slice.close();
  }
}
