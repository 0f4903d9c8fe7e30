package io.xmig.control.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the process's standard input and output are joined to. */
final class StandardStreams {
  /** Kinds of files that matter here. */
  enum Kind {
    PIPE,
    FILE,
    TERMINAL,
    /** Not open: whatever has the number now is not ours. */
    CLOSED
  }

  private StandardStreams() {}

  /** What the file descriptor is. */
  static Kind of(int fd) {
    String target;
    try {
      target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
    } catch (IOException e) {
      return Files.isDirectory(Path.of("/proc/self/fd")) ? Kind.CLOSED : Kind.FILE;
    }
    if (target.startsWith("pipe:") || target.startsWith("socket:")) {
      return Kind.PIPE;
    }
    if (target.startsWith("/dev/pts/") || target.startsWith("/dev/tty")) {
      return Kind.TERMINAL;
    }
    // A virtual machine started without a descriptor gives its number to a file of its own.
    boolean ofTheRuntime =
        target.startsWith(System.getProperty("java.home", "?") + "/")
            || target.endsWith(".jar")
            || target.endsWith(".jsa");
    return ofTheRuntime ? Kind.CLOSED : Kind.FILE;
  }
}
