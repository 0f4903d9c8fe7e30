package io.xmig.xia.socket;

import io.xmig.xia.addr.Xid;
import java.nio.ByteBuffer;

/** Outcome of one chunk request. */
public interface ChunkHandler {
  /**
   * The chunk is complete. Whether its bytes match the CID is for the caller to check (off the
   * loop), which must be done before they are used.
   *
   * @param data remaining bytes are the chunk; the callee owns the buffer from now on
   */
  void onChunk(Xid cid, ByteBuffer data);

  /** The chunk could not be had: nobody has it, or nobody answered for long. */
  void onFailed(Xid cid, XiaSocketException cause);
}
