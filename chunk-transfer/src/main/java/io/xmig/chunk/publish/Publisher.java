package io.xmig.chunk.publish;

import io.xmig.chunk.ChunkException;
import io.xmig.chunk.ChunkInfo;
import io.xmig.chunk.ChunkInfo.Coding;
import io.xmig.chunk.compress.CompressionPolicy;
import io.xmig.chunk.compress.ZstdCodec;
import io.xmig.chunk.cut.Piece;
import io.xmig.chunk.cut.Slab;
import io.xmig.chunk.cut.SlabPool;
import io.xmig.chunk.order.StreamGuard;
import io.xmig.chunk.publish.PayloadPacker.Payload;
import io.xmig.chunk.verify.Lane;
import io.xmig.chunk.verify.StreamDigest;
import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CompletionException;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Puts pieces into the cache slice as chunks and takes them out again when they were acknowledged.
 *
 * <p>Two lanes work on each piece: one computes the CID (and compresses), the other the digest of
 * the stream; neither waits for the other. A piece whose content is in the slice already shares
 * that chunk.
 *
 * @threading the loop; hashing on the lanes
 */
public final class Publisher {
  private static final int PUT_ATTEMPTS = 50;
  private static final long PUT_RETRY_NS = 20_000_000L;

  /** Pieces that the lane compresses or is about to: each needs a slab for what may come out. */
  private static final int MAX_COMPRESSING = 4;

  /** What the publisher reports. */
  public interface Listener {
    /** The next chunk of the stream can be requested now. */
    void onPublished(ChunkInfo chunk);

    /** All chunks have been published. */
    void onEnd(long lengthBytes, byte[] sha256);

    /** The slice does not take chunks, or hashing failed; nothing more is published. */
    void onFailed(ChunkException cause);
  }

  private final EventLoop loop;
  private final CacheSlice slice;
  private final Lane cidLane;
  private final Lane digestLane;
  private final StreamGuard guard;
  private final CompressionPolicy compression;
  private final DoubleSupplier pathRate;
  private final LongSupplier nanoClock;
  private final SlabPool slabs;
  private final PayloadPacker packer;
  private final Listener listener;
  private final StreamDigest digest = new StreamDigest();
  private final ZstdCodec codec = new ZstdCodec();

  private final ArrayDeque<Entry> entries = new ArrayDeque<>(); // not acknowledged, in order
  private final ArrayDeque<Entry> uncoded = new ArrayDeque<>(); // for the compressor to get to
  private int compressing;
  private final PriorityQueue<Put> queue =
      new PriorityQueue<>(Comparator.comparingLong(put -> put.info.sequence()));
  private int putting;
  private boolean full;
  private boolean pausing;
  private final Map<Xid, Shared> shared = new HashMap<>();
  private long firstSequence; // of the head of entries
  private long published; // entries from here on were not yet reported
  private long endLength = -1;
  private byte @Nullable [] endDigest;
  private boolean closed;

  /**
   * @param guard sees the stream as it passes
   * @param pathRate bytes per second of the stream that arrive, 0 if unknown
   * @param nanoClock measures, on the lane, what compressing costs
   * @param slabs for compressed payloads, each as large as the largest piece
   */
  public Publisher(
      EventLoop loop,
      CacheSlice slice,
      Lane cidLane,
      Lane digestLane,
      StreamGuard guard,
      CompressionPolicy compression,
      DoubleSupplier pathRate,
      LongSupplier nanoClock,
      SlabPool slabs,
      Listener listener) {
    this.loop = loop;
    this.slice = slice;
    this.cidLane = cidLane;
    this.digestLane = digestLane;
    this.guard = guard;
    this.compression = compression;
    this.pathRate = pathRate;
    this.nanoClock = nanoClock;
    this.slabs = slabs;
    this.packer = new PayloadPacker(slabs);
    this.listener = listener;
  }

  /** A chunk on its way into the slice or in it. */
  private static final class Entry {
    final Piece piece;
    @Nullable ChunkInfo info;
    boolean ready;

