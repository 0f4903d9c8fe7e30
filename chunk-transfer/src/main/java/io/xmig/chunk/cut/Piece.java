package io.xmig.chunk.cut;

import java.nio.ByteBuffer;

/**
 * A run of bytes of the stream that will be one chunk.
 *
 * @param sequence number of the piece, from 0
 * @param offset position of its first byte in the stream
 * @param slab where the bytes lie; the receiver of the piece holds it once and releases it
 * @param data the bytes
 */
public record Piece(long sequence, long offset, Slab slab, ByteBuffer data) {
  /** Position after its last byte in the stream. */
  public long end() {
    return offset + data.remaining();
  }
}
