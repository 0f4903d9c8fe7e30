package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Many small chunks asked for at once, time and again, over a link whose queue takes a part of
 * them: what the burst loses comes within round trips, not after timeouts. On virtual time.
 */
class ChunkBurstTest {
  private static final int CHUNKS = 128;
  private static final int CHUNK_BYTES = 15_600;
  private static final int BURSTS = 20;

  /** Round trips of a burst beyond what the link needs for its bytes. */
  private static final int ROUND_TRIPS = 40;

  /** The granularity with which silence is measured: shorter round trips count as this. */
  private static final long SHORTEST_RTT_NS = 120_000;

  @ParameterizedTest(name = "{0} Mbit/s, round trip {1} us, queue {2} KiB")
  @CsvSource({
    "1000, 100, 64",
    "1000, 1000, 64",
    "1000, 10000, 64",
    "1000, 10000, 256",
    "10000, 100, 64",
    "10000, 100, 256",
    "10000, 1000, 64",
    "10000, 1000, 256",
    "10000, 1000, 1757",
    "100000, 10, 64",
    "100000, 10, 256",
    "100000, 10, 1757",
    "100000, 100, 64",
    "100000, 100, 256",
    "100000, 1000, 64"
  })
  void aBurstThatOverflowsAQueueTakesFewRoundTrips(double megabit, int rttUs, int queueKib) {
    for (long seed = 0; seed < 3; seed++) {
      long rttNs = rttUs * 1000L;
      ChunkNet net = new ChunkNet(seed);
      ChunkNet.Host from = net.new Host(1, 1);
      ChunkNet.Host to = net.new Host(1, 2);
      from.mtu = 9000;
      to.mtu = 9000;
      from.up.rate(megabit).delayNs = rttNs / 2;
      from.up.queueBytes = queueKib * 1024L;
      to.up.delayNs = rttNs / 2;
      to.down.delayNs = 0;
      from.down.delayNs = 0;
      Transfer transfer = new Transfer(net, from, to, ChunkOptions.defaults());
      transfer.parallel = CHUNKS;
      long onTheLinkNs = (long) (CHUNKS * (double) CHUNK_BYTES * 8 * 1e3 / megabit);
      Random pauses = new Random(seed);
      for (int burst = 0; burst < BURSTS; burst++) {
        long began = net.now();
        transfer.put(CHUNKS, CHUNK_BYTES, seed * BURSTS + burst).start();
        assertThat(transfer.run(20 * Transfer.SECOND)).isTrue();
        assertThat(transfer.doneNs - began)
            .as("seed %d, burst %d of %s", seed, burst, transfer.client.flows())
            .isLessThan(onTheLinkNs + ROUND_TRIPS * Math.max(rttNs, SHORTEST_RTT_NS));
        net.run(net.now() + pauses.nextInt(3_000_000));
      }
      assertThat(transfer.failures).isEmpty();
      assertThat(transfer.client.counters().timeouts).isZero();
    }
  }
}
