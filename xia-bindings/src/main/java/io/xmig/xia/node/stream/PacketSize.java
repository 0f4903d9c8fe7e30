package io.xmig.xia.node.stream;

/**
 * How large packets may be on the path: at first what both ends' links carry, then less when large
 * packets vanish while small ones arrive.
 *
 * @source after RFC 4821 and RFC 8899 (probing), downwards only; the rungs are a local choice
 */
final class PacketSize {
  /** A size that every path is trusted to carry: three-node addresses and a useful payload. */
  static final int FLOOR = 576;

  /** MTUs that links really have, tunnels included: few steps, so that few packets are wasted. */
  private static final int[] RUNGS = {65_535, 16_384, 9_000, 1_500, 1_400, 1_280, 1_006, FLOOR};

  private static final int LOSSES_TO_SHRINK = 3;

  private int linkLimit;
  private int limit;
  private int confirmed;
  private int vanished;

  PacketSize(int linkLimit) {
    pathChanged(linkLimit);
  }

  /** Bytes that a packet may have, XIP header included. */
  int limit() {
    return limit;
  }

  /** The largest packet known to have arrived on this path. */
  int confirmed() {
    return confirmed;
  }

  /** Size for a packet that had better arrive. */
  int safe() {
    return Math.min(limit, Math.max(confirmed, 1_280));
  }

  void pathChanged(int newLinkLimit) {
    linkLimit = Math.max(FLOOR, newLinkLimit);
    limit = linkLimit;
    confirmed = 0;
    vanished = 0;
  }

  void arrived(int bytes) {
    if (bytes > confirmed) {
      confirmed = bytes;
      vanished = 0;
    }
  }

  /** A packet of this size was lost; true if the limit was lowered because of it. */
  boolean lost(int bytes) {
    if (bytes <= confirmed || bytes > limit || limit <= FLOOR || ++vanished < LOSSES_TO_SHRINK) {
      return false;
    }
    vanished = 0;
    for (int rung : RUNGS) {
      if (rung < limit && rung < bytes) {
        limit = Math.max(rung, Math.min(confirmed, limit));
        return true;
      }
    }
    return false;
  }

  /** Nothing has arrived for long: what was known to fit may not fit any more. */
  void doubt() {
    confirmed = 0;
  }

  /** A router says, unauthenticated, that no more than this passes; true if it is believed. */
  boolean hint(int bytes) {
    if (bytes >= limit || bytes < FLOOR || bytes < confirmed) {
      return false;
    }
    limit = bytes;
    vanished = 0;
    return true;
  }
}
