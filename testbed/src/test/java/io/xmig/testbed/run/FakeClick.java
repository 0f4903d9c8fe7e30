package io.xmig.testbed.run;

import io.xmig.xia.click.Topology;
import io.xmig.xia.host.HostOptions;
import io.xmig.xia.host.NodeHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Stands in for the prototype's {@code click}: called and configured like it, and answering like it
 * on the ControlSocket, the API ports and the UDP links; inside it is our node. It refuses what
 * release 1.1 would refuse. What it was called with is left beside the program.
 *
 * @source XIA prototype v1.1, docs/click.md
 */
final class FakeClick {
  /** The element classes of release 1.1 that a configuration for it may have. */
  private static final Set<String> CLASSES =
      Set.of(
          "XIAEndHost",
          "XIARouter2Port",
          "XIARouter4Port",
          "XIADualRouter4Port",
          "Socket",
          "LinkUnqueue",
          "Queue",
          "Unqueue",
          "RandomSample",
          "Idle",
          "Discard",
          "ControlSocket");

  private static final Pattern REQUIRED = Pattern.compile("require\\(library ([^)]+)\\);");
  private static final Pattern DECLARED = Pattern.compile("(?m)^(\\w+) :: (\\w+)\\(");
  private static final Pattern USED =
      Pattern.compile("(?m)(?:^|-> *)(?:\\[\\d+\\])?([A-Za-z_]\\w*)");

  private FakeClick() {}

  /** Makes {@code HOME/userlevel/click} and {@code HOME/conf}, as the prototype has them. */
  static Path install(Path home) throws IOException {
    for (String name : List.of(ClickProgram.LIBRARY_FILE, "xia_address.click")) {
      Files.writeString(
          Files.createDirectories(home.resolve("conf")).resolve(name), "// " + name + "\n");
    }
    return program(
        home,
        "exec '"
            + Path.of(System.getProperty("java.home"), "bin", "java")
            + "' -Xmx64m -XX:+UseSerialGC -Dlogback.configurationFile=logback-off.xml -Dfake.home='"
            + home
            + "' -cp '"
            + System.getProperty("java.class.path")
            + "' "
            + FakeClick.class.getName()
            + " \"$@\"");
  }

  /** A program in the place of click that does something else. */
  static Path program(Path home, String script) throws IOException {
    Path file = Files.createDirectories(home.resolve("userlevel")).resolve("click");
    Files.writeString(file, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    return file;
  }

  /** What Click would say of a configuration; empty if it would take it. */
  static List<String> complaints(String text, List<Path> libraries) {
    List<String> complaints = new ArrayList<>();
    String bare = text.replaceAll("//[^\n]*", "");
    Matcher required = REQUIRED.matcher(bare);
    while (required.find()) {
      String file = required.group(1);
      if (libraries.stream().noneMatch(directory -> Files.exists(directory.resolve(file)))) {
        complaints.add("can't find library '" + file + "'");
      }
    }
    Set<String> names = new HashSet<>(CLASSES);
    names.addAll(List.of("require"));
    Matcher declared = DECLARED.matcher(bare);
    while (declared.find()) {
      names.add(declared.group(1));
      if (!CLASSES.contains(declared.group(2))) {
        complaints.add("unknown element class '" + declared.group(2) + "'");
      }
    }
    Matcher used = USED.matcher(bare);
    while (used.find()) {
      if (!names.contains(used.group(1))) {
        complaints.add("undeclared element '" + used.group(1) + "'");
      }
    }
    return complaints;
  }

  public static void main(String[] arguments) throws Exception {
    Path home = Path.of(System.getProperty("fake.home"));
    Files.write(home.resolve("arguments"), List.of(arguments));
    Files.writeString(home.resolve("directory"), Path.of("").toAbsolutePath().toString());
    if (arguments.length != 1) {
      System.err.println("click: configuration file specified twice");
      System.exit(1);
    }
    List<Path> libraries = new ArrayList<>(List.of(Path.of("")));
    Arrays.stream(System.getenv().getOrDefault("CLICKPATH", "").split(":"))
        .filter(directory -> !directory.isEmpty())
        .forEach(directory -> libraries.add(Path.of(directory)));
    String configuration = Files.readString(Path.of(arguments[0]));
    Files.writeString(home.resolve("configuration"), configuration);
    List<String> complaints = complaints(configuration, libraries);
    if (!complaints.isEmpty()) {
      complaints.forEach(c -> System.err.println(arguments[0] + ": " + c));
      System.exit(1);
    }
    Path run = Files.createTempDirectory(home, "sockets");
    NodeHost host =
        NodeHost.start(
            Topology.load(Path.of(arguments[0])),
            HostOptions.in(run).withApiPorts(HostOptions.API_PORTS_OF_FILE));
    Runtime.getRuntime().addShutdownHook(new Thread(host::close));
    Thread.currentThread().join();
  }
}
