package io.xmig.testbed.perf;

import java.nio.ByteBuffer;
import java.util.BitSet;

/**
 * What became of the datagrams of one session, by their sequence numbers.
 *
 * @source jitter: RFC 3550 section 6.4.1
 */
final class DatagramCounts {
  /**
   * Datagrams that are later than this many others are counted, but not known from repeated ones.
   */
  private static final int WINDOW = 1 << 15;

  private static final int JITTER_SHARE = 16;

  private final BitSet seen = new BitSet(WINDOW);
  private long highest = -1;
  private long received;
  private long bytes;
  private long reordered;
  private long duplicates;
  private double jitterNs;
  private long lastTransitNs;
  private long firstNs;
  private long lastNs;

  /** One datagram of {@code length} bytes. */
  void add(long sequence, int length, long sentNs, long nowNs) {
    if (sequence < 0) {
      return;
    }
    if (sequence > highest) {
      forget(sequence);
      highest = sequence;
    } else if (highest - sequence < WINDOW && seen.get((int) (sequence % WINDOW))) {
      duplicates++;
      return;
    } else {
      reordered++;
    }
    seen.set((int) (sequence % WINDOW));
    long transitNs = nowNs - sentNs; // the clocks differ, but by the same each time
    if (received == 0) {
      firstNs = nowNs;
    } else {
      jitterNs += (Math.abs((double) (transitNs - lastTransitNs)) - jitterNs) / JITTER_SHARE;
    }
    lastTransitNs = transitNs;
    lastNs = nowNs;
    received++;
    bytes += length;
  }

  /** Makes room for the numbers from the highest to a new one. */
  private void forget(long upTo) {
    if (upTo - highest >= WINDOW) {
      seen.clear();
      return;
    }
    for (long n = highest + 1; n <= upTo; n++) {
      seen.clear((int) (n % WINDOW));
    }
  }

  /** Puts the counts behind the head of a report. */
  void write(ByteBuffer out) {
    out.putLong(received).putLong(bytes).putLong(reordered).putLong(duplicates);
    out.putLong((long) jitterNs).putLong(lastNs - firstNs);
  }
}
