package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;

/**
 * Fetches chunks. Many requests may be outstanding; the stack paces them to what the path carries.
 */
public interface ChunkSocket extends AutoCloseable {
  /** Length of a chunk that is not known yet. */
  int UNKNOWN_LENGTH = -1;

  /**
   * Requests a chunk. Exactly one of the handler's methods will be called, unless the request is
   * cancelled or the socket closed. Requests are served in the order of the calls as far as the
   * path allows. C: {@code XrequestChunk}, {@code XgetChunkStatus}, {@code XreadChunk}.
   *
   * @param chunk address ending in the CID
   * @param length size of the chunk if known, else {@link #UNKNOWN_LENGTH}
   */
  void request(Dag chunk, int length, ChunkHandler handler);

  /** Forgets a request; nothing will be called for it. */
  void cancel(Xid cid);

  /**
   * Gives a buffer that came through {@link ChunkHandler#onChunk} back once its bytes have been
   * used, so that the stack can fill it anew; nobody may touch it afterwards. Not necessary, but
   * saves the memory of one chunk each time.
   */
  default void recycle(ByteBuffer data) {}

  @Override
  void close();
}
