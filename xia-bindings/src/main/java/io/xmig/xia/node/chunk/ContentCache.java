package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The chunks this node serves, in slices with a policy, a size limit and a time to live each.
 *
 * <p>A chunk is held by reference: the cache keeps the putter's buffer. Several slices may hold the
 * same CID, each with its own reference; the route of the CID goes with the last of them. Looking
 * up, admitting and evicting one chunk cost O(1): each slice keeps its chunks in two intrusive
 * lists, by age (first put, first expired) and by use.
 *
 * @threading the node's loop
 */
final class ContentCache {
  /** A chunk as long as at least one slice holds it. */
  static final class Entry {
    final Xid cid;
    private @Nullable Holding holdings; // list of the slices' references
    private @Nullable Dag bareAddress;

    Entry(Xid cid) {
      this.cid = cid;
    }

    /** The address that is only the CID: the source of answers to those who know the host. */
    Dag bareAddress() {
      Dag address = bareAddress;
      if (address == null) {
        address = Dag.path(cid);
        bareAddress = address;
      }
      return address;
    }

    /**
     * The bytes from 0 to limit, read with absolute access only, or {@code null} when the chunk has
     * been removed meanwhile.
     */
    @Nullable ByteBuffer data() {
      Holding first = holdings;
      return first == null ? null : first.data;
    }
  }

  /** One slice's reference to one chunk: a node of the entry's list and of the slice's lists. */
  private static final class Holding {
    final Entry entry;
    final Slice slice;
    final ByteBuffer data;
    long expiresNs;
    @Nullable Holding nextOfEntry;
    @Nullable Holding older;
    @Nullable Holding younger;
    @Nullable Holding lessUsed;
    @Nullable Holding moreUsed;

    Holding(Entry entry, Slice slice, ByteBuffer data) {
      this.entry = entry;
      this.slice = slice;
      this.data = data;
    }
  }

  /** A slice; what an application sees of it is {@link SliceHandle}. */
  final class Slice {
    final SliceOptions options;
    private final long ttlNs; // 0: for ever
    private final Map<Xid, Holding> holdings = new HashMap<>();
    private @Nullable Holding oldest;
    private @Nullable Holding youngest;
    private @Nullable Holding leastUsed;
    private @Nullable Holding mostUsed;
    private long bytes;
    private boolean closed;
    private EventLoop.@Nullable Timer expiry;

    private Slice(SliceOptions options) {
      this.options = options;
      this.ttlNs = ttlNs(options);
    }

    /** Bytes held now. */
    long bytes() {
      return bytes;
    }

    /** Chunks held now. */
    int chunks() {
      return holdings.size();
    }

    boolean isClosed() {
      return closed;
    }

    /**
     * Admits a chunk; one that is here already counts as put anew.
     *
     * @param data the bytes from position to limit; kept, not copied
     * @throws XiaSocketException NO_SPACE, MESSAGE_TOO_LONG or CLOSED
     */
    void put(Xid cid, ByteBuffer data) {
      if (closed) {
        throw new XiaSocketException(
            XiaSocketException.Kind.CLOSED, "cache slice is closed", Map.of("cid", cid));
      }
      int length = data.remaining();
      if (length > maxChunkBytes) {
        throw new XiaSocketException(
            XiaSocketException.Kind.MESSAGE_TOO_LONG,
            "chunk too long for this node",
            Map.of("cid", cid, "bytes", length, "maxBytes", maxChunkBytes));
      }
      Holding present = holdings.get(cid);
      if (present != null) {
        unlink(present);
        linkYoungest(present);
        return;
      }
      makeRoom(this, cid, length);
      Entry entry = entries.get(cid);
      if (entry == null) {
        entry = new Entry(cid);
        entries.put(cid, entry);
        context.announce(cid);
      }
      Holding holding = new Holding(entry, this, data.slice());
      holding.nextOfEntry = entry.holdings;
      entry.holdings = holding;
      holdings.put(cid, holding);
      bytes += length;
      totalBytes += length;
      linkYoungest(holding);
    }

    /** Withdraws a chunk from this slice; unknown ones are ignored. */
    void remove(Xid cid) {
      Holding holding = holdings.get(cid);
      if (holding != null) {
        drop(holding);
      }
    }

    /** Forbids further puts and, unless the chunks are to be retained, withdraws them. */
    void close() {
      if (closed) {
        return;
      }
      closed = true;
      if (options.retainOnClose() && !holdings.isEmpty()) {
        retained.put(this, this);
        return;
      }
      clear();
    }

    void clear() {
      for (Holding h = oldest; h != null; h = oldest) {
        drop(h);
      }
      if (expiry != null) {
        expiry.cancel();
        expiry = null;
      }
    }

    private void linkYoungest(Holding h) {
      h.older = youngest;
      h.younger = null;
      if (youngest == null) {
        oldest = h;
      } else {
        youngest.younger = h;
      }
      youngest = h;
      linkMostUsed(h);
      if (ttlNs != 0) {
        h.expiresNs = context.nowNs() + ttlNs;
        if (expiry == null) {
          scheduleExpiry();
        }
      }
    }

    private void linkMostUsed(Holding h) {
      h.lessUsed = mostUsed;
      h.moreUsed = null;
      if (mostUsed == null) {
        leastUsed = h;
      } else {
        mostUsed.moreUsed = h;
      }
      mostUsed = h;
    }

