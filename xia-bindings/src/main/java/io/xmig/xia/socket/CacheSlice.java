package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/** A part of the node's content cache from which chunks are served. */
public interface CacheSlice extends AutoCloseable {
  /**
   * Publishes a chunk. The stack may keep a reference to {@code data} instead of a copy: the caller
   * must not change those bytes before the chunk has been removed or evicted. C: {@code XputChunk}.
   *
   * @param cid the SHA-1 of the data, computed by the caller off the loop
   * @param data remaining bytes are the chunk
   * @return completes when the chunk can be requested; fails with {@link
   *     XiaSocketException.Kind#NO_SPACE} or {@link XiaSocketException.Kind#MESSAGE_TOO_LONG}
   */
  CompletableFuture<Void> put(Xid cid, ByteBuffer data);

  /** Withdraws a chunk; unknown ones are ignored. C: {@code XremoveChunk}. */
  void remove(Xid cid);

  /** The address by which others request this chunk. */
  Dag dagOf(Xid cid);

  /** C: {@code XfreeCacheSlice}; unless retained, its chunks are withdrawn. */
  @Override
  void close();
}
