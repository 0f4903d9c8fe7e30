package io.xmig.testbed.bench;

import io.xmig.xia.host.RouterCache;

/** Goodput of chunks. */
final class ChunkBench extends NetworkBench {
  ChunkBench() {
    super("chunk", "node - router - node");
  }

  @Override
  Mover open(Chain chain, BenchOptions options) {
    ChunkTransferRun chunks =
        new ChunkTransferRun(
            chain.sockets(Chain.SENDER),
            chain.sockets(Chain.RECEIVER),
            options.chunkBytes(),
            options.caches().stream().anyMatch(RouterCache::isOn));
    return new Mover() {
      @Override
      public double move(long bytes, boolean warmUp) {
        return chunks.run(bytes, warmUp || options.verify());
      }

      @Override
      public void close() {
        chunks.close();
      }
    };
  }
}
