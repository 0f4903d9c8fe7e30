package io.xmig.chunk.cut;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Direct buffers of one size, used again and again. How many are out is bounded by the in-flight
 * budget of the taker.
 *
 * @threading the loop only
 */
public final class SlabPool {
  private final int slabBytes;
  private final ArrayDeque<Slab> free = new ArrayDeque<>();
  private int out;

  /**
   * @param slabBytes size of each slab
   */
  public SlabPool(int slabBytes) {
    this.slabBytes = slabBytes;
  }

  /** A slab held once, by the caller. */
  public Slab take() {
    Slab slab = free.pollLast();
    if (slab == null) {
      slab = new Slab(this, ByteBuffer.allocateDirect(slabBytes));
    }
    slab.retain();
    out++;
    return slab;
  }

  void giveBack(Slab slab) {
    out--;
    free.addLast(slab);
  }

  /** Slabs held by somebody. */
  public int outstanding() {
    return out;
  }

  /** Bytes of all slabs, held and free. */
  public long allocatedBytes() {
    return (long) (out + free.size()) * slabBytes;
  }
}
