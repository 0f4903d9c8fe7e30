package io.xmig.testbed.perf;

import java.util.List;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What a test has measured.
 *
 * @param seconds from the first message until the last was acknowledged by the other program
 * @param bytes that arrived, without headers
 * @param messages that arrived; round trips in request-response tests
 * @param mbPerSecond rate in 10^6 bytes per second
 * @param mbitPerSecond the same in 10^6 bits per second
 * @param messagesPerSecond messages or round trips per second
 * @param datagrams what became of datagrams, {@code null} in other tests
 * @param rttUs round trips in microseconds, {@code null} in other tests
 * @param cpuSeconds of this process meanwhile
 */
public record PerfReport(
    String test,
    String target,
    int parallel,
    int messageBytes,
    double seconds,
    long bytes,
    long messages,
    double mbPerSecond,
    double mbitPerSecond,
    double messagesPerSecond,
    @Nullable Datagrams datagrams,
    @Nullable RoundTrips rttUs,
    double cpuSeconds,
    List<Interval> intervals) {

  /**
   * What became of datagrams.
   *
   * @param lost sent and never received; in request-response tests not answered in time
   * @param jitterUs mean difference of the transit times of successive datagrams
   */
  public record Datagrams(
      long sent, long lost, double lostPercent, long reordered, long duplicates, double jitterUs) {}

  /** Distribution of round trips in microseconds. */
  public record RoundTrips(
      double min, double mean, double p50, double p90, double p99, double p999, double max) {
    /** Of a histogram of nanoseconds; {@code null} if it is empty. */
    public static @Nullable RoundTrips of(Histogram nanos) {
      if (nanos.getTotalCount() == 0) {
        return null;
      }
      return new RoundTrips(
          us(nanos.getMinValue()),
          us(nanos.getMean()),
          us(nanos.getValueAtPercentile(50)),
          us(nanos.getValueAtPercentile(90)),
          us(nanos.getValueAtPercentile(99)),
          us(nanos.getValueAtPercentile(99.9)),
          us(nanos.getMaxValue()));
    }

    private static double us(double nanos) {
      return Math.round(nanos / 100) / 10.0;
    }
  }

  /**
   * What happened between two reports.
   *
   * @param fromSeconds since the start
   * @param bytes acknowledged (STREAM), received (REVERSE), sent (DGRAM) or exchanged in it
   */
  public record Interval(
      double fromSeconds, double toSeconds, long bytes, long messages, double mbPerSecond) {}
}
