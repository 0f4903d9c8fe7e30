package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What sockets of one host get of its flow from another host. */
class SocketSharesTest {
  private static final long SECOND = 1_000_000_000L;

  private final ChunkNet net = new ChunkNet(3);
  private final ChunkNet.Host server = net.new Host(1, 1);
  private final ChunkNet.Host client = net.new Host(2, 2);

  SocketSharesTest() {
    server.up.rate(100).delayNs = 5_000_000;
    server.up.queueBytes = 300_000;
  }

  /** Part of what both got together that was the first one's, in two seconds. */
  private double share(
      ChunkOptions serving, ChunkOptions fetching, int chunk1, int many1, int chunk2, int many2) {
    ChunkTransport from = new ChunkTransport(server, serving);
    ChunkTransport to = new ChunkTransport(client, fetching);
    Bulk first = new Bulk(from, to, chunk1, many1, 1);
    Bulk second = new Bulk(from, to, chunk2, many2, 2);
    net.run(SECOND);
    long before1 = first.bytes;
    long before2 = second.bytes;
    net.run(3 * SECOND);
    double got1 = first.bytes - before1;
    double got2 = second.bytes - before2;
    assertThat(got1 + got2).as("bytes in 2 s").isGreaterThan(0.85 * 25e6);
    return got1 / (got1 + got2);
  }

  private static ChunkOptions options() {
    return ChunkOptions.defaults();
  }

  @ParameterizedTest(name = "{0} × {1} bytes against {2} × {3} bytes, {4} lost")
  @CsvSource({
    "64, 262144, 4, 262144, 0",
    "4, 262144, 64, 262144, 0",
    "64, 262144, 4, 262144, 0.01",
    "16, 524288, 64, 20000, 0",
    "16, 524288, 64, 20000, 0.01",
  })
  void socketsShareEvenlyWhateverEachHasAskedFor(
      int many1, int chunk1, int many2, int chunk2, double loss) {
    server.up.loss = loss;
    assertThat(share(options(), options(), chunk1, many1, chunk2, many2)).isBetween(0.45, 0.55);
  }

  @Test
  void socketsShareAnOlderHostEvenly() {
    server.up.delayNs = 500_000;
    server.up.rate(20);
    ChunkTransport from = new ChunkTransport(server, options().withoutExtensions());
    ChunkTransport to = new ChunkTransport(client, options());
    Bulk first = new Bulk(from, to, 15_600, 64, 1);
    Bulk second = new Bulk(from, to, 15_600, 4, 2);
    net.run(3 * SECOND);
    double part = (double) first.bytes / (first.bytes + second.bytes);
    assertThat(part).isBetween(0.45, 0.55);
  }

  @Test
  void largeChunksGetMemoryAlthoughSmallOnesWouldFit() {
    ChunkOptions little = options().withLimits(4 << 20, 256 << 20, 4 << 20);
    assertThat(share(options(), little, 4 << 20, 4, 64 << 10, 64)).isBetween(0.3, 0.99);
  }
}
