package io.xmig.testbed.vm;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A program of the host that the image build calls, and the Debian package it comes from. */
enum HostTool {
  APT_GET("apt-get", "apt"),
  APT_CACHE("apt-cache", "apt"),
  DPKG_DEB("dpkg-deb", "dpkg"),
  BUSYBOX("busybox", "busybox-static"),
  LDD("ldd", "libc-bin"),
  MKFS_EXT4("mkfs.ext4", "e2fsprogs");

  /** sbin is not on every user's path. */
  private static final List<String> EXTRA_DIRECTORIES = List.of("/usr/sbin", "/sbin", "/bin");

  private final String program;
  private final String debianPackage;

  HostTool(String program, String debianPackage) {
    this.program = program;
    this.debianPackage = debianPackage;
  }

  String debianPackage() {
    return debianPackage;
  }

  /** Where the program is, or {@code null}. */
  @Nullable Path find() {
    List<String> directories = new ArrayList<>();
    String path = System.getenv("PATH");
    if (path != null) {
      directories.addAll(Arrays.asList(path.split(File.pathSeparator)));
    }
    directories.addAll(EXTRA_DIRECTORIES);
    for (String directory : directories) {
      Path candidate = Path.of(directory, program);
      if (!directory.isEmpty() && Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    return null;
  }

  /**
   * Where the program is.
   *
   * @throws GuestImageException with the command that installs it
   */
  Path require() {
    Path found = find();
    if (found == null) {
      throw new GuestImageException(
          program + " is not installed; install it with: " + installLine(List.of(debianPackage)));
    }
    return found;
  }

  static String installLine(List<String> packages) {
    return "apt-get install -y --no-install-recommends " + String.join(" ", packages);
  }

  /** Runs the program in {@code directory} and returns what it printed on stdout and stderr. */
  String run(Path directory, Duration limit, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(require().toString());
    command.addAll(arguments);
    return run(directory, limit, command, program);
  }

  /**
   * Runs a command.
   *
   * @throws GuestImageException if it fails or takes longer than {@code limit}
   */
  static String run(Path directory, Duration limit, List<String> command, String name) {
    Process process = null;
    try {
      Path output = Files.createTempFile("xmig-tool", ".log");
      try {
        ProcessBuilder builder =
            new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(output.toFile());
        builder.environment().put("LC_ALL", "C");
        process = builder.start();
        boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        String text = Files.readString(output, StandardCharsets.ISO_8859_1);
        if (!ended) {
          throw new GuestImageException(
              name + " did not finish within " + limit.toSeconds() + " s: " + tail(text));
        }
        if (process.exitValue() != 0) {
          throw new GuestImageException(
              String.join(" ", command)
                  + " failed with status "
                  + process.exitValue()
                  + ": "
                  + tail(text));
        }
        return text;
      } finally {
        if (process != null) {
          process.destroyForcibly();
        }
        Files.deleteIfExists(output);
      }
    } catch (IOException e) {
      throw new GuestImageException("cannot run " + name + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new GuestImageException("interrupted while running " + name, e);
    }
  }

  private static String tail(String text) {
    String trimmed = text.strip();
    return trimmed.length() <= 600 ? trimmed : "… " + trimmed.substring(trimmed.length() - 600);
  }
}
