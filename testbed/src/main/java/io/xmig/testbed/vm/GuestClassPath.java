package io.xmig.testbed.vm;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * The jars of the running program that its guest part needs.
 *
 * <p>What only a host uses (gRPC, plots, terminals, test libraries) stays out: the image sits in
 * the guest's memory and crosses the network with it.
 */
final class GuestClassPath {
  /** Beginnings of the names of jars that no guest needs. */
  private static final List<String> HOST_ONLY =
      List.of(
          "grpc-",
          "perfmark-",
          "animal-sniffer-",
          "annotations-",
          "gson-",
          "guava-",
          "failureaccess-",
          "listenablefuture-",
          "j2objc-",
          "checker-",
          "error_prone_",
          "jspecify-",
          "proto-google-",
          "opencensus-",
          "xchart-",
          "VectorGraphics2D",
          "graphics2d-",
          "pdfbox",
          "fontbox-",
          "commons-logging-",
          "animated-gif-lib",
          "progressbar-",
          "jline-",
          "jsr305-",
          "zstd-jni-",
          "junit-",
          "assertj-",
          "surefire",
          "byte-buddy",
          "jazzer",
          "archunit",
          "awaitility-",
          "hamcrest",
          "opentest4j",
          "apiguardian",
          "jmh-");

  private final List<Path> entries;

  private GuestClassPath(List<Path> entries) {
    this.entries = entries;
  }

  /** From a class path as in the system property {@code java.class.path}. */
  static GuestClassPath of(String classPath) {
    List<Path> entries = new ArrayList<>();
    Set<Path> seen = new HashSet<>();
    for (String text : classPath.split(File.pathSeparator)) {
      Path path = Path.of(text).toAbsolutePath().normalize();
      if (text.isEmpty() || !Files.exists(path) || !seen.add(path)) {
        continue;
      }
      String name = path.getFileName().toString();
      boolean tests =
          name.equals("test-classes") || name.endsWith("-tests.jar") || name.endsWith("-tests");
      boolean usable = Files.isDirectory(path) || name.endsWith(".jar");
      if (usable && !tests && HOST_ONLY.stream().noneMatch(name::startsWith)) {
        entries.add(path);
      }
    }
    if (entries.isEmpty()) {
      throw new GuestImageException("no jar on the class path to put into the guest: " + classPath);
    }
    return new GuestClassPath(List.copyOf(entries));
  }

  List<Path> entries() {
    return entries;
  }

  /** Adds names and contents of all entries to {@code digest}. */
  void updateKey(MessageDigest digest) throws IOException {
    for (Path entry : entries) {
      for (Path file : files(entry)) {
        digest.update(
            entry.relativize(file).toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
        digest.update(Files.readAllBytes(file));
      }
    }
  }

  /**
   * Copies the jars to {@code directory}; class directories become jars. Names in class path order.
   */
  List<String> install(Path directory) throws IOException {
    Files.createDirectories(directory);
    List<String> names = new ArrayList<>();
    for (Path entry : entries) {
      String name = entry.getFileName().toString();
      if (Files.isDirectory(entry)) {
        name = "classes-" + names.size() + ".jar";
        pack(entry, directory.resolve(name));
      } else {
        if (names.contains(name)) {
          name = names.size() + "-" + name;
        }
        Files.copy(entry, directory.resolve(name), StandardCopyOption.REPLACE_EXISTING);
      }
      names.add(name);
    }
    return names;
  }

  private static List<Path> files(Path entry) throws IOException {
    try (Stream<Path> walk = Files.walk(entry)) {
      return walk.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static void pack(Path directory, Path jar) throws IOException {
    try (OutputStream file = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(file)) {
      for (Path path : files(directory)) {
        byte[] content = Files.readAllBytes(path);
        CRC32 crc = new CRC32();
        crc.update(content);
        ZipEntry zipEntry = new ZipEntry(directory.relativize(path).toString());
        // stored: the guest need not inflate, and the image is compressed as a whole if at all
        zipEntry.setMethod(ZipEntry.STORED);
        zipEntry.setSize(content.length);
        zipEntry.setCrc(crc.getValue());
        zipEntry.setTime(GuestTree.FILE_TIME_MILLIS);
        zip.putNextEntry(zipEntry);
        zip.write(content);
        zip.closeEntry();
      }
    }
  }
}