    private void unlinkUse(Holding h) {
      if (h.lessUsed == null) {
        leastUsed = h.moreUsed;
      } else {
        h.lessUsed.moreUsed = h.moreUsed;
      }
      if (h.moreUsed == null) {
        mostUsed = h.lessUsed;
      } else {
        h.moreUsed.lessUsed = h.lessUsed;
      }
    }

    private void unlink(Holding h) {
      if (h.older == null) {
        oldest = h.younger;
      } else {
        h.older.younger = h.younger;
      }
      if (h.younger == null) {
        youngest = h.older;
      } else {
        h.younger.older = h.older;
      }
      unlinkUse(h);
    }

    private void used(Holding h) {
      if (options.policy() == SliceOptions.Policy.LRU && mostUsed != h) {
        unlinkUse(h);
        linkMostUsed(h);
      }
    }

    /** The chunk that gives way next, or {@code null} if none may. */
    private @Nullable Holding victim() {
      return switch (options.policy()) {
        case FIFO -> oldest;
        case LRU -> leastUsed;
        case REFUSE -> null;
      };
    }

    private void scheduleExpiry() {
      Holding first = oldest;
      expiry =
          first == null
              ? null
              : context.schedule(Math.max(0, first.expiresNs - context.nowNs()), this::expire);
    }

    private void expire() {
      long now = context.nowNs();
      for (Holding h = oldest; h != null && h.expiresNs - now <= 0; h = oldest) {
        expired++;
        drop(h);
      }
      scheduleExpiry();
    }
  }

  private final TransportContext context;
  private final long maxBytes;
  private final int maxChunkBytes;
  private final Map<Xid, Entry> entries = new HashMap<>();

  /** Closed slices whose chunks were to stay; oldest first. */
  private final Map<Slice, Slice> retained = new java.util.LinkedHashMap<>();

  private @Nullable Slice network;
  private long totalBytes;
  private long evicted;
  private long expired;

  ContentCache(TransportContext context, long maxBytes, int maxChunkBytes) {
    this.context = context;
    this.maxBytes = maxBytes;
    this.maxChunkBytes = maxChunkBytes;
  }

  Slice allocate(SliceOptions options) {
    return new Slice(options);
  }

  /** The slice of what was seen passing: it gives way first when the node is full. */
  Slice allocateNetworkSlice(SliceOptions options) {
    Slice slice = new Slice(options);
    network = slice;
    return slice;
  }

  /** The chunk, counted as used, or {@code null}. */
  @Nullable Entry lookup(Xid cid) {
    Entry entry = entries.get(cid);
    if (entry == null) {
      return null;
    }
    long now = context.nowNs();
    for (Holding h = entry.holdings; h != null; h = h.nextOfEntry) {
      if (h.slice.ttlNs != 0 && h.expiresNs - now <= 0) {
        expired++;
        drop(h); // the timer is late; what follows in the list is still linked
      } else {
        h.slice.used(h);
      }
    }
    return entry.holdings == null ? null : entry;
  }

  /** Whether the chunk is here, without counting as a use. */
  boolean contains(Xid cid) {
    return entries.containsKey(cid);
  }

  int chunks() {
    return entries.size();
  }

  long totalBytes() {
    return totalBytes;
  }

  long evicted() {
    return evicted;
  }

  long expired() {
    return expired;
  }

  private void makeRoom(Slice slice, Xid cid, int length) {
    long limit = slice.options.maxBytes();
    if (limit != 0) {
      if (length > limit) {
        throw noSpace(cid, length, "slice limit", limit);
      }
      while (slice.bytes + length > limit) {
        Holding victim = slice.victim();
        if (victim == null) {
          throw noSpace(cid, length, "slice limit", limit);
        }
        evict(victim);
      }
    }
    if (length > maxBytes) {
      throw noSpace(cid, length, "node limit", maxBytes);
    }
    while (totalBytes + length > maxBytes) {
      Holding victim = nodeVictim(slice);
      if (victim == null) {
        throw noSpace(cid, length, "node limit", maxBytes);
      }
      evict(victim);
    }
  }

  private @Nullable Holding nodeVictim(Slice slice) {
    if (network != null && network.oldest != null) {
      return network.victim();
    }
    if (!retained.isEmpty()) {
      return retained.keySet().iterator().next().oldest;
    }
    return slice.victim();
  }

  private static XiaSocketException noSpace(Xid cid, int length, String which, long limit) {
    return new XiaSocketException(
        XiaSocketException.Kind.NO_SPACE,
        "no space in the content cache",
        Map.of("cid", cid, "bytes", length, which, limit));
  }

  private void evict(Holding victim) {
    evicted++;
    drop(victim);
  }

  private void drop(Holding h) {
    Slice slice = h.slice;
    Entry entry = h.entry;
    slice.unlink(h);
    slice.holdings.remove(entry.cid);
    int length = h.data.limit();
    slice.bytes -= length;
    totalBytes -= length;
    if (slice.closed && slice.holdings.isEmpty()) {
      retained.remove(slice);
    }
    if (entry.holdings == h) {
      entry.holdings = h.nextOfEntry;
    } else {
      for (Holding p = entry.holdings; p != null; p = p.nextOfEntry) {
        if (p.nextOfEntry == h) {
          p.nextOfEntry = h.nextOfEntry;
          break;
        }
      }
    }
    if (entry.holdings == null) {
      entries.remove(entry.cid);
      context.withdraw(entry.cid);
    }
  }

  private static long ttlNs(SliceOptions options) {
    try {
      return options.ttl().toNanos();
    } catch (ArithmeticException tooLong) {
      return 0; // centuries: for ever
    }
  }
}
