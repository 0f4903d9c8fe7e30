package io.xmig.chunk;

import io.xmig.xia.addr.Xid;

/**
 * What is known of a chunk of a stream before it is fetched.
 *
 * @param sequence number of the chunk in the stream, from 0
 * @param offset position of its first byte in the stream
 * @param rawLength bytes of the stream that it carries, at least 1
 * @param length bytes of the chunk itself, which the CID is the hash of
 * @param cid SHA-1 of those bytes
 * @param coding how the stream's bytes are laid into the chunk
 */
public record ChunkInfo(
    long sequence, long offset, int rawLength, int length, Xid cid, Coding coding) {
  /** How the stream's bytes are laid into the chunk. */
  public enum Coding {
    /** As they are. */
    PLAIN,
    /** One zstd frame. */
    ZSTD
  }

  /** Position after its last byte in the stream. */
  public long end() {
    return offset + rawLength;
  }
}
