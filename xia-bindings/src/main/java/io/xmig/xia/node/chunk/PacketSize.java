package io.xmig.xia.node.chunk;

/**
 * Largest packet that answers may have on a path: begins with what this host's own link carries,
 * steps down when nothing at all gets through, and tries again to step up.
 *
 * @source RFC 8899 (packetization layer path MTU discovery), the search reduced to common sizes
 */
final class PacketSize {
  /** Sizes of XIP packets tried, largest first. */
  private static final int[] PLATEAUS = {65_535, 32_000, 9000, 4352, 1500, 1280};

  private static final int SMALLEST = 1280;

  /** Timeouts in a row that are taken for a black hole. */
  static final int TIMEOUTS_UNTIL_STEP = 2;

  /** Round trips in a row that should have brought a large packet and did not. */
  static final int LOSSES_UNTIL_STEP = 8;

  /** Headers of a segment in their longest form, docs/chunk.md section 2. */
  private static final int MAX_HEADER_BYTES = 228;

  private static final long MIN_LOSS_GAP_NS = 10_000_000L;

  private static final long FIRST_PROBE_NS = 50_000_000L;
  private static final long MAX_PROBE_INTERVAL_NS = 60_000_000_000L;

  private int ceiling;
  private int bytes;
  private int proven; // the largest full packet that has come since the size was set
  private int below; // the next smaller size, 0 if there is none
  private int lostLarge; // round trips with lost requests for large packets since one has come
  private long lostCountedNs;
  private long nextProbeNs;
  private long probeIntervalNs = 1_000_000_000L;
  private boolean probeCeiling = true;

  PacketSize(int ceiling) {
    restart(ceiling);
  }

  /** Another path, or another link at this end. */
  final void restart(int newCeiling) {
    ceiling = newCeiling;
    set(newCeiling);
    probeIntervalNs = 1_000_000_000L;
    probeCeiling = true;
  }

  int bytes() {
    return bytes;
  }

  /**
   * Nothing came for {@code timeouts} timeouts in a row.
   *
   * @return whether the size was reduced
   */
  boolean onTimeouts(int timeouts) {
    return timeouts >= TIMEOUTS_UNTIL_STEP && timeouts % TIMEOUTS_UNTIL_STEP == 0 && stepDown();
  }

  /**
   * A packet of this size has come.
   *
   * @param full whether it was as large as packets of this path are; the last one of a range may be
   *     shorter, and proves nothing even if it is larger than the next smaller size
   */
  void onPacket(int size, boolean full) {
    if (!full && size < bytes) {
      return;
    }
    if (size > below || size >= proven) {
      lostLarge = 0;
    }
    proven = Math.max(proven, size);
  }

  /**
   * A request that would have brought {@code lostBytes} more has been lost. Small packets may get
   * through where large ones do not; but a full queue takes many large ones at once, so what is
   * lost within a round trip counts as one.
   *
   * @return whether the size was reduced
   */
  boolean onLost(int lostBytes, long nowNs, long roundTripNs) {
    // The far end's own limit may be far below this one; then what it has brought is large.
    int small = Math.min(below, Math.max(proven, SMALLEST));
    if (lostBytes + MAX_HEADER_BYTES <= small
        || nowNs - lostCountedNs < Math.max(MIN_LOSS_GAP_NS, roundTripNs)) {
      return false;
    }
    lostCountedNs = nowNs;
    return ++lostLarge >= LOSSES_UNTIL_STEP && stepDown();
  }

  private boolean stepDown() {
    if (below == 0) {
      return false;
    }
    set(below);
    nextProbeNs = Long.MIN_VALUE;
    return true;
  }

  private void set(int size) {
    bytes = size;
    lostLarge = 0;
    proven = 0;
    below = 0;
    for (int plateau : PLATEAUS) {
      if (plateau < size) {
        below = plateau;
        return;
      }
    }
  }

  /** The size to try now, or 0 for none. */
  int probe(long nowNs) {
    if (bytes >= ceiling) {
      return 0;
    }
    if (nextProbeNs == Long.MIN_VALUE) {
      nextProbeNs = nowNs + FIRST_PROBE_NS; // only once the path is seen to work again
      return 0;
    }
    if (nowNs < nextProbeNs) {
      return 0;
    }
    nextProbeNs = nowNs + probeIntervalNs;
    probeIntervalNs = Math.min(2 * probeIntervalNs, MAX_PROBE_INTERVAL_NS);
    int size = ceiling;
    if (!probeCeiling) {
      for (int plateau : PLATEAUS) {
        if (plateau > bytes && plateau < ceiling) {
          size = plateau;
        }
      }
    }
    probeCeiling = !probeCeiling;
    return size;
  }

  /** A packet of a probe has come. */
  void onProbeAnswered(int size) {
    if (size > bytes && size <= ceiling) {
      set(size);
      probeIntervalNs = 1_000_000_000L;
      nextProbeNs = Long.MIN_VALUE;
    }
  }
}
