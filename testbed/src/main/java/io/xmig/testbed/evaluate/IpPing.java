package io.xmig.testbed.evaluate;

import io.xmig.control.qemu.EpochMicros;
import io.xmig.testbed.run.RunException;
import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Sample;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The counterpart of Xping for IP: iputils' {@code ping}, whose lines say when an answer came.
 *
 * @threading the output is read by a thread of its own
 */
final class IpPing implements AutoCloseable {
  private static final Pattern ANSWER =
      Pattern.compile("\\[(\\d+)\\.(\\d{6})\\d*\\].*icmp_seq=(\\d+).*time=([0-9.]+) ms");
  private static final int SEQUENCES = 1 << 16;

  private final Process process;
  private final long startUs;
  private final long intervalUs;
  private final TreeMap<Long, Sample> answers = new TreeMap<>();

  private IpPing(Process process, long startUs, long intervalUs) {
    this.process = process;
    this.startUs = startUs;
    this.intervalUs = intervalUs;
    Thread thread = new Thread(this::read, "ip-ping");
    thread.setDaemon(true);
    thread.start();
  }

  /** Starts probing an address from a network namespace. */
  static IpPing start(List<String> prefix, String address, int intervalMs) {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of(
            "ping",
            "-D",
            "-n",
            "-i",
            String.format(Locale.ROOT, "%.3f", intervalMs / 1000.0),
            "-W",
            "5",
            address));
    try {
      return new IpPing(
          new ProcessBuilder(command).redirectErrorStream(true).start(),
          EpochMicros.now(),
          intervalMs * 1000L);
    } catch (IOException e) {
      throw new RunException("cannot run ping (apt-get install iputils-ping)", e);
    }
  }

  private void read() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      long wraps = 0;
      long before = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Matcher m = ANSWER.matcher(line);
        if (m.find()) {
          long sequence = Long.parseLong(m.group(3));
          if (sequence < before - SEQUENCES / 2) {
            wraps++;
          }
          before = sequence;
          note(
              wraps * SEQUENCES + sequence,
              Long.parseLong(m.group(1)) * 1_000_000 + Long.parseLong(m.group(2)),
              Math.round(Double.parseDouble(m.group(4)) * 1000));
        }
      }
    } catch (IOException e) {
      return; // ping was ended
    }
  }

  private synchronized void note(long sequence, long answeredUs, long rttUs) {
    answers.putIfAbsent(sequence, new Sample(answeredUs - rttUs, rttUs));
  }

  /** What has been seen; probes without an answer stand where their time was. */
  synchronized ProbeLog log(long nowUs) {
    List<Sample> samples = new ArrayList<>();
    long expected = 1;
    long lastUs = startUs;
    for (var answer : answers.entrySet()) {
      for (; expected < answer.getKey(); expected++) {
        lastUs += intervalUs;
        samples.add(new Sample(Math.min(lastUs, answer.getValue().sentUs()), Sample.LOST));
      }
      samples.add(answer.getValue());
      lastUs = answer.getValue().sentUs();
      expected = answer.getKey() + 1;
    }
    for (lastUs += intervalUs; lastUs < nowUs; lastUs += intervalUs) {
      samples.add(new Sample(lastUs, Sample.LOST));
    }
    return new ProbeLog(intervalUs, samples);
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
