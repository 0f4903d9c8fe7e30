package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;

/** An endless fetch of chunks that all have the same bytes, to measure rates. */
final class Bulk {
  private final CacheSlice slice;
  private final ChunkSocket socket;
  private final ByteBuffer data;
  private final int tag;
  private int next;
  long bytes;
  final ChunkTransport client;

  Bulk(ChunkTransport server, ChunkTransport client, int chunkBytes, int parallel, int tag) {
    this.client = client;
    this.slice = server.allocateSlice(SliceOptions.unlimited());
    this.socket = client.openChunks();
    this.data = ByteBuffer.allocate(chunkBytes);
    this.tag = tag;
    for (int i = 0; i < parallel; i++) {
      fetch();
    }
  }

  private void fetch() {
    Xid cid = Xid.of(XidType.CID.code(), tag, 0, next++);
    slice.put(cid, data);
    Dag dag = slice.dagOf(cid);
    socket.request(
        dag,
        data.limit(),
        new ChunkHandler() {
          @Override
          public void onChunk(Xid got, ByteBuffer chunk) {
            bytes += chunk.remaining();
            slice.remove(got);
            fetch();
          }

          @Override
          public void onFailed(Xid got, XiaSocketException cause) {
            throw cause;
          }
        });
  }
}
