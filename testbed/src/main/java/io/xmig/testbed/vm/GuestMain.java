package io.xmig.testbed.vm;

/** The program that a guest of the testbed runs, started by its init. */
public final class GuestMain {
  /** Printed on the serial console once everything runs. */
  public static final String READY = "xmig-guest: READY";

  private static final int DIRTY_ROUND_MILLIS = 20;
  private static final int PAGE = 4096;

  private GuestMain() {}

  /** Runs until it is killed; the arguments are those of {@link GuestOptions#parse}. */
  public static void main(String[] arguments) throws InterruptedException {
    GuestOptions options;
    try {
      options = GuestOptions.parse(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println("xmig-guest: " + e.getMessage());
      System.exit(2);
      return;
    }
    MemoryBallast ballast = new MemoryBallast(options.ballastMib(), options.ballastContent());
    ballast.fill();
    if (options.warmUp()) {
      System.out.println(READY);
      return;
    }
    try {
      GuestNode.start("eth0", System.getenv());
    } catch (Exception e) {
      Throwable cause = e.getCause() != null ? e.getCause() : e;
      System.err.println("xmig-guest: FAILED to start XIA: " + cause);
      System.exit(1);
      return;
    }
    System.out.println(READY);
    keepDirtying(ballast, options);
  }

  private static void keepDirtying(MemoryBallast ballast, GuestOptions options)
      throws InterruptedException {
    long workingSet = (long) options.dirtySetMib() << 20;
    long pages = (long) options.dirtyMibPerSecond() * (1 << 20) * DIRTY_ROUND_MILLIS / 1000 / PAGE;
    while (true) {
      if (pages == 0) {
        Thread.sleep(3_600_000);
        continue;
      }
      long started = System.nanoTime();
      ballast.dirty((int) pages, workingSet);
      long spentMillis = (System.nanoTime() - started) / 1_000_000;
      Thread.sleep(Math.max(1, DIRTY_ROUND_MILLIS - spentMillis));
    }
  }
}
