package io.xmig.testbed.links;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Network namespaces through iproute2's {@code ip} and {@code bridge}. */
public final class Namespaces {
  private static final Path MADE = Path.of("/run/netns");
  private static final int LIMIT_SECONDS = 10;
  private static final int KILL_ROUNDS = 100;
  private static final int PAUSE_MILLIS = 20;

  private Namespaces() {}

  /**
   * Why namespaces and taps cannot be used here, empty if they can.
   *
   * @return what is missing, for a message
   */
  public static String missing() {
    try {
      if (!System.getProperty("user.name").equals("root")) {
        return "network namespaces need root";
      }
      if (!Files.exists(Path.of("/dev/net/tun"))) {
        return "there is no /dev/net/tun for taps (modprobe tun)";
      }
      String probe = "xmig-probe-" + ProcessHandle.current().pid();
      try {
        ip(List.of("netns", "add", probe), "");
        ip(
            List.of("-n", probe, "-batch", "-"),
            "tuntap add dev t0 mode tap\nlink add v0 type veth peer name v1\nlink add b0 type bridge\n");
      } finally {
        remove(probe);
      }
      return "";
    } catch (NetException e) {
      return "this kernel or container allows no namespaces with veth pairs, bridges and taps ("
          + e.getMessage()
          + ")";
    }
  }

  static void add(String name) {
    ip(List.of("netns", "add", name), "");
  }

  /** Runs lines of {@code ip} commands in a namespace, all or an exception. */
  static void batch(String namespace, List<String> lines) {
    if (!lines.isEmpty()) {
      ip(List.of("-n", namespace, "-batch", "-"), String.join("\n", lines) + "\n");
    }
  }

  /** Runs lines of {@code bridge} commands in a namespace. */
  static void bridgeBatch(String namespace, List<String> lines) {
    if (!lines.isEmpty()) {
      run(List.of("bridge", "-n", namespace, "-batch", "-"), String.join("\n", lines) + "\n");
    }
  }

  static String ip(List<String> words, String input) {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(words);
    return run(command, input);
  }

  /** Runs a command in a namespace and gives what it said. */
  public static String in(String namespace, List<String> words) {
    List<String> command = new ArrayList<>(prefix(namespace));
    command.addAll(words);
    return run(command, "");
  }

  /** Words that make a command run in a namespace. */
  static List<String> prefix(String namespace) {
    return List.of("ip", "netns", "exec", namespace);
  }

  /** Names that begin like this. */
  static List<String> named(String prefix) {
    if (!Files.isDirectory(MADE)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(MADE)) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(n -> n.startsWith(prefix))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new NetException("cannot list " + MADE, Map.of(), e);
    }
  }

  /** Whether an interface lets frames through; the kernel does not say of a tap that it is up. */
  static boolean carries(String namespace, String device) {
    String[] words =
        ip(List.of("-n", namespace, "-br", "link", "show", "dev", device), "").split("\\s+");
    return words.length > 1 && (words[1].equals("UP") || words[1].equals("UNKNOWN"));
  }

  static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NetException("interrupted", Map.of(), e);
    }
  }

  /** Ends every process in a namespace and removes it with all its interfaces. */
  static void remove(String name) {
    if (!Files.exists(MADE.resolve(name))) {
      return;
    }
    for (int i = 0; i < KILL_ROUNDS; i++) {
      List<ProcessHandle> inside = inside(name);
      if (inside.isEmpty()) {
        break;
      }
      inside.forEach(ProcessHandle::destroyForcibly);
      pause();
    }
    ip(List.of("netns", "del", name), "");
  }

  private static List<ProcessHandle> inside(String name) {
    return ip(List.of("netns", "pids", name), "")
        .lines()
        .map(String::strip)
        .filter(l -> l.matches("[0-9]+"))
        .flatMap(l -> ProcessHandle.of(Long.parseLong(l)).stream())
        .toList();
  }

  private static String run(List<String> command, String input) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      try (OutputStream in = process.getOutputStream()) {
        in.write(input.getBytes(StandardCharsets.UTF_8));
      }
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new NetException("no end", Map.of("command", String.join(" ", command)));
      }
      if (process.exitValue() != 0) {
        throw new NetException(
            "network set-up failed",
            Map.of("command", String.join(" ", command), "said", said, "input", input));
      }
      return said;
    } catch (IOException e) {
      throw new NetException(
          "cannot run " + command.get(0) + " (apt-get install iproute2)", Map.of(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NetException("interrupted", Map.of("command", command.get(0)), e);
    }
  }
}
