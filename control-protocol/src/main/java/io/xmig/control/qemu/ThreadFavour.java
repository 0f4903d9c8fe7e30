package io.xmig.control.qemu;

import io.xmig.xia.link.posix.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the threads of a process go before others for a while. A guest that has just been started is
 * translated block by block before it can answer anybody, at the very moment at which everything
 * else on its host cleans up after the migration; that can wait, the guest's clients do wait.
 *
 * <p>Best effort: without the right to it (CAP_SYS_NICE) nothing happens.
 */
final class ThreadFavour {
  private static final Logger log = LoggerFactory.getLogger(ThreadFavour.class);
  private static final int FAVOURED = -20;
  private static final int USUAL = 0;

  private ThreadFavour() {}

  /**
   * Favours all present threads of a process, or does so no longer.
   *
   * @param pid its id; a process that has ended is no error
   */
  static void set(long pid, boolean on) {
    for (int thread : threads(pid)) {
      if (!Threads.nice(thread, on ? FAVOURED : USUAL)) {
        log.debug("thread {} of process {} keeps its priority", thread, pid);
      }
    }
  }

  private static List<Integer> threads(long pid) {
    try (Stream<Path> tasks = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
      return tasks.map(task -> Integer.valueOf(task.getFileName().toString())).toList();
    } catch (IOException e) {
      log.debug("no threads of process {}: {}", pid, e.getMessage());
      return List.of();
    }
  }
}
