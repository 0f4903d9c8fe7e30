package io.xmig.chunk.store;

import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Chunks that need not be fetched since they were seen before.
 *
 * @threading the loop
 */
public interface ChunkStore {
  /** Knows no chunk. */
  ChunkStore NONE =
      new ChunkStore() {
        @Override
        public @Nullable ByteBuffer find(Xid cid) {
          return null;
        }

        @Override
        public void keep(Xid cid, ByteBuffer data) {}
      };

  /** The verified bytes of a chunk (a view that stays valid for the transfer), or {@code null}. */
  @Nullable ByteBuffer find(Xid cid);

  /** Offers a verified chunk; a store that wants it copies the remaining bytes. */
  void keep(Xid cid, ByteBuffer data);
}
