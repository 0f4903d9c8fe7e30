package io.xmig.control.resident;

import io.xmig.control.resident.Requests.Hello;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a resident process running: takes over the one that a predecessor has left, else starts
 * one, and again whenever it ends. As long as this holds its connection the process stays; without
 * one it ends by itself when no transfer needs it, so that nothing is left behind by a program that
 * crashed and has no successor.
 *
 * @threading a thread of its own
 */
public final class ResidentProcess implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ResidentProcess.class);
  private static final Path SETSID = Path.of("/usr/bin/setsid");
  private static final long START_NS = TimeUnit.SECONDS.toNanos(60);
  private static final long END_MILLIS = 20_000;
  private static final long FIRST_PAUSE_MILLIS = 100;
  private static final long LONGEST_PAUSE_MILLIS = 10_000;
  private static final long POLL_MILLIS = 20;

  private final List<String> launcher;
  private final Path socket;
  private final Path output;
  private final String stack;
  private final Duration idleExit;
  private final Thread thread = new Thread(this::supervise, "resident");
  private volatile boolean closed;
  private @Nullable ResidentClient lease;

  /**
   * @param launcher program and first arguments of the xmig command
   * @param socket control socket
   * @param output gets what the process says
   * @param stack {@code --xia} of the process, empty for its default; one that runs with another is
   *     replaced
   * @param idleExit how long the process stays without anybody
   */
  public ResidentProcess(
      List<String> launcher, Path socket, Path output, String stack, Duration idleExit) {
    this.launcher = List.copyOf(launcher);
    this.socket = socket;
    this.output = output;
    this.stack = stack;
    this.idleExit = idleExit;
    thread.setDaemon(true);
  }

  /** Begins; does not wait for the process. */
  public void start() {
    thread.start();
  }

  /** The process, once it answers and is looked after: from then on it outlives {@link #leave}. */
  public Optional<ProcessHandle> process() {
    synchronized (this) {
      if (lease == null) {
        return Optional.empty();
      }
    }
    return answering();
  }

  private Optional<ProcessHandle> answering() {
    try (ResidentClient client = new ResidentClient(socket)) {
      return ProcessHandle.of(client.hello().process());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private void supervise() {
    long pause = FIRST_PAUSE_MILLIS;
    while (!closed) {
      try {
        ResidentClient client = adoptOrStart();
        pause = FIRST_PAUSE_MILLIS;
        synchronized (this) {
          if (closed) {
            client.close();
            return;
          }
          lease = client;
        }
        client.awaitEnd();
        synchronized (this) {
          lease = null;
        }
        if (!closed) {
          log.warn("the resident pipes at {} have ended, starting them again", socket);
        }
      } catch (IOException e) {
        if (!closed) {
          log.warn("{}; trying again in {} ms", e.getMessage(), pause);
        }
      }
      try {
        Thread.sleep(pause);
      } catch (InterruptedException e) {
        return;
      }
      pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
    }
  }

  private ResidentClient adoptOrStart() throws IOException {
    ResidentClient found = connect();
    if (found != null) {
      Hello hello = found.hello();
      if (hello.stack().equals(stack)) {
        log.info("took over the resident pipes at {}, process {}", socket, hello.process());
        return found;
      }
      try (found) {
        found.quit();
        found.awaitEnd();
      }
    }
    return started();
  }

  private @Nullable ResidentClient connect() {
    if (!Files.exists(socket)) {
      return null;
    }
    try {
      return new ResidentClient(socket);
    } catch (IOException nobody) {
      return null;
    }
  }

  private ResidentClient started() throws IOException {
    List<String> command = new ArrayList<>();
    if (Files.isExecutable(SETSID)) {
      command.add(SETSID.toString()); // what a terminal sends to its programs is not for this one
    }
    command.addAll(launcher);
    command.addAll(List.of("pipes", "--socket", socket.toString()));
    command.addAll(List.of("--idle-exit", idleExit.toMillis() + "ms"));
    if (!stack.isEmpty()) {
      command.addAll(List.of("--xia", stack));
    }
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()));
    builder.environment().put("XMIG_NO_BUILD", "1");
    Process process = builder.start();
    ResidentClient client = null;
    try {
      long deadline = System.nanoTime() + START_NS;
      while (client == null && process.isAlive() && !closed && System.nanoTime() < deadline) {
        pause();
        client = connect();
      }
    } finally {
      if (client == null) {
        process.destroyForcibly();
      }
    }
    if (client == null) {
      throw new IOException("the resident pipes do not start, see " + output);
    }
    return client;
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Leaves the process to a successor. */
  public void leave() {
    ResidentClient held;
    synchronized (this) {
      closed = true;
      held = lease;
      lease = null;
    }
    thread.interrupt();
    if (held != null) {
      held.close();
    }
  }

  /** Ends the process, and with it every transfer that is left. */
  @Override
  public void close() {
    Optional<ProcessHandle> process = answering();
    leave();
    try (ResidentClient client = new ResidentClient(socket)) {
      client.quit();
    } catch (IOException e) {
      log.debug("{}", e.getMessage());
    }
    try {
      thread.join(END_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    process.ifPresent(
        p -> {
          try {
            p.onExit().get(END_MILLIS, TimeUnit.MILLISECONDS);
          } catch (java.util.concurrent.TimeoutException
              | java.util.concurrent.ExecutionException e) {
            p.destroyForcibly();
            p.onExit().orTimeout(END_MILLIS, TimeUnit.MILLISECONDS).exceptionally(e2 -> p).join();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }
}
