package io.xmig.xia.node.chunk;

import io.xmig.xia.socket.SliceOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Limits and choices of a node's chunk transport; {@link #defaults} and the {@code with…} methods
 * make one.
 *
 * @param congestionControl name of the policy for fetching, see {@link
 *     io.xmig.xia.node.congestion.CongestionControl#provider}
 * @param maxChunkBytes largest chunk that is put, fetched or kept
 * @param maxCacheBytes bytes of all slices of the node together
 * @param maxReassemblyBytes bytes of chunks that are being fetched; one chunk is always allowed
 * @param maxFetches chunks requested and not yet had
 * @param giveUp time without any progress after which a fetch fails
 * @param unreachableGrace time for which a node on the way may say "unreachable" before the fetch
 *     fails: a host that moves is unreachable for a while
 * @param minTimeout shortest retransmission timeout
 * @param maxTimeout longest retransmission timeout, back-off included
 * @param extensions whether requests and answers use the extensions of docs/chunk.md; without them
 *     the node behaves like a v1.1 peer that repeats lost requests
 * @param legacyPacketBytes size of packets with which requests without extensions are answered
 * @param legacyConcurrency whole chunks requested at a time from a v1.1 host
 * @param pathPolicy how chunks seen passing are kept, {@code null} for not at all
 * @param pathCacheBytes size limit of that
 * @param pathPartialBytes bytes of incomplete chunks seen passing
 * @param pathFirstTime whether a chunk is kept the first time it is seen passing; else the second,
 *     so that what never comes again costs no copy and no hash
 * @param verifier runs the hashing of chunks seen passing: off the loop, or {@code Runnable::run}
 *     in a simulation; tasks it rejects are counted and their chunks not kept
 * @param allocator memory in which fetched chunks are assembled
 */
public record ChunkOptions(
    String congestionControl,
    int maxChunkBytes,
    long maxCacheBytes,
    long maxReassemblyBytes,
    int maxFetches,
    Duration giveUp,
    Duration unreachableGrace,
    Duration minTimeout,
    Duration maxTimeout,
    boolean extensions,
    int legacyPacketBytes,
    int legacyConcurrency,
    SliceOptions.@Nullable Policy pathPolicy,
    long pathCacheBytes,
    long pathPartialBytes,
    boolean pathFirstTime,
    Executor verifier,
    ChunkBuffers allocator) {

  /** Checks what no network could work with. */
  public ChunkOptions {
    Objects.requireNonNull(verifier, "verifier");
    Objects.requireNonNull(allocator, "allocator");
    if (maxChunkBytes < 1 || maxFetches < 1 || legacyConcurrency < 1) {
      throw new IllegalArgumentException("chunk limits must be positive");
    }
    if (legacyPacketBytes < 512) {
      throw new IllegalArgumentException(
          "a v1.1 answer needs packets of at least 512 bytes, not " + legacyPacketBytes);
    }
    if (minTimeout.isNegative() || minTimeout.isZero() || maxTimeout.compareTo(minTimeout) < 0) {
      throw new IllegalArgumentException("timeouts: 0 < " + minTimeout + " <= " + maxTimeout);
    }
    if (pathPolicy == SliceOptions.Policy.REFUSE) {
      throw new IllegalArgumentException("a cache of what passes evicts: FIFO or LRU");
    }
  }

  /** 4 MiB chunks, 256 MiB of cache, 64 MiB of reassembly, no caching of what passes. */
  public static ChunkOptions defaults() {
    return new ChunkOptions(
        "bbr",
        4 << 20,
        256L << 20,
        64L << 20,
        65_536,
        Duration.ofSeconds(30),
        Duration.ofSeconds(5),
        Duration.ofMillis(100),
        Duration.ofSeconds(1),
        true,
        1400,
        4,
        null,
        64L << 20,
        16L << 20,
        true,
        Runnable::run,
        ByteBuffer::allocate);
  }

  /** With another congestion control. */
  public ChunkOptions withCongestionControl(String name) {
    return new ChunkOptions(
        name,
        maxChunkBytes,
        maxCacheBytes,
        maxReassemblyBytes,
        maxFetches,
        giveUp,
        unreachableGrace,
        minTimeout,
        maxTimeout,
        extensions,
        legacyPacketBytes,
        legacyConcurrency,
        pathPolicy,
        pathCacheBytes,
        pathPartialBytes,
        pathFirstTime,
        verifier,
        allocator);
  }

  /** With other limits of size. */
  public ChunkOptions withLimits(int chunkBytes, long cacheBytes, long reassemblyBytes) {
    return new ChunkOptions(
        congestionControl,
        chunkBytes,
        cacheBytes,
        reassemblyBytes,
        maxFetches,
        giveUp,
        unreachableGrace,
        minTimeout,
        maxTimeout,
        extensions,
        legacyPacketBytes,
        legacyConcurrency,
        pathPolicy,
        pathCacheBytes,
        pathPartialBytes,
        pathFirstTime,
        verifier,
        allocator);
  }

  /** With other times to wait before a fetch fails. */
  public ChunkOptions withPatience(Duration newGiveUp, Duration newUnreachableGrace) {
    return new ChunkOptions(
        congestionControl,
        maxChunkBytes,
        maxCacheBytes,
        maxReassemblyBytes,
        maxFetches,
        newGiveUp,
        newUnreachableGrace,
        minTimeout,
        maxTimeout,
        extensions,
        legacyPacketBytes,
        legacyConcurrency,
        pathPolicy,
        pathCacheBytes,
        pathPartialBytes,
        pathFirstTime,
        verifier,
        allocator);
  }

  /** Speaking only what a v1.1 node speaks. */
  public ChunkOptions withoutExtensions() {
    return new ChunkOptions(
        congestionControl,
        maxChunkBytes,
        maxCacheBytes,
        maxReassemblyBytes,
        maxFetches,
        giveUp,
        unreachableGrace,
        minTimeout,
        maxTimeout,
        false,
        legacyPacketBytes,
        legacyConcurrency,
        pathPolicy,
        pathCacheBytes,
        pathPartialBytes,
        pathFirstTime,
        verifier,
        allocator);
  }

  /** Keeping chunks seen passing, once {@code verifier} has found their hash right. */
  public ChunkOptions withPathCache(SliceOptions.Policy policy, long bytes, Executor newVerifier) {
    return new ChunkOptions(
        congestionControl,
        maxChunkBytes,
        maxCacheBytes,
        maxReassemblyBytes,
        maxFetches,
        giveUp,
        unreachableGrace,
        minTimeout,
        maxTimeout,
        extensions,
        legacyPacketBytes,
        legacyConcurrency,
        policy,
        bytes,
        pathPartialBytes,
        pathFirstTime,
        newVerifier,
        allocator);
  }

  /** Keeping chunks the first time they are seen passing, or the second. */
  public ChunkOptions withPathAdmission(boolean firstTime) {
    return new ChunkOptions(
        congestionControl,
        maxChunkBytes,
        maxCacheBytes,
        maxReassemblyBytes,
        maxFetches,
        giveUp,
        unreachableGrace,
        minTimeout,
        maxTimeout,
        extensions,
        legacyPacketBytes,
        legacyConcurrency,
        pathPolicy,
        pathCacheBytes,
        pathPartialBytes,
        firstTime,
        verifier,
        allocator);
  }

  /** Assembling chunks in other buffers, e.g. direct ones. */
  public ChunkOptions withAllocator(ChunkBuffers newAllocator) {
    return new ChunkOptions(
        congestionControl,
        maxChunkBytes,
        maxCacheBytes,
        maxReassemblyBytes,
        maxFetches,
        giveUp,
        unreachableGrace,
        minTimeout,
        maxTimeout,
        extensions,
        legacyPacketBytes,
        legacyConcurrency,
        pathPolicy,
        pathCacheBytes,
        pathPartialBytes,
        pathFirstTime,
        verifier,
        newAllocator);
  }
}
