package io.xmig.xia.socket.libxsocket;

/**
 * How many chunks to have outstanding at the prototype's Click, when to ask for one again, and how
 * long to wait before asking what has arrived.
 *
 * <p>Click sends all fragments of a chunk back to back through a queue of 200 packets and asks for
 * a lost one never again: too many chunks at once lose each other's fragments. So the window grows
 * by one chunk per window that arrives and is halved when a chunk does not come, as TCP's does.
 * With a node of ours, which paces its answers and repeats what was lost, the window is fixed.
 *
 * @threading one thread
 * @source XIA prototype v1.1, docs/prototype.md
 */
final class FetchPace {
  /** Chunks outstanding at most; two megabytes of full ones. */
  static final int LARGEST = 128;

  /** Fragments of so many full chunks fit into Click's queue of 200 packets. */
  static final int FIRST = 12;

  static final int SMALLEST = 2;
  static final long SHORTEST_PAUSE_NS = 100_000;
  static final long LONGEST_PAUSE_NS = 5_000_000;
  static final long SHORTEST_REPEAT_NS = 250_000_000L;
  static final long FIRST_REPEAT_NS = 1_000_000_000L;
  static final long LONGEST_REPEAT_NS = 4_000_000_000L;

  private static final int MAX_DOUBLINGS = 4;

  private double window = FIRST;
  private long usualNs = -1;
  private long deviationNs;
  private long halvedNs;
  private boolean halved;
  private long pauseNs = SHORTEST_PAUSE_NS;

  /** Chunks that may be outstanding. */
  int window() {
    return (int) window;
  }

  /**
   * A chunk has arrived.
   *
   * @param tookNs since it was asked for, or −1 if it was asked for more than once
   */
  void arrived(long tookNs) {
    window = Math.min(LARGEST, window + 1 / window);
    if (tookNs < 0) {
      return;
    }
    if (usualNs < 0) {
      usualNs = tookNs;
      deviationNs = tookNs / 2;
    } else {
      deviationNs += (Math.abs(tookNs - usualNs) - deviationNs) / 4;
      usualNs += (tookNs - usualNs) / 8;
    }
  }

  /** A chunk had to be asked for again; several at about the same time count once. */
  void missed(long nowNs) {
    if (!halved || nowNs - halvedNs > Math.max(usualNs, SHORTEST_REPEAT_NS)) {
      window = Math.max(SMALLEST, window / 2);
      halvedNs = nowNs;
      halved = true;
    }
  }

  /**
   * How long to wait for a chunk before asking again.
   *
   * @param asked how often it was asked for, at least once
   */
  long repeatAfterNs(int asked) {
    if (usualNs < 0) {
      return FIRST_REPEAT_NS;
    }
    long base = Math.max(SHORTEST_REPEAT_NS, usualNs + 4 * deviationNs);
    return Math.min(LONGEST_REPEAT_NS, base << Math.min(MAX_DOUBLINGS, asked - 1));
  }

  /** How long to wait after chunks have arrived, or none has: the longer the longer none has. */
  long pauseNs(boolean arrived) {
    pauseNs = arrived ? SHORTEST_PAUSE_NS : Math.min(LONGEST_PAUSE_NS, pauseNs * 2);
    return arrived ? 0 : pauseNs;
  }
}
