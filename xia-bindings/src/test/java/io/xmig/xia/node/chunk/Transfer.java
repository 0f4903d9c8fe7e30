package io.xmig.xia.node.chunk;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Chunks put at one host and fetched at another, a limited number at a time, in order. */
final class Transfer {
  static final long SECOND = 1_000_000_000L;
  static final long MS = 1_000_000L;

  final ChunkNet net;
  final ChunkNet.Host from;
  final ChunkNet.Host to;
  final ChunkTransport server;
  final ChunkTransport client;
  final ChunkSocket socket;
  final CacheSlice slice;
  final Map<Xid, byte[]> chunks = new LinkedHashMap<>();
  final List<Xid> arrived = new ArrayList<>();
  final Map<Xid, XiaSocketException> failures = new LinkedHashMap<>();
  int corrupt;
  int parallel = 16;
  boolean lengthsKnown = true;
  long doneNs;
  private final List<Xid> queue = new ArrayList<>();
  private int next;
  private int open;

  Transfer(ChunkNet net, ChunkNet.Host from, ChunkNet.Host to, ChunkOptions options) {
    this(net, from, to, options, options);
  }

  Transfer(
      ChunkNet net,
      ChunkNet.Host from,
      ChunkNet.Host to,
      ChunkOptions serverOptions,
      ChunkOptions clientOptions) {
    this(
        net,
        from,
        to,
        new ChunkTransport(from, serverOptions),
        new ChunkTransport(to, clientOptions));
  }

  Transfer(
      ChunkNet net,
      ChunkNet.Host from,
      ChunkNet.Host to,
      ChunkTransport server,
      ChunkTransport client) {
    this.net = net;
    this.from = from;
    this.to = to;
    this.server = server;
    this.client = client;
    this.socket = client.openChunks();
    this.slice = server.allocateSlice(SliceOptions.unlimited());
  }

  /** Publishes random chunks. */
  Transfer put(int count, int length, long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      byte[] data = new byte[length];
      random.nextBytes(data);
      put(data);
    }
    return this;
  }

  Xid put(byte[] data) {
    Xid cid = Cid.of(data);
    if (chunks.put(cid, data) != null) {
      return cid; // the same bytes, e.g. none, are the same chunk
    }
    queue.add(cid);
    slice.put(cid, ByteBuffer.wrap(data.clone()));
    return cid;
  }

  Transfer start() {
    fill();
    return this;
  }

  private void fill() {
    while (open < parallel && next < queue.size()) {
      fetch(queue.get(next++));
    }
  }

  void fetch(Xid cid) {
    open++;
    Dag dag = slice.dagOf(cid);
    socket.request(
        dag,
        lengthsKnown ? chunks.get(cid).length : ChunkSocket.UNKNOWN_LENGTH,
        new ChunkHandler() {
          @Override
          public void onChunk(Xid got, ByteBuffer data) {
            open--;
            if (Cid.matches(got, data.duplicate())) {
              assertThat(data).isEqualTo(ByteBuffer.wrap(chunks.get(got)));
              arrived.add(got);
              slice.remove(got);
              if (arrived.size() == chunks.size()) {
                doneNs = net.now();
              }
            } else {
              corrupt++;
              fetch(got);
            }
            fill();
          }

          @Override
          public void onFailed(Xid got, XiaSocketException cause) {
            open--;
            failures.put(got, cause);
            fill();
          }
        });
  }

  boolean isDone() {
    return arrived.size() + failures.size() == chunks.size();
  }

  /** Runs until everything has come or failed; false when that takes longer. */
  boolean run(long limitNs) {
    return net.runUntil(this::isDone, net.now() + limitNs);
  }

  long bytes() {
    return chunks.values().stream().mapToLong(c -> c.length).sum();
  }

  /** Payload bytes per second from the start of time to the last chunk. */
  double goodput() {
    return bytes() * 1e9 / doneNs;
  }
}
