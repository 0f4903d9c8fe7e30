package io.xmig.xia.socket;

import java.time.Duration;

/**
 * How a cache slice keeps its chunks (XallocCacheSlice).
 *
 * @param policy which chunk gives way when the slice is full
 * @param maxBytes size limit, 0 for none but the node's own
 * @param ttl how long a chunk may be served, {@link Duration#ZERO} for ever
 * @param retainOnClose whether chunks outlive the slice's owner
 */
public record SliceOptions(Policy policy, long maxBytes, Duration ttl, boolean retainOnClose) {
  /** Which chunk is evicted first. */
  public enum Policy {
    /** The one put first, as the paper changed the routers to do (section 5.2). */
    FIFO,
    /** The one not asked for the longest. */
    LRU,
    /** None: a put into a full slice fails. */
    REFUSE
  }

  /** A slice without a size limit that goes with its owner. */
  public static SliceOptions unlimited() {
    return new SliceOptions(Policy.REFUSE, 0, Duration.ZERO, false);
  }
}
