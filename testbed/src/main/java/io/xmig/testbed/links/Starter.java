package io.xmig.testbed.links;

import java.time.Duration;
import java.util.List;

/** Starts xmig commands as processes of a run. */
public interface Starter {
  /**
   * Starts a process.
   *
   * @param name for messages and for its log
   * @param prefix words before the command, which say where it runs
   * @param arguments of xmig
   */
  void launch(String name, List<String> prefix, List<String> arguments);

  /** Waits until the process of that name says the word. */
  void awaitReady(String name, String readyWord, Duration limit);
}
