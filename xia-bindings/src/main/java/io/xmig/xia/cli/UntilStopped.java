package io.xmig.xia.cli;

import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.socket.EndOfProcess;
import java.util.concurrent.CountDownLatch;

/** How a command that serves until SIGTERM or SIGINT ends: cleanly, and with status 0. */
final class UntilStopped {
  private UntilStopped() {}

  /**
   * Waits until the process is told to stop or the loop has ended by itself.
   *
   * @param close removes what the command has made
   * @return 1, after the loop has died; a process that was told to stop exits with 0
   */
  static int serve(NodeLoop loop, Runnable close) throws InterruptedException {
    CountDownLatch ended = new CountDownLatch(1);
    Thread hook = new Thread(() -> stop(close), "xmig-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    loop.ended().thenRun(ended::countDown);
    ended.await();
    boolean byItself = removed(hook);
    close.run();
    return byItself ? 1 : 0;
  }

  /** False if the process is already being shut down. */
  private static boolean removed(Thread hook) {
    try {
      return Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return false;
    }
  }

  /** Runs on a signal; the status says that this is how the command should end. */
  private static void stop(Runnable close) {
    int status = 0;
    try {
      close.run();
    } catch (RuntimeException e) {
      status = 1;
    }
    EndOfProcess.halt(status);
  }
}
