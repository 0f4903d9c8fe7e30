package io.xmig.control.cli;

import io.xmig.control.pipe.StatusLines;
import io.xmig.control.session.Outcome;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One {@code send} or {@code receive} in a process that runs several: begins at once, in a thread
 * of its own, and leaves its exit status in a file.
 *
 * @threading {@link #kill} and {@link #terminate} from any thread
 */
abstract class Transfer {
  private static final Logger log = LoggerFactory.getLogger(Transfer.class);
  private static final int SIGNAL = 128;
  private static final int SIGKILL = 9;
  private static final int SIGTERM = 15;

  private final String id;
  private final Path exit;
  private final PipeRun run;
  private final Thread thread;
  private volatile int signal;

  /**
   * @param exit gets the exit status, and in a second line why
   */
  Transfer(String id, Path exit, StatusLines status, PrintWriter err, Consumer<Transfer> onEnd) {
    this.id = id;
    this.exit = exit;
    this.run = new PipeRun("pipes: " + id, status, err);
    this.thread =
        new Thread(
            () -> {
              try {
                runToTheEnd();
              } finally {
                onEnd.accept(this);
              }
            },
            id);
    thread.setDaemon(true);
  }

  final String id() {
    return id;
  }

  final void start() {
    thread.start();
  }

  private void runToTheEnd() {
    int status = 1;
    String why = "";
    try {
      Outcome outcome = carry(run);
      status = outcome.success() ? 0 : 1;
      why = outcome.success() ? "" : outcome.message();
    } catch (IOException | RuntimeException e) {
      why = String.valueOf(e.getMessage());
      log.info("{}: {}", id, why);
    } finally {
      disconnect();
      writeExit(signal != 0 && status != 0 ? SIGNAL + signal : status, why);
    }
  }

  /** Carries the stream; returns when that is over. */
  abstract Outcome carry(PipeRun run) throws IOException;

  /** Ends the connection with QEMU, whatever is going on. */
  abstract void disconnect();

  /** As SIGKILL ends a process: QEMU sees its socket closed at once. */
  final void kill() {
    signal = SIGKILL;
    disconnect();
    run.stop("killed");
  }

  /** As SIGTERM ends a process: the peer is told. */
  final void terminate() {
    signal = SIGTERM;
    run.stop("stopped by a signal");
    interruptWaiting();
  }

  /** Ends the waiting for a QEMU that has not come yet. */
  abstract void interruptWaiting();

  /** Waits for the end. */
  final void join(long millis) throws InterruptedException {
    thread.join(millis);
  }

  private void writeExit(int status, String why) {
    Path fresh = exit.resolveSibling(exit.getFileName() + ".new");
    String text = status + "\n" + (why.isEmpty() ? "" : why.replace('\n', ' ') + "\n");
    try {
      Files.writeString(fresh, text);
      try {
        Files.move(fresh, exit, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(fresh, exit, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      log.warn("{}: the exit status cannot be written: {}", id, e.getMessage());
    }
  }
}
