package io.xmig.testbed.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The files of a guest, put together in a directory. */
final class GuestTree {
  /** Time stamp of every file in an image; a class-data archive insists on its jars' times. */
  static final long FILE_TIME_MILLIS = 1_600_000_000_000L;

  private static final String CLASS_ARCHIVE = "/xmig/guest.jsa";

  private static final Pattern LIBRARY = Pattern.compile("(?:=>\\s+|^\\s+)(/[^\\s]+)\\s+\\(0x");

  private static final Duration TOOL_LIMIT = Duration.ofMinutes(3);

  private final Path tree;
  private final Consumer<String> log;

  /**
   * @param tree an empty directory
   */
  GuestTree(Path tree, Consumer<String> log) {
    this.tree = tree;
    this.log = log;
  }

  /**
   * The small system.
   *
   * @param kernel where drivers and the first init come from; null for a tree that is switched to
   */
  void addSystem(byte[] busybox, byte[] init, byte[] sbinInit, @Nullable Path kernel)
      throws IOException {
    for (String directory : List.of("bin", "sbin", "dev", "proc", "sys", "tmp", "new", "etc")) {
      Files.createDirectories(tree.resolve(directory));
    }
    FileTrees.executable(tree.resolve("bin/busybox"), busybox);
    String applets = HostTool.BUSYBOX.run(tree, TOOL_LIMIT, List.of("--list"));
    for (String applet : applets.split("\n")) {
      Path link = tree.resolve("bin").resolve(applet);
      if (!applet.isBlank() && !Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
        Files.createSymbolicLink(link, Path.of("busybox"));
      }
    }
    FileTrees.executable(tree.resolve("sbin/init"), sbinInit);
    Files.writeString(tree.resolve("etc/passwd"), "root:x:0:0:root:/tmp:/bin/sh\n");
    Files.writeString(tree.resolve("etc/hosts"), "127.0.0.1 localhost\n");
    if (kernel != null) {
      FileTrees.executable(tree.resolve("init"), init);
      Path modules = Files.createDirectories(tree.resolve("modules"));
      for (String driver : GuestParts.DRIVERS) {
        Files.copy(kernel.resolve(driver + ".ko"), modules.resolve(driver + ".ko"));
      }
      Files.writeString(modules.resolve("order"), String.join("\n", GuestParts.DRIVERS) + "\n");
    }
  }

  /** The runtime and the jars, with an archive of their classes. */
  void addJava(Path jre, GuestClassPath jars) throws IOException {
    Path target = tree.resolve("jre");
    FileTrees.copy(jre, target);
    Files.createDirectories(tree.resolve("xmig"));
    List<String> names = jars.install(tree.resolve("xmig/lib"));
    StringBuilder classPathInGuest = new StringBuilder();
    for (String name : names) {
      classPathInGuest
          .append(classPathInGuest.isEmpty() ? "" : ":")
          .append("/xmig/lib/")
          .append(name);
      Files.setLastModifiedTime(
          tree.resolve("xmig/lib").resolve(name), FileTime.fromMillis(FILE_TIME_MILLIS));
    }
    // the second compiler costs more than it gives when the guest's processor is itself translated
    String script =
        """
        #!/bin/busybox sh
        [ -e %1$s ] && archive=-XX:SharedArchiveFile=%1$s
        export GLIBC_TUNABLES=glibc.pthread.rseq=0
        exec /jre/bin/java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xss512k \\
          -Xlog:disable -Xlog:all=error:stderr ${ARCHIVE:-$archive} \\
          ${HEAP:--Xmx96m} -XX:MaxDirectMemorySize=${DIRECT:-600m} \\
          -cp %2$s io.xmig.testbed.vm.GuestMain "$@"
        """
            .formatted(CLASS_ARCHIVE, classPathInGuest);
    FileTrees.executable(tree.resolve("xmig/guest"), script.getBytes(StandardCharsets.UTF_8));
    addLibraries(target);
    archiveClasses();
  }

  /**
   * Archives the classes of the guest's program, as far as this user may change the root directory:
   * the archive is only valid for the very paths and times that the guest will see.
   */
  private void archiveClasses() {
    List<String> command = new ArrayList<>(List.of("unshare", "--mount"));
    if (!"root".equals(System.getProperty("user.name"))) {
      command.addAll(List.of("--user", "--map-root-user"));
    }
    // the runtime finds its own parts through /proc; the mount ends with the command
    command.addAll(
        List.of(
            "sh",
            "-c",
            "mount --rbind /proc \"$1/proc\" && exec chroot \"$1\" /bin/busybox env -i"
                + " ARCHIVE=-XX:ArchiveClassesAtExit="
                + CLASS_ARCHIVE
                + " /bin/sh /xmig/guest warm-up",
            "sh",
            tree.toString()));
    try {
      HostTool.run(tree, TOOL_LIMIT, command, "the guest's program in a changed root directory");
    } catch (GuestImageException e) {
      log.accept("no class archive in the guest image, its Java starts slower: " + e.getMessage());
    }
  }

  /** Copies the shared libraries of the runtime to where its loader looks for them. */
  private void addLibraries(Path jre) throws IOException {
    List<String> objects = new ArrayList<>();
    objects.add(jre.resolve("bin/java").toString());
    try (Stream<Path> walk = Files.walk(jre.resolve("lib"))) {
      walk.filter(path -> path.toString().endsWith(".so"))
          .map(Path::toString)
          .forEach(objects::add);
    }
    copyLibraries(objects);
  }

  /** Programs of this machine with their data. */
  void addPrograms(Map<Path, List<Path>> programs) throws IOException {
    for (var program : programs.entrySet()) {
      Path binary = program.getKey();
      Path copy = tree.resolve("bin").resolve(binary.getFileName());
      Files.copy(binary, copy, StandardCopyOption.REPLACE_EXISTING);
      copy.toFile().setExecutable(true);
      for (Path data : program.getValue()) {
        Files.copy(data, tree.resolve("xmig").resolve(data.getFileName()));
      }
      copyLibraries(List.of(binary.toString()));
    }
  }

  private void copyLibraries(List<String> objects) throws IOException {
    TreeSet<Path> libraries = new TreeSet<>();
    for (String line : HostTool.LDD.run(tree, TOOL_LIMIT, objects).split("\n")) {
      Matcher matcher = LIBRARY.matcher(line);
      if (matcher.find() && !matcher.group(1).startsWith(tree.toString())) {
        libraries.add(Path.of(matcher.group(1)));
      }
    }
    // not linked by the runtime, but by what programs bring along (JNA's native part)
    for (String name : List.of("libdl.so.2", "libpthread.so.0", "librt.so.1")) {
      Path path = Path.of("/lib/x86_64-linux-gnu", name);
      if (Files.exists(path)) {
        libraries.add(path);
      }
    }
    for (Path library : libraries) {
      Path copy = tree.resolve(library.toString().substring(1));
      Files.createDirectories(copy.getParent());
      // the link's name, the file's content
      Files.copy(library.toRealPath(), copy, StandardCopyOption.REPLACE_EXISTING);
      copy.toFile().setExecutable(true);
    }
  }
}
