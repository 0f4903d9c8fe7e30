package io.xmig.control.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out whether KVM really runs guests here.
 *
 * <p>That {@code /dev/kvm} opens and creates machines proves nothing: a software KVM inside a
 * virtual machine does both and then hangs in the first instructions of an ordinary kernel. So the
 * cheap signs are looked at first, and only a probe boot that prints its marker in time is
 * believed. The answer is kept per kernel, QEMU and machine, since a probe that fails takes its
 * whole limit.
 */
public final class AcceleratorProbe {
  private static final Logger log = LoggerFactory.getLogger(AcceleratorProbe.class);

  /** Overrides the decision: {@code auto}, {@code kvm} or {@code tcg}. */
  public static final String OVERRIDE = "XMIG_ACCEL";

  /** A guest on real KVM needs well under a second; a hung one would stay for ever. */
  private static final Duration BOOT_LIMIT = Duration.ofSeconds(3);

  private static final Pattern HARDWARE_FLAG =
      Pattern.compile("^flags\\s*:.*\\b(vmx|svm)\\b", Pattern.MULTILINE);

  private final Path root;
  private final Map<String, String> environment;
  private final Path cacheFile;

  /**
   * What was decided.
   *
   * @param reason for people: why not the other one
   */
  public record Decision(Accelerator accelerator, String reason) {}

  /** A probe of this machine that remembers its answer in {@code cacheDirectory}. */
  public AcceleratorProbe(Path cacheDirectory) {
    this(Path.of("/"), System.getenv(), cacheDirectory);
  }

  AcceleratorProbe(Path root, Map<String, String> environment, Path cacheDirectory) {
    this.root = root;
    this.environment = environment;
    this.cacheFile = cacheDirectory.resolve("accelerator");
  }

  /**
   * Decides.
   *
   * @param kernel and {@code initrd}: what to boot for the probe; {@code null} when there is
   *     nothing, then KVM is not chosen
   * @param append kernel arguments that make the probe print {@code marker} and power off
   */
  public Decision decide(
      @Nullable Path kernel, @Nullable Path initrd, String append, String marker) {
    String wish = environment.getOrDefault(OVERRIDE, "auto").toLowerCase(Locale.ROOT);
    switch (wish) {
      case "kvm":
        return new Decision(Accelerator.KVM, OVERRIDE + "=kvm");
      case "tcg":
        return new Decision(Accelerator.TCG, OVERRIDE + "=tcg");
      case "auto", "":
        break;
      default:
        throw new IllegalArgumentException(OVERRIDE + " is auto, kvm or tcg, not '" + wish + "'");
    }
    String missing = missingSign();
    if (missing != null) {
      return new Decision(Accelerator.TCG, "no usable KVM: " + missing);
    }
    if (kernel == null || initrd == null) {
      return new Decision(
          Accelerator.TCG,
          "KVM looks usable but there is nothing to prove it with; "
              + OVERRIDE
              + "=kvm takes it unproven");
    }
    String key = machineKey(kernel);
    Decision known = cached(key);
    if (known != null) {
      return known;
    }
    String failure = probeBoot(kernel, initrd, append, marker);
    Decision decision =
        failure == null
            ? new Decision(Accelerator.KVM, "a probe guest booted")
            : new Decision(Accelerator.TCG, "KVM is there but its probe guest " + failure);
    remember(key, decision);
    return decision;
  }

  /** The first sign of hardware virtualisation that is missing, or {@code null}. */
  private @Nullable String missingSign() {
    if (!HARDWARE_FLAG.matcher(read("proc/cpuinfo")).find()) {
      return "/proc/cpuinfo has neither vmx nor svm";
    }
    if (!Files.isDirectory(root.resolve("sys/module/kvm_intel"))
        && !Files.isDirectory(root.resolve("sys/module/kvm_amd"))) {
      return "neither kvm_intel nor kvm_amd is loaded";
    }
    Path device = root.resolve("dev/kvm");
    if (!Files.isReadable(device) || !Files.isWritable(device)) {
      return "/dev/kvm cannot be opened by this user";
    }
    return null;
  }

  private String read(String path) {
    try {
      return Files.readString(root.resolve(path), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  private String machineKey(Path kernel) {
    return String.join(
        " | ",
        read("proc/sys/kernel/osrelease").strip(),
        read("proc/sys/kernel/random/boot_id").strip(),
        String.valueOf(kernel.getParent()));
  }

  private @Nullable Decision cached(String key) {
    try {
      List<String> lines = Files.readAllLines(cacheFile);
      if (lines.size() == 3 && lines.get(0).equals(key)) {
        return new Decision(Accelerator.valueOf(lines.get(1)), lines.get(2));
      }
    } catch (IOException | IllegalArgumentException e) {
      log.debug("no accelerator decision kept: {}", e.getMessage());
    }
    return null;
  }

  private void remember(String key, Decision decision) {
    try {
      Files.createDirectories(cacheFile.getParent());
      Files.write(cacheFile, List.of(key, decision.accelerator().name(), decision.reason()));
    } catch (IOException e) {
      log.debug("cannot keep the accelerator decision: {}", e.getMessage());
    }
  }

  /** Boots the probe under KVM; says what went wrong, or {@code null}. */
  private static @Nullable String probeBoot(
      Path kernel, Path initrd, String append, String marker) {
    Process process = null;
    Path output = null;
    try {
      output = Files.createTempFile("xmig-kvm-probe", ".log");
      process =
          new ProcessBuilder(
                  List.of(
                      QemuProcess.program(),
                      "-accel",
                      "kvm",
                      "-cpu",
                      "host",
                      "-m",
                      "256",
                      "-nodefaults",
                      "-no-user-config",
                      "-display",
                      "none",
                      "-no-reboot",
                      "-kernel",
                      kernel.toString(),
                      "-initrd",
                      initrd.toString(),
                      "-append",
                      append,
                      "-serial",
                      "stdio"))
              .redirectErrorStream(true)
              .redirectInput(new java.io.File("/dev/null"))
              .redirectOutput(output.toFile())
              .start();
      if (!process.waitFor(BOOT_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        return "did not finish booting within " + BOOT_LIMIT.toSeconds() + " s";
      }
      if (process.exitValue() != 0) {
        return "ended with status " + process.exitValue();
      }
      return Files.readString(output, StandardCharsets.ISO_8859_1).contains(marker)
          ? null
          : "ended without its marker";
    } catch (IOException e) {
      return "could not be started: " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "was interrupted";
    } finally {
      if (process != null) {
        process.destroyForcibly();
      }
      if (output != null) {
        try {
          Files.deleteIfExists(output);
        } catch (IOException e) {
          log.debug("cannot delete {}", output);
        }
      }
    }
  }
}
