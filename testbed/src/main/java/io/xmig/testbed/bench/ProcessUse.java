package io.xmig.testbed.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * What a process has used up to now.
 *
 * @param cpuSeconds user and system time of all its threads
 * @param peakMb most memory it has had resident, in MiB, 0 where the system does not tell
 */
record ProcessUse(double cpuSeconds, double peakMb) {
  private static final double KIB_PER_MIB = 1024;

  /** Of a process that runs; zero for one that has ended. */
  static ProcessUse of(ProcessHandle process) {
    double cpu = process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L) / 1e9;
    return new ProcessUse(cpu, peakMb(process.pid()));
  }

  private static double peakMb(long pid) {
    try {
      for (String line :
          Files.readAllLines(Path.of("/proc/" + pid + "/status"), StandardCharsets.US_ASCII)) {
        if (line.startsWith("VmHWM:")) {
          return Math.round(Long.parseLong(line.replaceAll("\\D", "")) / KIB_PER_MIB * 10) / 10.0;
        }
      }
    } catch (IOException e) {
      return 0;
    }
    return 0;
  }

  ProcessUse plus(ProcessUse later) {
    return new ProcessUse(cpuSeconds + later.cpuSeconds, Math.max(peakMb, later.peakMb));
  }

  ProcessUse minus(ProcessUse before) {
    return new ProcessUse(cpuSeconds - before.cpuSeconds, peakMb);
  }
}
