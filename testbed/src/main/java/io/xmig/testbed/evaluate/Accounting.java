package io.xmig.testbed.evaluate;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the processes in the run's namespaces use, looked at several times a second: what a process
 * uses after the last look before its end is not seen. Looking costs too, so new processes are
 * looked for less often where a migration starts none.
 *
 * @threading started and stopped by one thread, looks with its own
 * @source proc(5), /proc/PID/stat fields 14 and 15 in clock ticks of 10 ms
 */
final class Accounting implements AutoCloseable {
  private static final int BRIEF_MILLIS = 100;
  private static final int LASTING_MILLIS = 250;

  /** Looks at processes that last for each search for new ones. */
  private static final int LOOKS_PER_SEARCH = 2;

  private static final double TICKS_PER_SECOND = 100;
  private static final double KIB_PER_MIB = 1024;
  private static final int FIELDS_BEFORE_USER_TIME = 11;

  /** Of what is read of a file: all of it, but for a very long command line. */
  private static final int MOST_BYTES = 16_384;

  /** As a node's {@code --with NODE=SERVICE OPTIONS}, the service perhaps in quotes. */
  private static final Pattern WITH_PIPES = Pattern.compile("(--with=)?[^\\s=]+='?pipes'?(\\s.*)?");

  private final Map<String, String> nodeOfNamespace = new HashMap<>();
  private final Set<Long> others = new HashSet<>();
  private final Map<Long, Used> processes = new HashMap<>();
  private final byte[] buffer = new byte[MOST_BYTES];
  private final boolean brief;
  private final Thread thread = new Thread(this::run, "accounting");
  private volatile boolean running = true;

  /** A process of ours; it may have ended. */
  private static final class Used {
    final String node;
    final String directory;
    final boolean first;
    long ticksAtStart;
    long ticks;
    double peakMb;
    String name = "?";
    boolean ended;

    Used(String node, String directory, boolean first) {
      this.node = node;
      this.directory = directory;
      this.first = first;
    }
  }

  /**
   * @param namespaces name of a network namespace by node
   * @param brief whether processes come and go meanwhile
   */
  Accounting(Map<String, String> namespaces, boolean brief) {
    this.brief = brief;
    namespaces.forEach(
        (node, namespace) -> {
          try {
            Object inode = Files.getAttribute(Path.of("/run/netns", namespace), "unix:ino");
            nodeOfNamespace.put("net:[" + inode + "]", node);
          } catch (IOException e) {
            return; // there are none for nodes that this run leaves out
          }
        });
    search(true);
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    for (int looks = 1; running; looks++) {
      try {
        TimeUnit.MILLISECONDS.sleep(brief ? BRIEF_MILLIS : LASTING_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      if (brief || looks % LOOKS_PER_SEARCH == 0) {
        search(false);
      } else {
        look();
      }
    }
  }

  /** Looks for new processes, then at all; at the most memory here only, since it stays known. */
  private synchronized void search(boolean first) {
    String[] entries = new File("/proc").list();
    for (String entry : entries == null ? new String[0] : entries) {
      if (Character.isDigit(entry.charAt(0))) {
        meet(Long.parseLong(entry), first);
      }
    }
    processes.values().stream().filter(p -> first || !p.first).forEach(this::name);
    look();
    processes.values().stream().filter(p -> !p.ended).forEach(this::peak);
    if (first) {
      processes.values().forEach(p -> p.ticksAtStart = p.ticks);
    }
  }

  private void meet(long pid, boolean first) {
    if (others.contains(pid) || processes.containsKey(pid)) {
      return;
    }
    try {
      Path namespace = Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "ns/net"));
      String node = nodeOfNamespace.get(namespace.toString());
      if (node != null) {
        processes.put(pid, new Used(node, "/proc/" + pid + "/", first));
      } else if (first) {
        others.add(pid); // was there before and is not ours; one that has just started may move
      }
    } catch (IOException e) {
      return; // it has ended
    }
  }

  /** Again and again, since a process that has just started may become another program. */
  private void name(Used process) {
    try {
      String name = process.ended ? null : nameOf(read(process.directory + "cmdline"));
      if (name != null) {
        process.name = process.node + "/" + name;
      }
    } catch (IOException e) {
      process.ended = true;
    }
  }

  /** Now, since one of them is about to end. */
  synchronized void look() {
    processes.values().stream().filter(p -> !p.ended).forEach(this::look);
  }

  private void look(Used process) {
    try {
      String stat = read(process.directory + "stat");
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      process.ticks =
          Long.parseLong(fields[FIELDS_BEFORE_USER_TIME])
              + Long.parseLong(fields[FIELDS_BEFORE_USER_TIME + 1]);
    } catch (IOException | RuntimeException e) {
      process.ended = true;
    }
  }

  private void peak(Used process) {
    try {
      process.peakMb = Math.max(process.peakMb, peakMb(read(process.directory + "status")));
    } catch (IOException | RuntimeException e) {
      process.ended = true;
    }
  }

  private String read(String file) throws IOException {
    try (InputStream in = new FileInputStream(file)) {
      int length = in.read(buffer);
      return new String(buffer, 0, Math.max(0, length), StandardCharsets.ISO_8859_1);
    }
  }

  private static double peakMb(String status) {
    int at = status.indexOf("VmHWM:");
    if (at < 0) {
      return 0; // a process that has ended, and whose parent has not asked for it
    }
    String line = status.substring(at, status.indexOf('\n', at));
    return Long.parseLong(line.replaceAll("\\D", "")) / KIB_PER_MIB;
  }

  /**
   * A program's name by its command line, whose words end with zeros: of our own with the command,
   * and whether a node has the host's pipes inside; {@code null} if it is empty.
   */
  static @Nullable String nameOf(String commandLine) {
    List<String> words = List.of(commandLine.split("\0", -1));
    int main = words.indexOf("io.xmig.testbed.cli.Main");
    if (main >= 0 && main + 1 < words.size()) {
      String command = words.get(main + 1);
      boolean pipes =
          command.equals("node") && words.stream().anyMatch(w -> WITH_PIPES.matcher(w).matches());
      return "xmig " + command + (pipes ? "+pipes" : "");
    }
    String program = words.get(0).substring(words.get(0).lastIndexOf('/') + 1);
    return program.isEmpty() ? null : program;
  }

  /** CPU seconds since the start by {@code NODE/PROGRAM}, processes of the same name together. */
  synchronized Map<String, Double> cpuSeconds() {
    Map<String, Double> sum = new TreeMap<>();
    processes
        .values()
        .forEach(
            p -> sum.merge(p.name, (p.ticks - p.ticksAtStart) / TICKS_PER_SECOND, Double::sum));
    sum.values().removeIf(s -> s == 0);
    return sum;
  }

  /** Most memory that was resident, by {@code NODE/PROGRAM}. */
  synchronized Map<String, Double> peakMb() {
    Map<String, Double> most = new TreeMap<>();
    processes.values().forEach(p -> most.merge(p.name, p.peakMb, Math::max));
    return most;
  }

  @Override
  public void close() {
    if (running) {
      search(false);
    }
    running = false;
    thread.interrupt();
  }
}
