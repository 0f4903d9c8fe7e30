package io.xmig.testbed.run;

import io.xmig.testbed.report.RunResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** What a run took place on. */
final class MachineInfo {
  private static final int BYTES_PER_KIB = 1024;

  private MachineInfo() {}

  static RunResult.Machine read(String qemuBinary) {
    return new RunResult.Machine(
        Runtime.getRuntime().availableProcessors(),
        memoryMb(),
        System.getProperty("os.version"),
        Runtime.version().toString(),
        qemuVersion(qemuBinary));
  }

  private static long memoryMb() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"), StandardCharsets.US_ASCII)) {
        if (line.startsWith("MemTotal:")) {
          return Math.max(1, Long.parseLong(line.replaceAll("\\D", "")) / BYTES_PER_KIB);
        }
      }
    } catch (IOException | NumberFormatException e) {
      return Math.max(1, Runtime.getRuntime().maxMemory() >> 20);
    }
    return 1;
  }

  private static String qemuVersion(String binary) {
    try {
      Process process = new ProcessBuilder(binary, "--version").redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      process.waitFor(5, TimeUnit.SECONDS);
      return said.lines().findFirst().orElse("QEMU");
    } catch (IOException e) {
      return "QEMU (" + e.getMessage() + ")";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "QEMU";
    }
  }
}
