package io.xmig.testbed.vm;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A guest that QEMU can boot: kernel, initial RAM file system and, unless the root lives in memory,
 * the template of its disk.
 *
 * @param kernel for {@code -kernel}
 * @param initrd for {@code -initrd}
 * @param disk raw sparse ext4 file system, to be copied for each VM ({@link #copyDisk}), or {@code
 *     null} when the root is the initial RAM file system
 * @param key identifies the inputs that the image was made from
 */
public record GuestImage(Path kernel, Path initrd, @Nullable Path disk, String key) {
  /**
   * Kernel arguments that make a guest boot fastest without hardware virtualisation, and a guest's
   * panic end its QEMU.
   */
  private static final String KERNEL_ARGUMENTS =
      "console=ttyS0 quiet panic=-1 nokaslr mitigations=off no_timer_check tsc=reliable"
          + " random.trust_cpu=on ipv6.disable=1 psi=0 apparmor=0 audit=0 nowatchdog"
          + " hardened_usercopy=off init_on_alloc=0";

  /** Where init.sh looks. */
  private static final String SECRETS = "secrets";

  /** Linux on x86 cuts a longer command line. */
  private static final int KERNEL_ARGUMENTS_LIMIT = 2047;

  /**
   * The text for {@code -append}.
   *
   * @param environment words for the guest's init, e.g. {@code MTU}
   * @param run shell command that the guest runs, e.g. {@code /xmig/guest ballast=280}, or empty
   * @throws IllegalArgumentException for what a kernel command line cannot carry
   */
  public String commandLine(Map<String, String> environment, String run) {
    Map<String, String> words = new TreeMap<>(environment);
    if (disk != null) {
      words.put("ROOT", "vda");
    }
    if (!run.isEmpty()) {
      words.put("RUN", run);
    }
    StringJoiner line = new StringJoiner(" ");
    line.add(KERNEL_ARGUMENTS);
    words.forEach(
        (name, value) -> {
          requireName(name);
          if (value.indexOf('"') >= 0 || value.indexOf('\n') >= 0) {
            throw new IllegalArgumentException(
                "the kernel command line cannot carry double quotes or line ends: " + value);
          }
          boolean quote = value.isEmpty() || value.indexOf(' ') >= 0;
          line.add(quote ? '"' + name + '=' + value + '"' : name + '=' + value);
        });
    if (line.length() > KERNEL_ARGUMENTS_LIMIT) {
      throw new IllegalArgumentException(
          "kernel command line of "
              + line.length()
              + " characters, at most "
              + KERNEL_ARGUMENTS_LIMIT
              + " are possible");
    }
    return line.toString();
  }

  /**
   * The image for one VM, with what only this VM may know in its initial RAM file system: words for
   * its program's environment, which unlike those of the command line no process list shows.
   *
   * @param directory where its kernel and initial RAM file system are put; made, for this user only
   * @param secrets values by name, without quotes and line ends
   */
  public GuestImage forVm(Path directory, Map<String, String> secrets) throws IOException {
    StringBuilder script = new StringBuilder();
    new TreeMap<>(secrets)
        .forEach(
            (name, value) -> {
              requireName(name);
              if (value.indexOf('\'') >= 0 || value.indexOf('\n') >= 0) {
                throw new IllegalArgumentException("quotes or line ends in the value of " + name);
              }
              script.append(name).append("='").append(value).append("'\n");
            });
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    Path ownKernel = Files.copy(kernel, directory.resolve("vmlinuz"));
    Path ownInitrd = directory.resolve("initrd");
    try (OutputStream out = Files.newOutputStream(ownInitrd)) {
      Files.copy(initrd, out);
      // Linux unpacks one archive after the other
      try (CpioWriter archive = new CpioWriter(out, 0)) {
        archive.addSecret(SECRETS, script.toString().getBytes(StandardCharsets.UTF_8));
      }
    }
    return new GuestImage(ownKernel, ownInitrd, disk, key);
  }

  private static void requireName(String name) {
    if (!name.matches("[A-Z_][A-Z0-9_]*")) {
      throw new IllegalArgumentException("not a name for the guest's environment: " + name);
    }
  }

  /** Makes a VM's own copy of the disk; holes stay holes. */
  public void copyDisk(Path target) throws IOException {
    if (disk == null) {
      throw new IllegalStateException("this image has no disk");
    }
    HostTool.run(
        target.toAbsolutePath().getParent(),
        Duration.ofMinutes(2),
        java.util.List.of(
            "cp", "--sparse=always", "--reflink=auto", disk.toString(), target.toString()),
        "cp");
  }

  /** Size of the disk in bytes that source and destination must agree on; 0 without a disk. */
  public long diskBytes() throws IOException {
    return disk == null ? 0 : Files.size(disk);
  }
}
