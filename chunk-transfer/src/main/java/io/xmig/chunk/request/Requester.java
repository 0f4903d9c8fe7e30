package io.xmig.chunk.request;

import io.xmig.chunk.ChunkException;
import io.xmig.chunk.ChunkInfo;
import io.xmig.chunk.store.ChunkStore;
import io.xmig.chunk.verify.Lane;
import io.xmig.xia.addr.Cid;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Fetches announced chunks, many at a time, checks them and gives them on in the order of the
 * stream.
 *
 * <pre>
 *   announced ──▶ asked ──▶ checking ──▶ good ──▶ given on, in order
 *                   ▲  failed │ bad
 *                   ├─────────┤ again, a few times, with growing pauses
 *                   └──◀── inline from the source, when the network does not deliver it
 * </pre>
 *
 * <p>Chunks with the same content are fetched once.
 *
 * @threading the loop; hashing on the lane
 */
public final class Requester {
  /** How often a chunk is fetched before the source is asked for it directly. */
  private static final int FETCHES = 4;

  /** How often the source may answer with bytes that are not the chunk. */
  private static final int BAD_INLINE = 2;

  private static final long FIRST_PAUSE_NS = 50_000_000L;
  private static final long STALL_NS = 15_000_000_000L;

  /** What the requester reports. */
  public interface Output {
    /**
     * The next chunk of the stream with its verified bytes.
     *
     * @param exclusive whether nobody else has these bytes, so that they are to go to {@link
     *     #recycle} after use
     */
    void onChunk(ChunkInfo chunk, ByteBuffer payload, boolean exclusive);

    /** The network does not deliver this chunk: the source should send it itself. */
    void onUnobtainable(ChunkInfo chunk);

    /** A chunk cannot be had at all; nothing more is fetched. */
    void onFailed(ChunkException cause);
  }

  private final EventLoop loop;
  private final ChunkSocket socket;
  private final Lane lane;
  private final ChunkStore store;
  private final long windowBytes;
  private final Output output;
  private final Fetched fetched = new Fetched();

  private final ArrayDeque<Entry> entries = new ArrayDeque<>(); // not given on, in order
  private final ArrayDeque<Entry> waiting = new ArrayDeque<>(); // not yet asked for
  private final Map<Xid, List<Entry>> asked = new HashMap<>();
  private @Nullable Dag origin;
  private long asOfBytes; // asked for or kept
  private long badChunks;
  private long refetched;
  private EventLoop.@Nullable Timer stall;
  private long givenOn;
  private long givenOnAtLastCheck = -1;
  private boolean closed;

  /**
   * @param windowBytes most bytes asked for or waiting for their turn
   */
  public Requester(
      EventLoop loop,
      ChunkSocket socket,
      Lane lane,
      ChunkStore store,
      long windowBytes,
      Output output) {
    this.loop = loop;
    this.socket = socket;
    this.lane = lane;
    this.store = store;
    this.windowBytes = windowBytes;
    this.output = output;
  }

  private static final class Entry {
    final ChunkInfo info;
    @Nullable ByteBuffer good;
    @Nullable ByteBuffer inline;
    int fetches;
    int badInline;
    boolean unobtainable;
    boolean exclusive;
    boolean asking; // the socket owes an answer

    Entry(ChunkInfo info) {
      this.info = info;
    }
  }

  /**
   * Where chunks are published: the address of any chunk there; the intent is exchanged. When it
   * changes, what is outstanding is asked for there.
   */
  public void origin(Dag anyChunk) {
    boolean moved = origin != null && !origin.withIntent(anyChunk.intent()).equals(anyChunk);
    origin = anyChunk;
    if (moved) {
      for (List<Entry> sharing : List.copyOf(asked.values())) {
        Entry first = sharing.get(0);
        if (first.asking) {
          socket.cancel(first.info.cid());
          ask(first);
        }
      }
    }
  }

