package io.xmig.control.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts this very command once more with the same standard streams, so that whoever waits for this
 * process, such as a QEMU that holds its big lock meanwhile, need not wait for the transfer.
 */
final class Detach {
  static final String OPTION = "--detach";
  static final String DONE = "--detached";

  private Detach() {}

  /** Starts the child; the caller then exits. */
  static void respawn() throws IOException {
    String raw =
        new String(Files.readAllBytes(Path.of("/proc/self/cmdline")), StandardCharsets.UTF_8);
    String java = ProcessHandle.current().info().command().orElse("java");
    new ProcessBuilder(childCommand(java, raw)).inheritIO().start();
  }

  /**
   * The child's command line.
   *
   * @param nulSeparated this process's own, as the kernel shows it
   */
  static List<String> childCommand(String java, String nulSeparated) {
    List<String> command = new ArrayList<>(List.of(nulSeparated.split("\0", -1)));
    command.remove(command.size() - 1); // behind the last terminator
    command.set(0, java);
    command.replaceAll(word -> word.equals(OPTION) ? DONE : word);
    return command;
  }
}
