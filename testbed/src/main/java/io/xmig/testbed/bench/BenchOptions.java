package io.xmig.testbed.bench;

import io.xmig.xia.host.RouterCache;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the benches are run.
 *
 * @param repetitions measured, after the warm-up
 * @param warmUp how long a bench runs before anything counts
 * @param bytes transferred in each repetition
 * @param mtus of the links, one network for each
 * @param links what joins the node processes
 * @param shape of each link, each way, or {@code null} for as fast as it goes
 * @param chunkBytes length of a chunk
 * @param caches what the router keeps of the content that passes; several are measured in turn
 * @param verify whether the hash of each chunk is checked in the measured repetitions too
 * @param parallel connections of the stream bench
 */
record BenchOptions(
    int repetitions,
    Duration warmUp,
    long bytes,
    List<Integer> mtus,
    Links links,
    @Nullable String shape,
    int chunkBytes,
    List<RouterCache> caches,
    boolean verify,
    int parallel) {

  /** Length of a chunk unless told otherwise. */
  static final int DEFAULT_CHUNK_BYTES = 256 << 10;

  /** What joins the node processes. */
  enum Links {
    /** Unix-domain datagram sockets, which hold the sender back. */
    UNIX,
    /** UDP datagrams over the loopback interface. */
    UDP
  }
}
