package io.xmig.control.pipe;

import io.xmig.chunk.compress.Compression;
import io.xmig.control.session.SessionTimes;

/**
 * How to send.
 *
 * @param times waiting times of the session
 * @param inFlightBytes budget if it is not to be derived, else 0
 * @param maxInFlightBytes bound of a derived budget: memory
 * @param outageTargetNs outage that the budget is derived for
 * @param downtimeLimitNs QEMU's downtime-limit, 0 to derive it from target and rate
 * @param chunkBytes size of chunks if it is not to adapt, else 0
 * @param compression whether payloads are compressed
 * @param raw whether the input is arbitrary bytes whatever they look like
 * @param settleNs how long to wait at the end until the peer has the last message
 * @param software what this side calls itself
 */
public record SendOptions(
    SessionTimes times,
    long inFlightBytes,
    long maxInFlightBytes,
    long outageTargetNs,
    long downtimeLimitNs,
    int chunkBytes,
    Compression compression,
    boolean raw,
    long settleNs,
    String software) {
  /** Least that a receiver must allow. */
  public static final long LEAST_MAX_IN_FLIGHT = 1 << 20;

  /** Bound of a derived budget unless told otherwise. */
  public static final long DEFAULT_MAX_IN_FLIGHT = 16L << 20;
}