  /** Adds the next chunk of the stream. */
  public void announce(ChunkInfo info) {
    Entry entry = new Entry(info);
    entries.add(entry);
    waiting.add(entry);
    pump();
    watch();
  }

  /** Chunks that are neither given on nor failed. */
  public int outstanding() {
    return entries.size();
  }

  /** Chunks whose bytes were not what the CID says. */
  public long badChunks() {
    return badChunks;
  }

  /** Requests beyond the first for a chunk. */
  public long refetched() {
    return refetched;
  }

  private void pump() {
    while (!closed) {
      Entry next = waiting.peekFirst();
      if (next == null || (asOfBytes > 0 && asOfBytes + next.info.length() > windowBytes)) {
        return;
      }
      waiting.removeFirst();
      asOfBytes += next.info.length();
      begin(next);
    }
  }

  private void begin(Entry entry) {
    Xid cid = entry.info.cid();
    @Nullable ByteBuffer known = store.find(cid);
    if (known != null && known.remaining() == entry.info.length()) {
      entry.good = known.duplicate();
      giveOn();
      return;
    }
    @Nullable List<Entry> sharing = asked.get(cid);
    if (sharing != null) {
      sharing.add(entry);
      return;
    }
    List<Entry> first = new ArrayList<>(1);
    first.add(entry);
    asked.put(cid, first);
    ask(entry);
  }

  private void ask(Entry entry) {
    Dag where = origin;
    if (where == null) {
      fail("a chunk was announced before its origin", entry.info, null);
      return;
    }
    entry.asking = true;
    entry.fetches++;
    if (entry.fetches > 1) {
      refetched++;
    }
    try {
      socket.request(where.withIntent(entry.info.cid()), entry.info.length(), fetched);
    } catch (XiaSocketException e) {
      fail("chunks cannot be requested any more", entry.info, e);
    }
  }

  private final class Fetched implements ChunkHandler {
    @Override
    public void onChunk(Xid cid, ByteBuffer data) {
      answered(cid);
      check(cid, data, false);
    }

    @Override
    public void onFailed(Xid cid, XiaSocketException cause) {
      @Nullable Entry first = answered(cid);
      if (first != null) {
        again(first);
      }
    }

    private @Nullable Entry answered(Xid cid) {
      @Nullable List<Entry> sharing = asked.get(cid);
      if (sharing == null || closed) {
        return null;
      }
      Entry first = sharing.get(0);
      first.asking = false;
      return first;
    }
  }

  private void check(Xid cid, ByteBuffer data, boolean inline) {
    @Nullable List<Entry> sharing = asked.get(cid);
    if (sharing == null || closed) {
      return;
    }
    Entry first = sharing.get(0);
    if (data.remaining() != first.info.length()) {
      onBad(first, inline);
      return;
    }
    lane.run(
        () -> Cid.matches(cid, data.duplicate()),
        good -> {
          if (closed || asked.get(cid) != sharing) {
            return;
          }
          if (good) {
            onGood(cid, sharing, data);
          } else {
            onBad(first, inline);
          }
        },
        cause -> fail("a chunk cannot be checked", first.info, cause));
  }

  private void onGood(Xid cid, List<Entry> sharing, ByteBuffer data) {
    asked.remove(cid);
    store.keep(cid, data.duplicate());
    for (Entry entry : sharing) {
      entry.exclusive = sharing.size() == 1;
      entry.good = entry.exclusive ? data : data.duplicate();
      entry.inline = null;
    }
    giveOn();
  }

  private void onBad(Entry entry, boolean inline) {
    badChunks++;
    if (inline && ++entry.badInline >= BAD_INLINE) {
      fail("the source itself sends a chunk that does not match its CID", entry.info, null);
      return;
    }
    if (inline) {
      entry.inline = null;
      output.onUnobtainable(entry.info);
    } else {
      again(entry);
    }
  }

