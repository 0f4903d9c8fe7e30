package io.xmig.testbed.perf;

import java.util.concurrent.CompletableFuture;

/**
 * One connection or socket of a client's test.
 *
 * @threading on the stack's loop
 */
interface PerfFlow {
  /** Starts sending or asking. */
  void begin();

  /** No more is to be started; {@link #done} follows when the other end has confirmed the rest. */
  void stop();

  /** Bytes that have got through so far, as far as this end knows. */
  long bytes();

  /** Messages or round trips so far. */
  long messages();

  /** Completes with what has got through, or fails. */
  CompletableFuture<Outcome> done();

  /** Drops the connection or socket. */
  void close();

  /**
   * What got through.
   *
   * @param sent messages sent
   * @param received messages that arrived at the other end, or round trips
   */
  record Outcome(
      long bytes, long sent, long received, long reordered, long duplicates, double jitterNs) {
    static final Outcome NOTHING = new Outcome(0, 0, 0, 0, 0, 0);

    /** Both together; the jitter is the larger one. */
    Outcome plus(Outcome other) {
      return new Outcome(
          bytes + other.bytes,
          sent + other.sent,
          received + other.received,
          reordered + other.reordered,
          duplicates + other.duplicates,
          Math.max(jitterNs, other.jitterNs));
    }
  }
}
