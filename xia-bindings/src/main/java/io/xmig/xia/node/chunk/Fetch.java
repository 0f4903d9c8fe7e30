package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.ChunkHandler;
import io.xmig.xia.socket.ChunkSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One chunk being fetched: who waits for it, what has come, what is still to be requested.
 *
 * <p>Invariant while the length is known: every byte that has not come is in {@link #wanted}, or at
 * or behind {@link #next}, or in an outstanding request.
 */
final class Fetch {
  /** Pieces a chunk may fall into before segments that would make more are refused. */
  static final int MAX_PIECES = 1024;

  /** Losses without progress after which caches on the way are avoided. */
  static final int LOSSES_UNTIL_DIRECT = 3;

  /** Somebody who asked for this chunk. */
  record Waiting(ChunkSocket socket, ChunkHandler handler) {}

  final Xid cid;
  final long order;
  final List<Waiting> waiting = new ArrayList<>(1);
  Dag address;
  Flow flow;

  /** Length as the caller or the first answer said, or {@link ChunkSocket#UNKNOWN_LENGTH}. */
  int length;

  /** Whether {@link #length} bytes of memory are set aside for it. */
  boolean reserved;

  /** Where the chunk is assembled, from the first segment on. */
  @Nullable ByteBuffer buffer;

  final IntervalSet received = new IntervalSet(MAX_PIECES);

  /** Ranges found lost. */
  final IntervalSet wanted = new IntervalSet(Integer.MAX_VALUE);

  /** Everything from here on has never been requested. */
  int next;

  int receivedBytes;
  int outstanding;

  /** Requests lost since the last new byte. */
  int lossesInARow;

  /** Whether caches on the way are avoided. */
  boolean direct;

  final long enqueuedNs;
  long firstRequestNs;
  long progressNs;
  boolean requested;
  boolean done;

  // the flow's list of all its fetches, and the socket's of those with something to request
  @Nullable Fetch previous;
  @Nullable Fetch following;
  @Nullable SocketQueue queue;
  boolean ready;
  @Nullable Fetch previousReady;
  @Nullable Fetch followingReady;

  Fetch(Xid cid, Dag address, int length, long order, long nowNs, Flow flow) {
    this.cid = cid;
    this.address = address;
    this.length = length;
    this.order = order;
    this.enqueuedNs = nowNs;
    this.progressNs = nowNs;
    this.flow = flow;
  }

  boolean lengthKnown() {
    return length != ChunkSocket.UNKNOWN_LENGTH;
  }

  /** Whether there is anything to request. */
  boolean hasWork() {
    if (!wanted.isEmpty()) {
      return true;
    }
    return lengthKnown() ? next < length || (length == 0 && !requested) : !requested;
  }

  boolean isComplete() {
    return lengthKnown() && receivedBytes == length && buffer != null;
  }

  /**
   * Where requests are sent. A chunk whose requests keep getting lost although others are answered
   * may be claimed by a cache on the way that does not serve it: then the way is prescribed as far
   * as the host.
   */
  Dag target() {
    if (!direct) {
      return address;
    }
    Xid ad = address.first(XidType.AD);
    Xid hid = address.host();
    return ad == null || hid == null ? address : Dag.path(ad, hid, cid);
  }

  /** Puts back what a lost request had asked for and nobody has brought since. */
  void want(int start, int end) {
    int stop = lengthKnown() ? Math.min(end, length) : end;
    int at = received.firstMissing(start);
    while (at < stop) {
      int to = received.firstPresent(at, stop);
      wanted.add(at, to);
      at = received.firstMissing(to);
    }
  }
}
