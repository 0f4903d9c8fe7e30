package io.xmig.control.cli;

import io.xmig.control.pipe.StatusLines;
import io.xmig.xia.cli.TimeSpan;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options of both ends. */
final class SharedOptions {
  @Option(
      names = "--resume-timeout",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      defaultValue = "60s",
      description = "How long a lost connection may stay lost. Default: ${DEFAULT-VALUE}.")
  Duration resumeTimeout = Duration.ofSeconds(60);

  @Option(
      names = "--raw",
      description =
          "Arbitrary bytes, no QEMU stream: any end of the input is its end. Input that does not"
              + " begin as a QEMU stream is taken for such anyway.")
  boolean raw;

  @Option(
      names = "--status",
      paramLabel = "WHERE",
      description = "Write progress as JSON lines to a file, fd:N or unix:SOCKET.")
  @Nullable String status;

  @Option(
      names = Detach.OPTION,
      description =
          "Go on in the background: QEMU, which waits for the command it started with everything"
              + " stopped, need not wait for the transfer.")
  boolean detach;

  @Option(names = Detach.DONE, hidden = true)
  boolean detached;

  @Option(
      names = "--linger",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      description =
          "At the end, wait at most this long until the peer has the last message. Default: 0, with"
              + " --detach and in 'xmig pipes' 5s.")
  @Nullable Duration linger;

  /** Whether a process that stays runs this transfer: nobody waits for its end. */
  private boolean within;

  /**
   * Makes this a transfer of a process that stays; refuses what only a process of its own can do.
   *
   * @throws ParameterException with the option
   */
  void useWithin(CommandLine command) {
    within = true;
    if (detach || detached) {
      throw new ParameterException(command, Detach.OPTION + " is for a process of its own");
    }
    if (status != null && status.startsWith("fd:")) {
      throw new ParameterException(command, "--status fd:N is for a process of its own");
    }
  }

  /** The waiting time at the end. */
  long settleNs() {
    Duration asked = linger;
    if (asked != null) {
      return asked.toNanos();
    }
    return detached || within ? 5_000_000_000L : 0;
  }

  /** Where status lines go. */
  StatusLines openStatus() {
    String where = status;
    if (where == null) {
      return StatusLines.none();
    }
    try {
      return StatusLines.open(where);
    } catch (IOException e) {
      throw new IllegalStateException(
          "cannot write status lines to " + where + ": " + e.getMessage(), e);
    }
  }
}
