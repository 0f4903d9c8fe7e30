package io.xmig.xia.link.posix;

/** Settings of the calling thread that Java does not reach. */
public final class Threads {
  private static final int PR_SET_TIMERSLACK = 29;

  private Threads() {}

  /**
   * How late the kernel may wake the calling thread to save power; 50 µs unless set, which is a lot
   * for an emulated link.
   */
  public static void timerSlack(long ns) {
    Libc.prctl(PR_SET_TIMERSLACK, ns, 0, 0, 0);
  }

  /** The numeric user id of this process. */
  public static int userId() {
    return Libc.getuid();
  }
}
