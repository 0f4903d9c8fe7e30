package io.xmig.xia.node.chunk;

import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.wire.ContentFlyweight;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * XSOCK_CHUNK of a node: serves the chunks its applications have put, fetches chunks for them, and
 * keeps what passes if it is told to.
 *
 * <p>The constructor makes it the node's content store ({@link TransportContext#serveContent}); the
 * node calls it for requests, passing content and, through the SID it binds, for answers.
 *
 * @threading the node's loop
 * @source XIA prototype v1.1, docs/wire.md sections 4 and 6; extensions docs/chunk.md
 */
public final class ChunkTransport implements AutoCloseable {
  private final TransportContext context;
  private final int maxChunkBytes;
  private final ContentCache cache;
  private final ChunkServer server;
  private final ChunkFetcher fetcher;
  private final ChunkBuffers buffers;
  private final @Nullable PathCache path;
  private final ChunkCounters counters = new ChunkCounters();
  private final ContentHeader header = new ContentHeader();

  public ChunkTransport(TransportContext context, ChunkOptions options) {
    this.context = context;
    this.maxChunkBytes = options.maxChunkBytes();
    this.buffers = options.allocator();
    this.cache = new ContentCache(context, options.maxCacheBytes(), options.maxChunkBytes());
    this.server = new ChunkServer(context, cache, options, counters);
    this.fetcher = new ChunkFetcher(context, cache, options, counters, new Answers());
    SliceOptions.Policy policy = options.pathPolicy();
    this.path = policy == null ? null : new PathCache(context, cache, options, policy, counters);
    context.serveContent(new Requests());
  }

  /** A new slice of the content cache. C: {@code XallocCacheSlice}. */
  public CacheSlice allocateSlice(SliceOptions options) {
    return new SliceHandle(context, cache.allocate(options));
  }

  /** A new socket to fetch chunks with. C: {@code Xsocket(XSOCK_CHUNK)}. */
  public ChunkSocket openChunks() {
    return new SocketHandle(fetcher, buffers);
  }

  /** Largest chunk that is put or fetched. */
  public int maxChunkBytes() {
    return maxChunkBytes;
  }

  /** Whether what passes is of any use to this transport. */
  public boolean cachesPassing() {
    return path != null;
  }

  /** What has been done and refused. */
  public ChunkCounters counters() {
    return counters;
  }

  /** Counters and the present state of the cache by name. */
  public Map<String, Long> snapshot() {
    Map<String, Long> all = new LinkedHashMap<>(counters.snapshot());
    all.put("cacheChunks", (long) cache.chunks());
    all.put("cacheBytes", cache.totalBytes());
    all.put("cacheEvicted", cache.evicted());
    all.put("cacheExpired", cache.expired());
    all.put("fetching", (long) fetcher.outstandingChunks());
    all.put("reassemblyBytes", fetcher.reservedBytes());
    return all;
  }

  /** Fails what is being fetched; chunks are no longer served. */
  @Override
  public void close() {
    fetcher.close();
    if (path != null) {
      path.close();
    }
    server.close();
  }

  /** One line for each host that chunks come from: what is known of the path, for people. */
  public String flows() {
    return fetcher.flows();
  }

  ChunkFetcher fetcher() {
    return fetcher;
  }

  /** Bytes of incomplete chunks seen passing. */
  long partialBytes() {
    return path == null ? 0 : path.partialBytes();
  }

  ContentCache cache() {
    return cache;
  }

  private boolean readHeader(PacketView packet) {
    if (packet.nextHeader() != ContentHeader.NEXT_HEADER) {
      return false;
    }
    if (!header.read(packet.buffer(), packet.payloadOffset(), packet.end())) {
      counters.malformed++;
      return false;
    }
    return true;
  }

  private void answer(PacketView packet) {
    if (readHeader(packet)) {
      fetcher.response(packet, header);
    }
  }

  private final class Requests implements TransportContext.ContentReceiver {
    @Override
    public void request(PacketView packet) {
      if (!readHeader(packet)) {
        return;
      }
      if (header.opcode != ContentFlyweight.REQUEST) {
        counters.strange++;
        return;
      }
      server.request(packet, header);
    }

    @Override
    public void passing(PacketView packet) {
      if (path != null && readHeader(packet)) {
        path.passing(packet, header);
      }
    }

    @Override
    public void packet(PacketView packet) {
      answer(packet);
    }

    @Override
    public void undeliverable(TransportContext.DeliveryReport report) {
      fetcher.undeliverable(report);
    }
  }

  private final class Answers implements TransportContext.PacketReceiver {
    @Override
    public void packet(PacketView packet) {
      answer(packet);
    }

    @Override
    public void undeliverable(TransportContext.DeliveryReport report) {
      fetcher.undeliverable(report);
    }
  }
}
