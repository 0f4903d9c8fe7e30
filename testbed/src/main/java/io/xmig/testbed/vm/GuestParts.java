package io.xmig.testbed.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * What a guest image is made from and other images share: the kernel with its drivers, downloaded
 * and unpacked, and a Java runtime, each kept in the cache.
 *
 * @threading whoever holds the cache's lock
 */
final class GuestParts {
  private static final String KERNEL_PACKAGE = "linux-image-cloud-amd64";

  /** virtio_ring before virtio: the latter needs a symbol of the former. */
  static final List<String> DRIVERS =
      List.of(
          "virtio_ring",
          "virtio",
          "virtio_pci_legacy_dev",
          "virtio_pci_modern_dev",
          "virtio_pci",
          "virtio_blk",
          "failover",
          "net_failover",
          "virtio_net");

  /** jdk.unsupported for protobuf and JNA, jdk.crypto.ec for signatures, java.xml for Logback. */
  private static final String JAVA_MODULES =
      "java.base,java.logging,java.naming,java.xml,jdk.crypto.ec,jdk.unsupported";

  private static final Duration TOOL_LIMIT = Duration.ofMinutes(3);

  private final Path cache;
  private final Consumer<String> log;

  GuestParts(Path cache, Consumer<String> log) {
    this.cache = cache;
    this.log = log;
  }

  /** Gives the directory with vmlinuz and the drivers, from the cache or from Debian. */
  Path kernel() throws IOException {
    Path kernels = Files.createDirectories(cache.resolve("kernel"));
    try (Stream<Path> list = Files.list(kernels)) {
      List<Path> found = list.filter(Files::isDirectory).sorted().toList();
      if (!found.isEmpty()) {
        return found.get(found.size() - 1);
      }
    }
    Path work = Files.createTempDirectory(cache, "building-");
    try {
      String depends = HostTool.APT_CACHE.run(work, TOOL_LIMIT, List.of("depends", KERNEL_PACKAGE));
      Matcher matcher = Pattern.compile("Depends: (linux-image-\\S+)").matcher(depends);
      if (!matcher.find()) {
        throw new GuestImageException(
            "Debian's package lists do not know " + KERNEL_PACKAGE + "; run: apt-get update");
      }
      String name = matcher.group(1);
      log.accept("downloading the guest's kernel, " + name);
      try {
        HostTool.APT_GET.run(
            work, TOOL_LIMIT, List.of("-q", "-o", "APT::Sandbox::User=root", "download", name));
      } catch (GuestImageException e) {
        throw new GuestImageException(
            e.getMessage() + "\nif the package lists are old, run: apt-get update", e);
      }
      Path deb;
      try (Stream<Path> list = Files.list(work)) {
        deb =
            list.filter(path -> path.toString().endsWith(".deb"))
                .findFirst()
                .orElseThrow(() -> new GuestImageException("apt-get download left no .deb"));
      }
      HostTool.DPKG_DEB.run(work, TOOL_LIMIT, List.of("-x", deb.toString(), "k"));
      Path made = Files.createDirectory(work.resolve("made"));
      String version = name.substring("linux-image-".length());
      Files.move(work.resolve("k/boot/vmlinuz-" + version), made.resolve("vmlinuz"));
      Path modules = work.resolve("k/lib/modules/" + version);
      for (String driver : DRIVERS) {
        try (Stream<Path> walk = Files.walk(modules)) {
          Path module =
              walk.filter(path -> path.endsWith(driver + ".ko"))
                  .findFirst()
                  .orElseThrow(
                      () -> new GuestImageException(name + " has no driver " + driver + ".ko"));
          Files.copy(module, made.resolve(driver + ".ko"));
        }
      }
      Path kernel = kernels.resolve(version);
      Files.move(made, kernel, StandardCopyOption.ATOMIC_MOVE);
      return kernel;
    } finally {
      FileTrees.delete(work);
    }
  }

  /** Gives a Java runtime with only the modules that the guest needs, of this JVM's version. */
  Path jre() throws IOException {
    MessageDigest digest = DigestUtils.getSha256Digest();
    digest.update(Files.readAllBytes(Path.of(System.getProperty("java.home"), "release")));
    digest.update((GuestImageBuilder.RECIPE + JAVA_MODULES).getBytes(StandardCharsets.UTF_8));
    Path jre = cache.resolve("jre").resolve(HexFormat.of().formatHex(digest.digest(), 0, 10));
    if (Files.isDirectory(jre)) {
      return jre;
    }
    log.accept("trimming a Java runtime for the guest");
    Path work = Files.createTempDirectory(cache, "building-");
    try {
      // uncompressed: smaller once the whole image is compressed, and nothing to inflate at start
      HostTool.run(
          work,
          TOOL_LIMIT,
          List.of(
              jlink().toString(),
              "--add-modules",
              JAVA_MODULES,
              "--strip-java-debug-attributes",
              "--no-man-pages",
              "--no-header-files",
              "--vm",
              "server",
              "--output",
              "jre"),
          "jlink");
      Path made = work.resolve("jre");
      // jlink drops the default class-data archive
      HostTool.run(
          work,
          TOOL_LIMIT,
          List.of(made.resolve("bin/java").toString(), "-XX:+UseSerialGC", "-Xshare:dump"),
          "java -Xshare:dump");
      Files.createDirectories(jre.getParent());
      Files.move(made, jre, StandardCopyOption.ATOMIC_MOVE);
      return jre;
    } finally {
      FileTrees.delete(work);
    }
  }

  static Path jlink() {
    return Path.of(System.getProperty("java.home"), "bin", "jlink");
  }
}