    Entry(Piece piece) {
      this.piece = piece;
    }
  }

  /** One chunk in the slice, for one or several pieces with the same content. */
  private static final class Shared {
    final Payload payload;
    int users = 1;

    Shared(Payload payload) {
      this.payload = payload;
    }
  }

  /** A chunk that is to go into the slice. */
  private static final class Put {
    final Entry entry;
    final ChunkInfo info;
    final Shared chunk;
    int attempts;

    Put(Entry entry, ChunkInfo info, Shared chunk) {
      this.entry = entry;
      this.info = info;
      this.chunk = chunk;
    }
  }

  private record Coded(ByteBuffer payload, boolean isCompressed, Xid cid, long tookNs) {}

  /** Takes the next piece of the stream. */
  public void piece(Piece piece) {
    Slab source = piece.slab();
    if (closed) {
      source.release();
      return;
    }
    Entry entry = new Entry(piece);
    entries.add(entry);
    source.retain(); // for the digest lane
    uncoded.add(entry);
    codeNext();
    digestLane.run(
        () -> {
          digest.update(piece.data());
          guard.feed(piece.data());
          return source;
        },
        Slab::release,
        this::fail);
  }

  /** Plain pieces go on at once; those to be compressed wait until a slab for them is due. */
  private void codeNext() {
    while (!uncoded.isEmpty() && compressing < MAX_COMPRESSING) {
      Entry entry = uncoded.remove();
      Slab target = null;
      if (compression.compressNext(pathRate.getAsDouble())) {
        target = slabs.take();
        compressing++;
      }
      code(entry, target);
    }
  }

  private void code(Entry entry, @Nullable Slab target) {
    cidLane.run(
        () -> code(entry.piece.data(), target), coded -> onCoded(entry, target, coded), this::fail);
  }

  private Coded code(ByteBuffer raw, @Nullable Slab target) {
    if (target != null) {
      codec.prepareToCompress();
      long began = nanoClock.getAsLong();
      int length = codec.compress(raw, target.view(0, target.capacity()));
      long took = nanoClock.getAsLong() - began;
      if (length > 0) {
        ByteBuffer payload = target.view(0, length);
        return new Coded(payload, true, Cid.of(payload.duplicate()), took);
      }
      return new Coded(raw, false, Cid.of(raw.duplicate()), took);
    }
    return new Coded(raw, false, Cid.of(raw.duplicate()), 0);
  }

  private void onCoded(Entry entry, @Nullable Slab target, Coded coded) {
    Piece piece = entry.piece;
    int rawLength = piece.data().remaining();
    int length = coded.payload().remaining();
    Payload payload = new Payload(piece.slab(), coded.payload());
    if (target != null) {
      compressing--;
    }
    if (closed) {
      piece.slab().release();
      if (target != null) {
        target.release();
      }
      return;
    }
    if (target != null) {
      compression.onCompressed(rawLength, length, coded.tookNs());
      if (coded.isCompressed()) {
        piece.slab().release();
        payload = packer.pack(target, coded.payload());
      } else {
        target.release();
      }
      codeNext();
    } else {
      compression.onPlain();
    }
    Coding coding = coded.isCompressed() ? Coding.ZSTD : Coding.PLAIN;
    ChunkInfo info =
        new ChunkInfo(piece.sequence(), piece.offset(), rawLength, length, coded.cid(), coding);
    entry.info = info;
    @Nullable Shared same = shared.get(info.cid());
    if (same != null) {
      same.users++;
      payload.slab().release();
      onPut(entry);
      return;
    }
    Shared chunk = new Shared(payload);
    shared.put(info.cid(), chunk);
    queue.add(new Put(entry, info, chunk));
    putQueued();
  }

  /**
   * Puts what is queued; after the slice was found full one by one, oldest first, so that later
   * chunks cannot keep out the one that everybody waits for.
   */
  private void putQueued() {
    while (!closed && !queue.isEmpty() && !pausing && !(full && putting > 0)) {
      put(queue.remove());
    }
  }

