package io.xmig.xia.socket;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Files that stay as long as the process: removed when it exits, also by {@link #halt}, which does
 * not run Java's shutdown.
 *
 * @threading any thread
 */
public final class EndOfProcess {
  private static final Set<Path> FILES = ConcurrentHashMap.newKeySet();

  private static final AtomicBoolean HOOKED = new AtomicBoolean();

  private EndOfProcess() {}

  /**
   * Has a file removed at the end. While the process is already being shut down, which takes no
   * more hooks, only {@link #halt} still removes it.
   */
  public static void removeAtEnd(Path file) {
    FILES.add(file);
    if (HOOKED.compareAndSet(false, true)) {
      try {
        Runtime.getRuntime().addShutdownHook(new Thread(EndOfProcess::clear, "end-of-process"));
      } catch (IllegalStateException e) {
        HOOKED.set(false);
      }
    }
  }

  /** Ends the process at once: {@link Runtime#halt}, without those files. */
  public static void halt(int status) {
    clear();
    Runtime.getRuntime().halt(status);
  }

  /** Removes them now. What cannot be removed stays: there is nobody left to be told. */
  public static void clear() {
    for (Path file : FILES) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        continue; // the next one may go
      }
      FILES.remove(file);
    }
  }
}
