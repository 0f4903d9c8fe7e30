package io.xmig.testbed.run;

import java.nio.file.Path;

/**
 * Ends what a killed runner left behind: processes that have its run directory on their command
 * line.
 */
final class Abandoned {
  private Abandoned() {}

  static void clean(Path directory) {
    String marker = directory.toString();
    ProcessHandle.allProcesses()
        .filter(p -> p.pid() != ProcessHandle.current().pid())
        .filter(p -> p.info().commandLine().orElse("").contains(marker))
        .forEach(ProcessHandle::destroyForcibly);
  }
}
