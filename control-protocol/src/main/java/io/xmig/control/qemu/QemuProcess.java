package io.xmig.control.qemu;

import io.xmig.control.qemu.QemuException.Kind;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One QEMU process and the control connection to it.
 *
 * <p>A QEMU outlives the program that started it: a guest must not die because its host service
 * crashed. Who it is is written beside its sockets, so that a restarted service finds it again
 * ({@link #adopt}) and nothing is ever killed by a recycled process id. It runs in a process group
 * of its own together with its migration pipes; {@link #kill} ends them all.
 *
 * @threading any
 */
public final class QemuProcess implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(QemuProcess.class);

  /**
   * What the C library does with the buffers of 1 MiB in which QEMU reads a disk that is migrated:
   * left to itself it may give each back to the kernel, and each then takes 256 page faults again.
   */
  private static final Map<String, String> KEPT_MEMORY =
      Map.of("MALLOC_MMAP_THRESHOLD_", "4194304", "MALLOC_TRIM_THRESHOLD_", "67108864");

  /** QEMU creates its control socket within some 100 ms, on a busy machine within seconds. */
  private static final Duration START_LIMIT = Duration.ofSeconds(20);

  private static final Duration QUIT_LIMIT = Duration.ofSeconds(3);
  private static final int POLL_MILLIS = 10;

  private final String name;
  private final VmDirectory files;
  private final ProcessHandle process;
  private final QmpClient qmp;
  private final boolean ownGroup;

  private QemuProcess(
      String name, VmDirectory files, ProcessHandle process, QmpClient qmp, boolean ownGroup) {
    this.name = name;
    this.files = files;
    this.process = process;
    this.qmp = qmp;
    this.ownGroup = ownGroup;
  }

  /** The program: {@code $XMIG_QEMU}, else {@code qemu-system-x86_64}. */
  public static String program() {
    String configured = System.getenv("XMIG_QEMU");
    return configured == null || configured.isEmpty() ? "qemu-system-x86_64" : configured;
  }

  /** Whether QEMU can be found; the message of a failed start says how to install it. */
  public static boolean installed() {
    return find(program()) != null;
  }

  private static @Nullable Path find(String program) {
    if (program.indexOf('/') >= 0) {
      return Files.isExecutable(Path.of(program)) ? Path.of(program) : null;
    }
    String path = System.getenv("PATH");
    for (String directory : (path == null ? "/usr/bin:/bin" : path).split(File.pathSeparator)) {
      Path candidate = Path.of(directory, program);
      if (!directory.isEmpty() && Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    return null;
  }

  /**
   * Starts QEMU and waits until it can be controlled.
   *
   * @param incoming wait for a migration ({@code -incoming defer}) instead of booting
   * @param paused do not run the guest until {@code cont}
   * @param listener for QEMU's events, from the first one on
   * @throws QemuException with QEMU's own words if it does not come up
   */
  public static QemuProcess start(
      VmSpec vm,
      VmDirectory files,
      Accelerator accelerator,
      boolean incoming,
      boolean paused,
      Consumer<QmpEvent> listener) {
    return start(vm, files, accelerator, incoming, paused, List.of(), listener);
  }

  /**
   * The same somewhere else, e.g. in a network namespace.
   *
   * @param prefix words before QEMU's command line; what they start must become QEMU itself ({@code
   *     exec}), since its process id is QEMU's
   */
  public static QemuProcess start(
      VmSpec vm,
      VmDirectory files,
      Accelerator accelerator,
      boolean incoming,
      boolean paused,
      List<String> prefix,
      Consumer<QmpEvent> listener) {
    Path program = find(program());
    if (program == null) {
      throw new QemuException(
          Kind.NOT_INSTALLED,
          program()
              + " is not installed; install it with: apt-get install -y --no-install-recommends"
              + " qemu-system-x86",
          Map.of());
    }
    requireReadable(vm.kernel());
    requireReadable(vm.initrd());
    Path setsid = find("setsid");
    List<String> command = new ArrayList<>();
    if (setsid != null) {
      command.add(setsid.toString());
    }
    command.addAll(prefix);
    command.add(program.toString());
    command.addAll(QemuCommandLine.arguments(vm, accelerator, files, incoming, paused));
    Process process;
    try {
      Files.createDirectories(files.path());
      Files.deleteIfExists(files.qmpSocket());
      Files.deleteIfExists(files.pidFile());
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(files.path().toFile())
              .redirectInput(new File("/dev/null"))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(files.qemuLog().toFile()));
      // For xmig in exec: pipes: building it would keep the guest waiting.
      builder.environment().put("XMIG_NO_BUILD", "1");
      KEPT_MEMORY.forEach(builder.environment()::putIfAbsent);
      process = builder.start();
    } catch (IOException e) {
      throw new QemuException(
          Kind.START_FAILED,
          "cannot start qemu",
          Map.of("vm", vm.name(), "reason", String.valueOf(e.getMessage())),
          e);
    }
    try {
      writeIdentity(files, process.toHandle(), setsid != null);
      QmpClient qmp = connect(vm.name(), files, process, listener);
      return new QemuProcess(vm.name(), files, process.toHandle(), qmp, setsid != null);
    } catch (RuntimeException e) {
      process.destroyForcibly();
      throw e;
    }
  }

  private static QmpClient connect(
      String name, VmDirectory files, Process process, Consumer<QmpEvent> listener) {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (true) {
      if (!process.isAlive()) {
        throw new QemuException(
            Kind.START_FAILED,
            "qemu ended at once",
            Map.of("vm", name, "status", process.exitValue(), "qemu", lastWords(files)));
      }
      if (Files.exists(files.qmpSocket())) {
        try {
          return QmpClient.connect(files.qmpSocket(), START_LIMIT, listener);
        } catch (QemuException e) {
          // the socket's file appears a moment before QEMU listens on it
          if (e.kind() != Kind.GONE || System.nanoTime() > deadline) {
            throw e;
          }
        }
      }
      if (System.nanoTime() > deadline) {
        throw new QemuException(
            Kind.START_FAILED,
            "qemu did not open its control socket",
            Map.of("vm", name, "limit", START_LIMIT, "qemu", lastWords(files)));
      }
      pause();
    }
  }

  /**
   * Takes over a QEMU that an earlier process started.
   *
   * @return empty if it is gone; then the remains of its control socket are removed
   */
  public static Optional<QemuProcess> adopt(
      String name, VmDirectory files, Consumer<QmpEvent> listener) {
    Optional<Identity> identity = Identity.read(files.identityFile());
    Optional<ProcessHandle> process = identity.flatMap(Identity::find);
    if (process.isEmpty()) {
      try {
        Files.deleteIfExists(files.qmpSocket());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return Optional.empty();
    }
    try {
      QmpClient qmp = QmpClient.connect(files.qmpSocket(), START_LIMIT, listener);
      return Optional.of(
          new QemuProcess(name, files, process.get(), qmp, identity.get().ownGroup()));
    } catch (QemuException e) {
      if (!process.get().isAlive()) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static void requireReadable(Path path) {
    if (!Files.isReadable(path)) {
      throw new QemuException(
          Kind.START_FAILED, "file for qemu cannot be read", Map.of("path", path));
    }
  }

  private static void pause() {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QemuException(Kind.START_FAILED, "interrupted while starting qemu", Map.of(), e);
    }
  }

  /** The end of what QEMU wrote to stderr, in one line. */
  public static String lastWords(VmDirectory files) {
    try {
      String text = Files.readString(files.qemuLog(), StandardCharsets.UTF_8).strip();
      return text.substring(Math.max(0, text.length() - 400)).replace('\n', ' ');
    } catch (IOException e) {
      return "";
    }
  }

  private record Identity(long pid, Instant started, boolean ownGroup) {
    static Optional<Identity> read(Path file) {
      try {
        String[] words = Files.readString(file).strip().split(" ", -1);
        return words.length == 3
            ? Optional.of(
                new Identity(
                    Long.parseLong(words[0]), Instant.parse(words[1]), words[2].equals("group")))
            : Optional.empty();
      } catch (IOException | RuntimeException e) {
        log.debug("no identity of a qemu in {}: {}", file, e.getMessage());
        return Optional.empty();
      }
    }

    Optional<ProcessHandle> find() {
      return ProcessHandle.of(pid)
          .filter(handle -> handle.isAlive() && handle.info().startInstant().isPresent())
          .filter(handle -> handle.info().startInstant().get().equals(started));
    }
  }

  private static void writeIdentity(VmDirectory files, ProcessHandle process, boolean ownGroup) {
    Instant started = process.info().startInstant().orElse(Instant.EPOCH);
    try {
      Files.writeString(
          files.identityFile(),
          process.pid() + " " + started + " " + (ownGroup ? "group" : "single") + "\n");
    } catch (IOException e) {
      throw new QemuException(
          Kind.START_FAILED,
          "cannot write",
          Map.of("path", files.identityFile(), "reason", String.valueOf(e.getMessage())),
          e);
    }
  }

  /** The VM's name. */
  public String name() {
    return name;
  }

  /** Process id. */
  public long pid() {
    return process.pid();
  }

  /** The VM's files. */
  public VmDirectory files() {
    return files;
  }

  /** The control connection. */
  public QmpClient qmp() {
    return qmp;
  }

  /** Whether the process lives. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** Completes when the process has ended. */
  public CompletableFuture<ProcessHandle> onExit() {
    return process.onExit();
  }

  /**
   * Lets QEMU go before what else the machine has to do, or no longer. Best effort; QEMU's threads
   * of this moment.
   */
  public void favour(boolean on) {
    ThreadFavour.set(pid(), on);
  }

  /** Asks QEMU to end; kills it if it does not. Returns when it is gone. */
  public void quit() {
    if (process.isAlive()) {
      qmp.send("quit", null);
      if (!awaitExit(QUIT_LIMIT)) {
        log.warn("qemu of {} does not quit, killing it", name);
      }
    }
    kill();
  }

  /** Ends QEMU and its pipes at once; repeating this is harmless. */
  public void kill() {
    process.destroyForcibly();
    if (ownGroup) {
      killGroup();
    }
    if (!awaitExit(QUIT_LIMIT)) {
      log.error("qemu of {} (process {}) cannot be killed", name, process.pid());
    }
    qmp.close();
  }

  private void killGroup() {
    try {
      // Java cannot signal a group; the pipes in it are no longer descendants of QEMU
      Process kill =
          new ProcessBuilder("/bin/sh", "-c", "kill -9 -- -" + process.pid())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      kill.waitFor(1, TimeUnit.SECONDS);
    } catch (IOException e) {
      log.warn("cannot end the pipes of {}: {}", name, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean awaitExit(Duration limit) {
    try {
      process.onExit().get(limit.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException | ExecutionException e) {
      return !process.isAlive();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Closes the control connection and leaves QEMU running; {@link #adopt} gets it back. */
  @Override
  public void close() {
    qmp.close();
  }
}
