package io.xmig.xia.link.posix;

/** Settings of the calling thread that Java does not reach. */
public final class Threads {
  private static final int PR_SET_TIMERSLACK = 29;
  private static final int PRIO_PROCESS = 0;
  private static final int LOWEST_PRIORITY = 19;

  private Threads() {}

  /**
   * How late the kernel may wake the calling thread to save power; 50 µs unless set, which is a lot
   * for an emulated link.
   */
  public static void timerSlack(long ns) {
    Libc.prctl(PR_SET_TIMERSLACK, ns, 0, 0, 0);
  }

  /**
   * Lets every other thread of the machine go first from now on. Best effort: where that is
   * forbidden the thread runs as before.
   */
  public static void background() {
    // 0 is the calling thread: Linux keeps this per thread
    Libc.setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
  }

  /** The numeric user id of this process. */
  public static int userId() {
    return Libc.getuid();
  }
}