  private void put(Put put) {
    putting++;
    slice
        .put(put.info.cid(), put.chunk.payload.bytes().duplicate())
        .whenComplete(
            (done, cause) -> {
              putting--;
              if (closed) {
                return;
              }
              if (cause == null) {
                full &= !queue.isEmpty();
                onPut(put.entry);
                putQueued();
              } else if (isNoSpace(cause) && mayWait(put)) {
                full = true;
                queue.add(put);
                pause();
              } else {
                fail(
                    new ChunkException(
                        "the cache slice does not take a chunk",
                        Map.of(
                            "length",
                            put.info.length(),
                            "reason",
                            String.valueOf(cause.getMessage())),
                        cause));
              }
            });
  }

  /** While older chunks are in the slice it will have room again; the oldest waits a second. */
  private boolean mayWait(Put put) {
    return entries.peekFirst() != put.entry || put.attempts++ < PUT_ATTEMPTS;
  }

  private void pause() {
    if (!pausing) {
      pausing = true;
      loop.schedule(
          PUT_RETRY_NS,
          () -> {
            pausing = false;
            putQueued();
          });
    }
  }

  private static boolean isNoSpace(Throwable cause) {
    Throwable root =
        cause instanceof CompletionException c && c.getCause() != null ? c.getCause() : cause;
    return root instanceof XiaSocketException x && x.kind() == XiaSocketException.Kind.NO_SPACE;
  }

  private void onPut(Entry entry) {
    entry.ready = true;
    report();
  }

  private void report() {
    int skip = (int) (published - firstSequence);
    if (skip == 0 || skip < entries.size()) {
      for (Entry entry : entries) {
        if (skip > 0) {
          skip--;
          continue;
        }
        ChunkInfo info = entry.info;
        if (!entry.ready || info == null || closed) {
          return;
        }
        published++;
        listener.onPublished(info);
      }
    }
    byte[] sha256 = endDigest;
    if (sha256 != null && !closed && firstSequence + entries.size() == published) {
      endDigest = null;
      listener.onEnd(endLength, sha256);
    }
  }

  /** There will be no more pieces. */
  public void end(long lengthBytes) {
    digestLane.run(
        digest::finish,
        sha256 -> {
          if (!closed) {
            packer.close();
            endLength = lengthBytes;
            endDigest = sha256;
            report();
          }
        },
        this::fail);
  }

  /**
   * Withdraws the chunks that lie before this position of the stream.
   *
   * @return how many those were
   */
  public int acknowledged(long cumulativeBytes) {
    int count = 0;
    while (true) {
      Entry head = entries.peekFirst();
      if (head == null || !head.ready || head.piece.end() > cumulativeBytes) {
        return count;
      }
      entries.removeFirst();
      firstSequence++;
      count++;
      ChunkInfo info = head.info;
      Shared chunk = info == null ? null : shared.get(info.cid());
      if (info != null && chunk != null && --chunk.users == 0) {
        shared.remove(info.cid());
        slice.remove(info.cid());
        chunk.payload.slab().release();
      }
    }
  }

  /** The payload of a chunk that was not acknowledged yet, or {@code null}. */
  public @Nullable ByteBuffer payload(long sequence) {
    for (Entry entry : entries) {
      if (entry.piece.sequence() == sequence) {
        Shared chunk = entry.info == null ? null : shared.get(entry.info.cid());
        return chunk == null ? null : chunk.payload.bytes().duplicate();
      }
    }
    return null;
  }

  private void fail(RuntimeException cause) {
    if (!closed) {
      close();
      listener.onFailed(
          cause instanceof ChunkException c
              ? c
              : new ChunkException("publishing failed", Map.of(), cause));
    }
  }

  /** Stops; the slice is the caller's to close. */
  public void close() {
    closed = true;
    packer.close();
    uncoded.forEach(entry -> entry.piece.slab().release());
    uncoded.clear();
  }
}
