package io.xmig.xia.node.chunk;

import java.nio.ByteBuffer;
import java.util.function.IntFunction;

/**
 * Where the memory of fetched chunks comes from, and where it goes when it is given back.
 *
 * @threading the node's loop
 */
@FunctionalInterface
public interface ChunkBuffers extends IntFunction<ByteBuffer> {
  /** A buffer of at least this capacity, position 0 and this limit; its bytes are arbitrary. */
  @Override
  ByteBuffer apply(int length);

  /** Takes back a buffer that nobody uses any more. */
  default void release(ByteBuffer buffer) {}
}
