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

  /**
   * Says how much of the processors a thread gets when there is not enough for all.
   *
   * @param thread its id, also of another process; see {@code /proc/PID/task}
   * @param nice from -20, nearly all of one, to 19, what nobody else wants; 0 is usual
   * @return whether that was allowed: less than before always is, more takes CAP_SYS_NICE
   */
  public static boolean nice(int thread, int nice) {
    return Libc.setpriority(PRIO_PROCESS, thread, nice) == 0;
  }

  /** The numeric user id of this process. */
  public static int userId() {
    return Libc.getuid();
  }
}
