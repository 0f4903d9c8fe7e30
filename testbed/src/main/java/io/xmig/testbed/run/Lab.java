package io.xmig.testbed.run;

import io.xmig.testbed.links.Net;
import io.xmig.testbed.links.Starter;
import io.xmig.testbed.links.VethNet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The place of one run: a directory for its sockets and logs, and every process it started. Closing
 * it ends the processes, last started first, and removes the directory; so does the end of this
 * JVM, however it comes about short of SIGKILL.
 *
 * @threading one thread, but {@link #close} may come from the shutdown hook
 */
public final class Lab implements AutoCloseable, Starter {
  private static final String PREFIX = "xmig-run-";
  private static final String KEPT = "kept";
  private static final Duration GRACE = Duration.ofSeconds(5);
  private static final int TAIL_LINES = 15;

  private final Path directory;
  private final boolean keep;
  private final Deque<Child> children = new ArrayDeque<>();
  private final Thread hook = new Thread(this::tearDown, "lab-cleanup");
  private @Nullable Net net;
  private boolean down;

  private record Child(String name, Process process, Path log) {}

  private Lab(Path directory, boolean keep) {
    this.directory = directory;
    this.keep = keep;
  }

  /**
   * Makes a place for a run under the system's directory for temporary files.
   *
   * @param keep whether the directory stays after the run, for a look at the logs
   */
  public static Lab open(boolean keep) throws IOException {
    removeAbandoned();
    Path directory =
        Files.createTempDirectory(
            PREFIX + ProcessHandle.current().pid() + "-",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Lab lab = new Lab(directory, keep);
    Runtime.getRuntime().addShutdownHook(lab.hook);
    return lab;
  }

  /** Takes links over: closed when every process of the run has ended. */
  public synchronized Net own(Net made) {
    net = made;
    return made;
  }

  /** Where the run keeps its sockets and logs. */
  public Path directory() {
    return directory;
  }

  /** The log of a process started under this name. */
  public Path log(String name) {
    return directory.resolve(name + ".log");
  }

  /**
   * Starts an xmig command as a process of its own; {@link #awaitReady} waits for it.
   *
   * @param name for messages and for the log
   * @param prefix words before the command, which say where it runs
   */
  @Override
  public void launch(String name, List<String> prefix, List<String> arguments) {
    List<String> command = new ArrayList<>(prefix);
    command.add(launcher());
    command.addAll(arguments);
    launch(name, command, directory, Map.of("XMIG_NO_BUILD", "1"));
  }

  /**
   * Starts a program that is not ours as a process of the run.
   *
   * @param name for messages and for the log
   * @param workingDirectory of the process
   * @param environment added to ours
   */
  void launch(
      String name, List<String> command, Path workingDirectory, Map<String, String> environment) {
    Path log = log(name);
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(workingDirectory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
      builder.environment().putAll(environment);
      Process process = builder.start();
      synchronized (children) {
        children.push(new Child(name, process, log));
      }
    } catch (IOException e) {
      throw new RunException("cannot start " + name, e);
    }
  }

  /** A process started under this name, to be watched; ending it is the lab's business. */
  public ProcessHandle process(String name) {
    return child(name).process().toHandle();
  }

  /**
   * Throws with the end of its log if a process has ended.
   *
   * @throws RunException with its exit status
   */
  void requireAlive(String name) {
    Process process = child(name).process();
    if (!process.isAlive()) {
      throw new RunException(
          name + " ended at once", Map.of("status", process.exitValue(), "said", tail(name)));
    }
  }

  /** The last lines that a process has written. */
  public String tail(String name) {
    return tail(log(name));
  }

  private Child child(String name) {
    synchronized (children) {
      return children.stream()
          .filter(c -> c.name().equals(name))
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("no process " + name));
    }
  }

  /**
   * Waits until a process says that it is ready.
   *
   * @param readyWord its output contains this once it is
   * @throws RunException with the end of its log when it ends or stays silent instead
   */
  @Override
  public void awaitReady(String name, String readyWord, Duration limit) {
    Child child = child(name);
    awaitReady(name, child.process(), child.log(), readyWord, limit);
  }

  private static String launcher() {
    String launcher = System.getProperty("xmig.launcher");
    if (launcher == null) {
      throw new RunException(
          "start this command with testbed/xmig", Map.of("missing", "-Dxmig.launcher"));
    }
    return launcher;
  }

  private static void awaitReady(
      String name, Process process, Path log, String readyWord, Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    try {
      while (System.nanoTime() < deadline) {
        String said = Files.readString(log, StandardCharsets.UTF_8);
        if (said.contains(readyWord)) {
          return;
        }
        if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
          throw new RunException(
              name + " ended at once", Map.of("status", process.exitValue(), "said", tail(log)));
        }
      }
    } catch (IOException e) {
      throw new RunException("cannot read the log of " + name, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RunException("interrupted while waiting for " + name, e);
    }
    throw new RunException(
        name + " did not get ready", Map.of("seconds", limit.toSeconds(), "said", tail(log)));
  }

  /** Ends a process before the run is over. */
  public void end(String name) {
    List<Child> ending;
    synchronized (children) {
      ending = children.stream().filter(c -> c.name().equals(name)).toList();
      children.removeAll(ending);
    }
    ending.forEach(c -> end(c.process()));
  }

  /** Names of processes of this run that have ended by themselves. */
  public List<String> dead() {
    synchronized (children) {
      return children.stream().filter(c -> !c.process().isAlive()).map(Child::name).toList();
    }
  }

  private static String tail(Path log) {
    try (Stream<String> lines = Files.lines(log, StandardCharsets.UTF_8)) {
      List<String> all = lines.toList();
      return String.join(" | ", all.subList(Math.max(0, all.size() - TAIL_LINES), all.size()));
    } catch (IOException | UncheckedIOException e) {
      return "(no log: " + e.getMessage() + ")";
    }
  }

  @Override
  public void close() {
    tearDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return; // the JVM is going down and runs the hook itself
    }
  }

  private synchronized void tearDown() {
    if (down) {
      return;
    }
    down = true;
    List<Child> ending;
    synchronized (children) {
      ending = List.copyOf(children);
    }
    for (Child child : ending) {
      end(child.process());
    }
    if (net != null) {
      try {
        net.close();
      } catch (RuntimeException e) {
        System.err.println("xmig: " + e.getMessage());
      }
    }
    try {
      if (keep) {
        Files.createFile(directory.resolve(KEPT)); // the next run leaves it alone
      } else {
        deleteTree(directory);
      }
    } catch (IOException e) {
      System.err.println("xmig: could not clean up " + directory + ": " + e.getMessage());
    }
  }

  /** Asks a process to end, and its descendants after it; insists after a while. */
  private static void end(Process process) {
    List<ProcessHandle> family = new ArrayList<>(process.descendants().toList());
    process.destroy();
    try {
      if (!process.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        process.waitFor(GRACE.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroyForcibly();
    }
    family.forEach(ProcessHandle::destroyForcibly);
  }

  /** Removes what runs left whose runner was killed before it could; returns how many. */
  static int removeAbandoned() throws IOException {
    Set<String> removed = new TreeSet<>(VethNet.removeAbandoned());
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    try (Stream<Path> entries = Files.list(temporary)) {
      for (Path entry : entries.filter(Lab::isAbandoned).toList()) {
        Abandoned.clean(entry);
        deleteTree(entry);
        removed.add(entry.getFileName().toString());
      }
    }
    return removed.size();
  }

  private static boolean isAbandoned(Path entry) {
    String name = entry.getFileName().toString();
    if (!name.startsWith(PREFIX)) {
      return false;
    }
    String rest = name.substring(PREFIX.length());
    int dash = rest.indexOf('-');
    try {
      return dash > 0
          && !Files.exists(entry.resolve(KEPT))
          && Files.getOwner(entry).getName().equals(System.getProperty("user.name"))
          && ProcessHandle.of(Long.parseLong(rest.substring(0, dash))).isEmpty();
    } catch (NumberFormatException | IOException e) {
      return false;
    }
  }

  static void deleteTree(Path top) throws IOException {
    if (!Files.exists(top)) {
      return;
    }
    Files.walkFileTree(
        top,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException failure)
              throws IOException {
            Files.deleteIfExists(dir);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
