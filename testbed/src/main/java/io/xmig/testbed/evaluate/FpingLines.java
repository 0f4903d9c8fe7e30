package io.xmig.testbed.evaluate;

import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the lines of {@code fping -l -D} say: {@code [1796047016.92205] 10.0.0.2 : [121], 64 bytes,
 * 0.108 ms (0.030 avg, 0% loss)} is the answer to probe 121 and when it came. Probes count from 0
 * and their numbers do not wrap. All other lines (timed out, unreachable, errors of sending) say
 * what a missing number says too.
 *
 * @threading one thread writes, others read
 */
final class FpingLines {
  private static final Pattern ANSWER =
      Pattern.compile("^\\[(\\d+\\.\\d+)\\] .*: \\[(\\d+)\\], \\d+ bytes, ([0-9.]+) ms");
  private static final double MICROS = 1e6;

  private final long startUs;
  private final long intervalUs;
  private final TreeMap<Long, Sample> answers = new TreeMap<>();

  /**
   * @param startUs when the probing began, microseconds since the epoch
   * @param intervalUs between two probes
   */
  FpingLines(long startUs, long intervalUs) {
    this.startUs = startUs;
    this.intervalUs = intervalUs;
  }

  synchronized void line(String line) {
    Matcher m = ANSWER.matcher(line);
    if (m.find()) {
      long answeredUs = Math.round(Double.parseDouble(m.group(1)) * MICROS);
      long rttUs = Math.round(Double.parseDouble(m.group(3)) * 1000);
      answers.putIfAbsent(Long.parseLong(m.group(2)), new Sample(answeredUs - rttUs, rttUs));
    }
  }

  /** What has been seen; probes without an answer stand where their time was. */
  synchronized ProbeLog log(long nowUs) {
    List<Sample> samples = new ArrayList<>();
    long expected = 0;
    long lastUs = startUs - intervalUs;
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
}
