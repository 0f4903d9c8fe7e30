package io.xmig.testbed.bench;

/** Goodput of chunks. */
final class ChunkBench extends NetworkBench {
  ChunkBench() {
    super("chunk", "node - router - node");
  }

  @Override
  Mover open(Chain chain, BenchOptions options) throws Exception {
    ChunkTransferRun chunks =
        new ChunkTransferRun(
            chain.stack(Chain.SENDER),
            chain.stack(Chain.RECEIVER),
            options.chunkBytes(),
            (long) options.cacheMib() << 20);
    return new Mover() {
      @Override
      public double move(long bytes, boolean warmUp) throws Exception {
        return chunks.run(bytes, warmUp || options.verify());
      }

      @Override
      public void close() {
        chunks.close();
      }
    };
  }
}
