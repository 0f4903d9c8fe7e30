package io.xmig.testbed.vm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The program that a guest of the testbed runs, started by its init. */
public final class GuestMain {
  /** Printed on the serial console once everything runs. */
  public static final String READY = "xmig-guest: READY";

  /** Printed once a ballast has been filled anew, with what it was told. */
  public static final String FILLED = "xmig-guest: FILLED ";

  /**
   * Where a guest started with {@code work} is told what to do: {@code dirty MIB} per second,
   * {@code fill CONTENT MIB}, anything else for nothing.
   */
  public static final Path WORK = Path.of("/tmp/xmig-work");

  private static final long LOOK_NANOS = 250_000_000;
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
    int rate = options.dirtyMibPerSecond();
    String told = "";
    long lookedAt = System.nanoTime();
    while (true) {
      long started = System.nanoTime();
      if (options.told() && started - lookedAt > LOOK_NANOS) {
        lookedAt = started;
        String tells = wanted();
        if (!tells.equals(told)) {
          told = tells;
          rate = obey(ballast, tells.split(" ", -1));
        }
      }
      if (rate == 0) {
        Thread.sleep(options.told() ? LOOK_NANOS / 1_000_000 : 3_600_000);
        continue;
      }
      long pages = (long) rate * (1 << 20) * DIRTY_ROUND_MILLIS / 1000 / PAGE;
      ballast.dirty((int) pages, workingSet);
      long spentMillis = (System.nanoTime() - started) / 1_000_000;
      Thread.sleep(Math.max(1, DIRTY_ROUND_MILLIS - spentMillis));
    }
  }

  private static String wanted() {
    try {
      return Files.readString(WORK).strip();
    } catch (IOException e) {
      return ""; // nobody has said anything
    }
  }

  /** Fills, if that is asked for, and returns the MiB to rewrite per second. */
  private static int obey(MemoryBallast ballast, String[] words) {
    if (words.length == 2 && words[0].equals("dirty") && words[1].matches("[0-9]{1,4}")) {
      return ballast.bytes() == 0 ? 0 : Integer.parseInt(words[1]);
    }
    if (words.length == 3 && words[0].equals("fill") && words[2].matches("[0-9]{1,5}")) {
      for (MemoryBallast.Content content : MemoryBallast.Content.values()) {
        if (content.word().equals(words[1])) {
          ballast.refill(Integer.parseInt(words[2]), content);
          System.gc(); // gives back what is beyond
          System.out.println(FILLED + words[1] + " " + words[2]);
        }
      }
    }
    return 0;
  }
}
