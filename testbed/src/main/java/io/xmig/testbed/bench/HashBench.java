package io.xmig.testbed.bench;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * What one core hashes: SHA-1 names chunks, SHA-256 guards the whole stream; at each end of a
 * migration both are computed of every byte.
 */
final class HashBench implements Bench {
  private static final int BUFFERS = 64;
  private static final int BUFFER_BYTES = 256 << 10;
  private static final long REPETITION_NS = 500_000_000L;
  private static final double MEGA = 1e6;

  private final List<ByteBuffer> data = new ArrayList<>();

  @Override
  public List<Figure> run(BenchOptions options, Journal journal) {
    SplittableRandom random = new SplittableRandom(1);
    byte[] bytes = new byte[BUFFER_BYTES];
    for (int i = 0; i < BUFFERS; i++) {
      random.nextBytes(bytes);
      data.add(ByteBuffer.allocateDirect(BUFFER_BYTES).put(bytes).flip());
    }
    Map<String, List<MessageDigest>> kinds = new LinkedHashMap<>();
    kinds.put("SHA-1", List.of(DigestUtils.getSha1Digest()));
    kinds.put("SHA-256", List.of(DigestUtils.getSha256Digest()));
    kinds.put("both", List.of(DigestUtils.getSha1Digest(), DigestUtils.getSha256Digest()));
    List<Figure> figures = new ArrayList<>();
    kinds.forEach((what, digests) -> figures.add(measure(what, digests, options, journal)));
    data.clear();
    return figures;
  }

  private Figure measure(
      String what, List<MessageDigest> digests, BenchOptions options, Journal journal) {
    journal.now("hash, " + what);
    hashFor(digests, options.warmUp().toNanos());
    double[] rates = new double[options.repetitions()];
    for (int i = 0; i < rates.length; i++) {
      rates[i] = hashFor(digests, REPETITION_NS) / MEGA;
    }
    return Figure.of(
        "hash", what, (BUFFER_BYTES >> 10) + " KiB, one core", "MB/s", rates, Map.of());
  }

  /** Bytes per second. */
  private double hashFor(List<MessageDigest> digests, long nanos) {
    long started = System.nanoTime();
    long hashed = 0;
    int next = 0;
    long spent;
    do {
      ByteBuffer buffer = data.get(next++ % BUFFERS);
      for (MessageDigest digest : digests) {
        digest.update(buffer.duplicate());
      }
      hashed += BUFFER_BYTES;
      spent = System.nanoTime() - started;
    } while (spent < nanos);
    digests.forEach(MessageDigest::digest);
    return hashed * 1e9 / spent;
  }
}
