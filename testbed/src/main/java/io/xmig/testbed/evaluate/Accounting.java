package io.xmig.testbed.evaluate;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the processes in the run's namespaces use, looked at several times a second, since a
 * migration's pipes come and go: what a process uses after the last look is not seen.
 *
 * @threading started and stopped by one thread, looks with its own
 * @source proc(5), /proc/PID/stat fields 14 and 15 in clock ticks of 10 ms
 */
final class Accounting implements AutoCloseable {
  private static final int LOOK_MILLIS = 100;
  private static final double TICKS_PER_SECOND = 100;
  private static final double KIB_PER_MIB = 1024;
  private static final int FIELDS_BEFORE_USER_TIME = 11;

  private final Map<String, String> nodeOfNamespace = new HashMap<>();
  private final Set<Long> others = new HashSet<>();
  private final Map<Long, String> names = new HashMap<>();
  private final Map<Long, Long> ticksAtStart = new HashMap<>();
  private final Map<Long, Long> ticks = new HashMap<>();
  private final Map<Long, Double> peaks = new HashMap<>();
  private final Thread thread = new Thread(this::run, "accounting");
  private volatile boolean running = true;

  /**
   * @param namespaces name of a network namespace by node
   */
  Accounting(Map<String, String> namespaces) {
    namespaces.forEach(
        (node, namespace) -> {
          try {
            Object inode = Files.getAttribute(Path.of("/run/netns", namespace), "unix:ino");
            nodeOfNamespace.put("net:[" + inode + "]", node);
          } catch (IOException e) {
            return; // there are none for nodes that this run leaves out
          }
        });
    look(true);
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    while (running) {
      look(false);
      try {
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private synchronized void look(boolean first) {
    try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
      entries
          .map(p -> p.getFileName().toString())
          .filter(n -> Character.isDigit(n.charAt(0)))
          .forEach(n -> look(Long.parseLong(n), first));
    } catch (IOException e) {
      return; // the next look may do
    }
  }

  private void look(long pid, boolean first) {
    if (others.contains(pid)) {
      return;
    }
    Path proc = Path.of("/proc", Long.toString(pid));
    try {
      String node = nodeOfNamespace.get(Files.readSymbolicLink(proc.resolve("ns/net")).toString());
      if (node == null) {
        if (first) {
          others.add(pid); // was there before and is not ours; one that has just started may move
        }
        return;
      }
      String stat = Files.readString(proc.resolve("stat"), StandardCharsets.ISO_8859_1);
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      long used =
          Long.parseLong(fields[FIELDS_BEFORE_USER_TIME])
              + Long.parseLong(fields[FIELDS_BEFORE_USER_TIME + 1]);
      if (first) {
        ticksAtStart.put(pid, used);
      }
      ticks.put(pid, used);
      String name = nameOf(proc);
      if (name != null) {
        names.put(pid, node + "/" + name);
      }
      peaks.put(pid, peakMb(proc));
    } catch (IOException | RuntimeException e) {
      return; // it has ended
    }
  }

  private static double peakMb(Path proc) throws IOException {
    for (String line : Files.readAllLines(proc.resolve("status"), StandardCharsets.ISO_8859_1)) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) / KIB_PER_MIB;
      }
    }
    return 0;
  }

  private static @Nullable String nameOf(Path proc) throws IOException {
    String[] words =
        Files.readString(proc.resolve("cmdline"), StandardCharsets.UTF_8).split("\0", -1);
    for (int i = 0; i + 1 < words.length; i++) {
      if (words[i].equals("io.xmig.testbed.cli.Main")) {
        return "xmig " + words[i + 1];
      }
    }
    String program = words[0].substring(words[0].lastIndexOf('/') + 1);
    return program.isEmpty() ? null : program;
  }

  /** CPU seconds since the start by {@code NODE/PROGRAM}, processes of the same name together. */
  synchronized Map<String, Double> cpuSeconds() {
    Map<String, Double> sum = new TreeMap<>();
    ticks.forEach(
        (pid, used) ->
            sum.merge(
                names.getOrDefault(pid, "?"),
                (used - ticksAtStart.getOrDefault(pid, 0L)) / TICKS_PER_SECOND,
                Double::sum));
    sum.values().removeIf(s -> s == 0);
    return sum;
  }

  /** Most memory that was resident, by {@code NODE/PROGRAM}. */
  synchronized Map<String, Double> peakMb() {
    Map<String, Double> most = new TreeMap<>();
    peaks.forEach((pid, mb) -> most.merge(names.getOrDefault(pid, "?"), mb, Math::max));
    return most;
  }

  @Override
  public void close() {
    look(false);
    running = false;
    thread.interrupt();
  }
}
