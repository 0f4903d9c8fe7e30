package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.PacketView;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.wire.ContentFlyweight;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Answers chunk requests from the content cache.
 *
 * <p>A request with extension asks for a range, and its sender has already decided how much may be
 * on the way: the range is sent at once, {@link #BURST_BYTES} per turn of the loop. A v1.1 request
 * gets the whole chunk in the packets v1.1 would send, but a few per millisecond instead of all at
 * once. The bytes go straight from the cached chunk into the packet.
 */
final class ChunkServer {
  /** Bytes sent before the loop gets its turn. */
  static final int BURST_BYTES = 256 << 10;

  /** Largest range answered to one request; more has to be asked for again. */
  static final int MAX_RANGE_BYTES = 256 << 10;

  /** Packets of answers to v1.1 requests per {@link #LEGACY_INTERVAL_NS}. */
  static final int LEGACY_BURST_PACKETS = 10;

  static final long LEGACY_INTERVAL_NS = 1_000_000;

  /** Requests that may wait; further ones are dropped, which their senders take for loss. */
  static final int MAX_WAITING = 4096;

  static final int HOP_LIMIT = 250;

  private static final class Job {
    ContentCache.@Nullable Entry entry;
    @Nullable Dag destination;
    @Nullable Dag source;
    boolean extended;
    int serial;
    int segmentBytes;
    int next;
    int end;
    int chunkLength;
  }

  private final TransportContext context;
  private final ContentCache cache;
  private final ChunkOptions options;
  private final ChunkCounters counters;
  private final ArrayDeque<Job> waiting = new ArrayDeque<>();
  private final ArrayDeque<Job> legacyWaiting = new ArrayDeque<>();
  private final ArrayDeque<Job> free = new ArrayDeque<>();
  private EventLoop.@Nullable Timer turn;
  private EventLoop.@Nullable Timer legacyTurn;

  ChunkServer(
      TransportContext context, ContentCache cache, ChunkOptions options, ChunkCounters counters) {
    this.context = context;
    this.cache = cache;
    this.options = options;
    this.counters = counters;
  }

  /** Answers a request whose header has been read. */
  void request(PacketView packet, ContentHeader header) {
    Xid cid = packet.deliveredTo();
    boolean extended = header.isRangeRequest && options.extensions();
    Dag requester = packet.source();
    ContentCache.Entry entry = cache.lookup(cid);
    ByteBuffer data = entry == null ? null : entry.data();
    if (entry == null || data == null) {
      if (extended) {
        refuse(requester, cid, header.serial);
      }
      return;
    }
    int length = data.limit();
    if (extended && header.rangeOffset > length) {
      counters.strange++;
      return;
    }
    if (waiting.size() + legacyWaiting.size() >= MAX_WAITING) {
      counters.requestsDropped++;
      return;
    }
    Job job = free.isEmpty() ? new Job() : free.pop();
    job.entry = entry;
    job.destination = requester;
    job.extended = extended;
    job.chunkLength = length;
    if (extended) {
      fillRange(job, entry, header, length);
    } else {
      job.source = legacySource(cid);
      job.next = 0;
      job.end = length;
      job.segmentBytes =
          Math.min(options.legacyPacketBytes(), context.maxPacketBytes(requester))
              - xipHeaderLength(requester, job.source)
              - ContentFlyweight.RESPONSE_LENGTH;
    }
    if (job.segmentBytes < 1) {
      counters.strange++;
      release(job);
      return;
    }
    if (extended) {
      counters.requestsAnswered++;
      waiting.add(job);
      if (turn == null) {
        drain();
      }
    } else {
      counters.legacyRequestsAnswered++;
      legacyWaiting.add(job);
      if (legacyTurn == null) {
        drainLegacy();
      }
    }
  }

  private void fillRange(Job job, ContentCache.Entry entry, ContentHeader header, int length) {
    job.serial = header.serial;
    job.source =
        (header.flags & ContentHeader.FLAG_COMPACT) != 0
            ? entry.bareAddress()
            : legacySource(entry.cid);
    job.next = header.rangeOffset;
    int range = Math.min(header.rangeLength, MAX_RANGE_BYTES);
    job.end = Math.min(length, header.rangeOffset + range);
    int packet = context.maxPacketBytes(destinationOf(job));
    if (header.maxPacketBytes > 0) {
      packet = Math.min(packet, header.maxPacketBytes);
    }
    job.segmentBytes =
        packet - xipHeaderLength(destinationOf(job), job.source) - ContentHeader.ANSWER_LENGTH;
  }

  private static Dag destinationOf(Job job) {
    return java.util.Objects.requireNonNull(job.destination);
  }

  /**
   * The source of a v1.1 response, as the prototype writes it: the chunk first, else the host's
   * address; built from where the host is now.
   */
  private Dag legacySource(Xid cid) {
    LocalAddress local = context.localAddress();
    return Dag.of(
        List.of(local.ad(), local.hid(), cid),
        List.of(new int[] {1}, new int[] {2}, new int[] {0, 2}));
  }

  private static int xipHeaderLength(Dag destination, Dag source) {
    return 8 + Dag.NODE_LENGTH * (destination.size() + source.size());
  }

  private void refuse(Dag requester, Xid cid, int serial) {
    counters.refusalsSent++;
    // The source is the host: a CID there would make v1.1 routers take this for content.
    ByteBuffer out =
        context.begin(
            requester, context.localAddress().host(), ContentHeader.NEXT_HEADER, HOP_LIMIT);
    ContentHeader.putRefusal(out, serial, ContentHeader.REASON_NOT_FOUND, cid.id());
    context.send(ContentHeader.REFUSAL_LENGTH);
  }

  private void drain() {
    turn = null;
    int budget = BURST_BYTES;
    while (budget > 0) {
      Job job = waiting.peek();
      if (job == null) {
        return;
      }
      while (budget > 0 && sendSegment(job)) {
        budget -= job.segmentBytes;
      }
      if (isDone(job)) {
        waiting.poll();
        release(job);
      }
    }
    if (!waiting.isEmpty()) {
      turn = context.schedule(0, this::drain);
    }
  }

  private void drainLegacy() {
    legacyTurn = null;
    int budget = LEGACY_BURST_PACKETS;
    while (budget > 0) {
      Job job = legacyWaiting.peek();
      if (job == null) {
        break;
      }
      while (budget > 0 && sendSegment(job)) {
        budget--;
      }
      if (isDone(job)) {
        legacyWaiting.poll();
        release(job);
      }
    }
    if (budget < LEGACY_BURST_PACKETS) {
      // Also after the last packet: the next request must not begin a new burst at once.
      legacyTurn = context.schedule(LEGACY_INTERVAL_NS, this::drainLegacy);
    }
  }

  private static boolean isDone(Job job) {
    return job.next > job.end;
  }

  /**
   * Sends the next segment; an empty range or chunk is answered by one empty segment.
   *
   * @return false when there is nothing to send any more
   */
  private boolean sendSegment(Job job) {
    ContentCache.Entry entry = job.entry;
    ByteBuffer data = entry == null ? null : entry.data();
    if (data == null || data.limit() != job.chunkLength || isDone(job)) {
      job.next = job.end + 1; // removed meanwhile
      return false;
    }
    int offset = job.next;
    int length = Math.min(job.segmentBytes, job.end - offset);
    ByteBuffer out =
        context.begin(
            destinationOf(job),
            java.util.Objects.requireNonNull(job.source),
            ContentHeader.NEXT_HEADER,
            HOP_LIMIT);
    if (job.extended) {
      ContentHeader.putAnswer(out, offset, length, job.chunkLength, job.serial, 0);
    } else {
      ContentHeader.putPlainResponse(out, offset, length, job.chunkLength);
    }
    int at = out.position();
    out.put(at, data, offset, length);
    out.position(at + length);
    counters.segmentsSent++;
    counters.bytesServed += length;
    boolean routed = context.send(length);
    job.next = !routed || offset + length >= job.end ? job.end + 1 : offset + length;
    return true;
  }

  /** Stops answering. */
  void close() {
    waiting.clear();
    legacyWaiting.clear();
    if (turn != null) {
      turn.cancel();
      turn = null;
    }
    if (legacyTurn != null) {
      legacyTurn.cancel();
      legacyTurn = null;
    }
  }

  private void release(Job job) {
    job.entry = null;
    job.destination = null;
    job.source = null;
    if (free.size() < 64) {
      free.push(job);
    }
  }
}
