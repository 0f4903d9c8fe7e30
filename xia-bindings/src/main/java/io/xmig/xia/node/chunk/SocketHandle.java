package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.Map;

/** What an application holds to fetch chunks. */
final class SocketHandle implements ChunkSocket {
  private final ChunkFetcher fetcher;
  private final ChunkBuffers buffers;
  private boolean closed;

  SocketHandle(ChunkFetcher fetcher, ChunkBuffers buffers) {
    this.fetcher = fetcher;
    this.buffers = buffers;
  }

  @Override
  public void request(Dag chunk, int length, ChunkHandler handler) {
    if (length < UNKNOWN_LENGTH) {
      throw new IllegalArgumentException("length of a chunk: " + length);
    }
    if (closed) {
      throw new XiaSocketException(
          XiaSocketException.Kind.CLOSED, "chunk socket is closed", Map.of("chunk", chunk));
    }
    fetcher.request(this, chunk, length, handler);
  }

  @Override
  public void cancel(Xid cid) {
    fetcher.cancel(this, cid);
  }

  @Override
  public void recycle(ByteBuffer data) {
    buffers.release(data);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      fetcher.cancelAll(this);
    }
  }
}
