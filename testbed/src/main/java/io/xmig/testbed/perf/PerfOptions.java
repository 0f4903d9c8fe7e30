package io.xmig.testbed.perf;

import java.time.Duration;

/**
 * What a client measures, and how.
 *
 * @param messageBytes length of a message, datagram or request
 * @param responseBytes length of a response over STREAM; by datagrams it is that of the request
 * @param duration when to stop
 * @param maxBytes when to stop at the latest, on each connection, 0 for no limit (STREAM only)
 * @param parallel connections or sockets
 * @param interval between two reports, zero for none
 * @param bytesPerSecond rate of datagrams of all sockets together, 0 for as fast as can be
 */
public record PerfOptions(
    PerfTest test,
    int messageBytes,
    int responseBytes,
    Duration duration,
    long maxBytes,
    int parallel,
    Duration interval,
    long bytesPerSecond) {
  /** Most connections or sockets of one client. */
  public static final int MAX_PARALLEL = 64;

  public PerfOptions {
    need(
        messageBytes >= smallest(test) && messageBytes <= PerfHello.MAX_MESSAGE_BYTES,
        "messages are " + smallest(test) + " bytes to 4 MiB in this test, not " + messageBytes);
    need(
        responseBytes >= PerfHello.MIN_MESSAGE_BYTES
            && responseBytes <= PerfHello.MAX_MESSAGE_BYTES,
        "responses are 16 bytes to 4 MiB, not " + responseBytes);
    need(
        duration.toNanos() > 0 && duration.toNanos() <= PerfHello.MAX_DURATION_NS,
        "a test takes at most an hour");
    need(parallel >= 1 && parallel <= MAX_PARALLEL, "1 to 64 in parallel, not " + parallel);
    need(
        !interval.isNegative() && maxBytes >= 0 && bytesPerSecond >= 0,
        "interval, bytes and rate are not negative");
  }

  private static int smallest(PerfTest test) {
    return test.onStream() ? PerfHello.MIN_MESSAGE_BYTES : PerfDatagram.LENGTH;
  }

  private static void need(boolean condition, String otherwise) {
    if (!condition) {
      throw new IllegalArgumentException(otherwise);
    }
  }

  /** Bytes on a number of connections, as fast as they go, up to a limit of time and bytes. */
  public static PerfOptions stream(Duration duration, long maxBytes, int parallel) {
    return new PerfOptions(
        PerfTest.STREAM, 64 << 10, 16, duration, maxBytes, parallel, Duration.ZERO, 0);
  }
}
