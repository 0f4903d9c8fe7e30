package io.xmig.control.cli;

import io.xmig.xia.socket.EndOfProcess;
import java.util.function.Consumer;

/** Ends the process the moment its work is done, when it is one that somebody waits for. */
final class ProcessEnd {
  /** Set by the launcher; without it the command runs inside another program, such as a test. */
  private static final String LAUNCHED = "xmig.launcher";

  private ProcessEnd() {}

  static Consumer<Integer> atOnce() {
    if (System.getProperty(LAUNCHED) == null) {
      return status -> {};
    }
    return status -> {
      System.err.flush();
      EndOfProcess.halt(status);
    };
  }
}
