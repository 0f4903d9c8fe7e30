package io.xmig.testbed.evaluate;

import io.xmig.control.qemu.EpochMicros;
import io.xmig.testbed.run.RunException;
import io.xmig.testbed.workload.ProbeLog;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The counterpart of Xping for IP: {@code fping}, which sleeps between two probes however short the
 * interval, where iputils' {@code ping} spins. It writes each answer out as it comes.
 *
 * @threading the output is read by a thread of its own
 */
final class IpPing implements AutoCloseable {
  /** A later answer is none. */
  private static final int TIMEOUT_MILLIS = 5000;

  private final Process process;
  private final FpingLines lines;

  private IpPing(Process process, FpingLines lines) {
    this.process = process;
    this.lines = lines;
    Thread thread = new Thread(this::read, "ip-ping");
    thread.setDaemon(true);
    thread.start();
  }

  /** Starts probing an address from a network namespace. */
  static IpPing start(List<String> prefix, String address, Duration interval) {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of(
            "fping",
            "-l",
            "-D",
            "-p",
            Long.toString(interval.toMillis()),
            "-t",
            Integer.toString(TIMEOUT_MILLIS),
            address));
    try {
      return new IpPing(
          new ProcessBuilder(command).redirectErrorStream(true).start(),
          new FpingLines(EpochMicros.now(), interval.toNanos() / 1000));
    } catch (IOException e) {
      throw new RunException("cannot run fping (apt-get install fping)", e);
    }
  }

  private void read() {
    try (BufferedReader output =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        lines.line(line);
      }
    } catch (IOException e) {
      return; // fping was ended
    }
  }

  /** What has been seen. */
  ProbeLog log(long nowUs) {
    return lines.log(nowUs);
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(1, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
