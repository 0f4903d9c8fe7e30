package io.xmig.xia.link;

/**
 * Decides how long a loop that busy links keep waking leaves them alone, so that one wake-up serves
 * several frames: interrupt moderation as network cards have it, with the rate measured.
 *
 * <pre>
 *   look at the links ─▶ handle frames ─▶ pause: the rest of the interval ─▶ look …
 *                                             │ ends early for timers and for descriptors
 *                                             ▼ that are no busy links
 * </pre>
 *
 * Only large frames count: whoever exchanges small ones (requests, acknowledgements, pings) waits
 * for each. A pause begins only when such frames have come for {@value #WINDOW_NS} ns at a rate at
 * which an interval brings {@value #WORTH} of them, and ends for good when two in a row brought
 * fewer, after which it takes ever longer to be tried again: an exchange of large messages, one at
 * a time, is held up by a few pauses and then not.
 *
 * @threading one thread
 */
final class InterruptModeration {
  /** Frames shorter than this do not count. */
  static final int LARGE_FRAME = 512;

  /** A frame waits at most this long for being looked at. */
  static final long LONGEST_NS = 500_000;

  /** Pauses shorter than this cost more than they save. */
  static final long SHORTEST_NS = 20_000;

  /** Frames that an interval should bring. */
  static final int FRAMES_PER_LOOK = 64;

  /** Frames that make an interval worth while. */
  static final int WORTH = 2;

  static final long WINDOW_NS = 1_000_000;
  static final long FIRST_RETRY_NS = 1_000_000;
  static final long LAST_RETRY_NS = 64_000_000;

  private final long longestNs;
  private final int framesPerLook;
  private long intervalNs;
  private long windowStartNs;
  private int windowFrames;
  private long lookedNs;
  private int framesOfLook;
  private boolean afterWholePause;
  private int fruitless;
  private long retryNs = FIRST_RETRY_NS;
  private long notBeforeNs;
  private long pauses;

  InterruptModeration(long nowNs) {
    this(nowNs, LONGEST_NS, FRAMES_PER_LOOK);
  }

  InterruptModeration(long nowNs, long longestNs, int framesPerLook) {
    this.longestNs = longestNs;
    this.framesPerLook = framesPerLook;
    windowStartNs = nowNs;
    lookedNs = nowNs;
    notBeforeNs = nowNs;
  }

  /** The links are about to be looked at. */
  void looking(long nowNs) {
    lookedNs = nowNs;
    framesOfLook = 0;
  }

  /** Large frames have come. */
  void frames(int count) {
    framesOfLook += count;
    windowFrames += count;
  }

  /**
   * All that had come is handled: how long the links may wait now, 0 if they may not.
   *
   * @param nowNs not before the last {@link #looking}
   */
  long pauseNs(long nowNs) {
    judge(nowNs);
    afterWholePause = false;
    if (nowNs - windowStartNs >= WINDOW_NS) {
      newInterval(nowNs);
    }
    long pause = lookedNs + intervalNs - nowNs;
    if (intervalNs == 0 || pause < SHORTEST_NS) {
      return 0;
    }
    pauses++;
    return pause;
  }

  /** How many pauses there have been. */
  long pauses() {
    return pauses;
  }

  /** The pause was neither cut short by something urgent nor by a timer. */
  void pausedToTheEnd() {
    afterWholePause = true;
  }

  private void judge(long nowNs) {
    if (!afterWholePause) {
      return;
    }
    if (framesOfLook >= WORTH) {
      fruitless = 0;
      retryNs = FIRST_RETRY_NS;
    } else if (++fruitless == 2) {
      fruitless = 0;
      intervalNs = 0;
      notBeforeNs = nowNs + retryNs;
      retryNs = Math.min(2 * retryNs, LAST_RETRY_NS);
    }
  }

  private void newInterval(long nowNs) {
    long elapsed = nowNs - windowStartNs;
    boolean busy = windowFrames >= WORTH * elapsed / longestNs && nowNs - notBeforeNs >= 0;
    intervalNs =
        busy && windowFrames > 0 ? Math.min(longestNs, framesPerLook * elapsed / windowFrames) : 0;
    windowStartNs = nowNs;
    windowFrames = 0;
  }
}