  private void again(Entry entry) {
    if (entry.fetches >= FETCHES && !entry.unobtainable) {
      entry.unobtainable = true;
      output.onUnobtainable(entry.info);
    }
    long pause = FIRST_PAUSE_NS << Math.min(5, entry.fetches - 1);
    loop.schedule(
        pause,
        () -> {
          if (!closed && !entry.asking && asked.containsKey(entry.info.cid())) {
            ask(entry);
          }
        });
  }

  /**
   * A part of a chunk that the source sends itself. Parts come in order; a part at position 0
   * begins anew.
   *
   * @return false if the part fits nowhere
   */
  public boolean inline(long sequence, int offset, ByteBuffer part) {
    @Nullable Entry entry = find(sequence);
    if (entry == null || entry.good != null) {
      return true; // came another way meanwhile
    }
    if (!entry.unobtainable) {
      return false;
    }
    ByteBuffer into = entry.inline;
    if (into == null || offset == 0) {
      into = ByteBuffer.allocateDirect(entry.info.length());
      entry.inline = into;
    }
    if (offset != into.position() || part.remaining() > into.remaining()) {
      return false;
    }
    into.put(part);
    if (!into.hasRemaining()) {
      entry.inline = null;
      @Nullable List<Entry> sharing = asked.get(entry.info.cid());
      if (sharing != null) {
        if (sharing.get(0).asking) {
          sharing.get(0).asking = false;
          socket.cancel(entry.info.cid());
        }
        check(entry.info.cid(), into.flip(), true);
      }
    }
    return true;
  }

  /** The chunks that the source was asked to send itself and that have not come. */
  public List<ChunkInfo> unobtainable() {
    return entries.stream().filter(e -> e.unobtainable && e.good == null).map(e -> e.info).toList();
  }

  private @Nullable Entry find(long sequence) {
    for (Entry entry : entries) {
      if (entry.info.sequence() == sequence) {
        return entry;
      }
    }
    return null;
  }

  private void giveOn() {
    while (!closed) {
      Entry head = entries.peekFirst();
      ByteBuffer good = head == null ? null : head.good;
      if (head == null || good == null) {
        break;
      }
      entries.removeFirst();
      asOfBytes -= head.info.length();
      givenOn++;
      output.onChunk(head.info, good, head.exclusive);
    }
    pump();
  }

  /**
   * A stack that never answers must not stop the transfer: after a while the head is asked anew.
   */
  private void watch() {
    if (stall == null && !closed && !entries.isEmpty()) {
      givenOnAtLastCheck = givenOn;
      stall = loop.schedule(STALL_NS, this::onStallCheck);
    }
  }

  private void onStallCheck() {
    stall = null;
    if (closed || entries.isEmpty()) {
      return;
    }
    Entry head = entries.getFirst();
    @Nullable List<Entry> sharing = asked.get(head.info.cid());
    if (givenOn == givenOnAtLastCheck && sharing != null && sharing.get(0).asking) {
      socket.cancel(head.info.cid());
      ask(sharing.get(0));
    }
    watch();
  }

  private void fail(String what, ChunkInfo info, @Nullable RuntimeException cause) {
    if (closed) {
      return;
    }
    close();
    output.onFailed(
        cause == null
            ? new ChunkException(what, Map.of("chunk", info.sequence(), "cid", info.cid()))
            : new ChunkException(
                what,
                Map.of("chunk", info.sequence(), "reason", String.valueOf(cause.getMessage())),
                cause));
  }

  /** Takes back a buffer that nobody uses any more. */
  public void recycle(ByteBuffer payload) {
    socket.recycle(payload);
  }

  /** Stops fetching. */
  public void close() {
    closed = true;
    if (stall != null) {
      stall.cancel();
    }
    for (Xid cid : asked.keySet()) {
      socket.cancel(cid);
    }
    asked.clear();
    waiting.clear();
    entries.clear();
  }
}
