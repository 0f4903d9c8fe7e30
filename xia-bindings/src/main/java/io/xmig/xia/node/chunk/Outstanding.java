package io.xmig.xia.node.chunk;

import io.xmig.xia.node.congestion.ReorderWindow;
import org.jspecify.annotations.Nullable;

/**
 * The requests of a {@link Flow} that are on their way, in the order of sending, and which of them
 * have been overtaken for so long that they count as lost.
 *
 * @threading the node's loop
 * @source RFC 8985 (RACK), applied to serials of requests
 */
final class Outstanding {
  private static final long MIN_REORDER_NS = 100_000L;

  private final ReorderWindow reordering = new ReorderWindow();
  private @Nullable RangeRequest oldest;
  private @Nullable RangeRequest newest;
  private int count;
  private long bytes;

  // the newest request of which an answer has come
  private long answeredSentNs = Long.MIN_VALUE;
  private int answeredSerial;
  private boolean answeredWholly;
  private long answeredRttNs;

  /** The first of them; {@link RangeRequest#later} leads on. */
  @Nullable RangeRequest oldest() {
    return oldest;
  }

  int count() {
    return count;
  }

  /** Bytes asked for that have neither come nor been found lost. */
  long bytes() {
    return bytes;
  }

  /** A request leaves. */
  void add(RangeRequest r) {
    r.earlier = newest;
    r.later = null;
    if (newest == null) {
      oldest = r;
    } else {
      newest.later = r;
    }
    newest = r;
    count++;
    bytes += r.length();
    Fetch fetch = r.fetch;
    if (fetch != null) {
      fetch.outstanding++;
    }
  }

  /** A request is answered or lost; what of it has not come is no longer awaited. */
  void remove(RangeRequest r) {
    if (r.earlier == null) {
      oldest = r.later;
    } else {
      r.earlier.later = r.later;
    }
    if (r.later == null) {
      newest = r.earlier;
    } else {
      r.later.earlier = r.earlier;
    }
    r.earlier = null;
    r.later = null;
    count--;
    bytes -= r.unanswered();
    Fetch fetch = r.fetch;
    if (fetch != null) {
      fetch.outstanding--;
    }
  }

  /** Forgets all. */
  void clear() {
    for (RangeRequest r = oldest; r != null; r = oldest) {
      remove(r);
      r.state = RangeRequest.State.FREE;
    }
  }

  /** Bytes of a request have come. */
  void answered(int answered) {
    bytes -= answered;
  }

  /** A request asks for more bytes than was thought, or for less. */
  void resized(int by) {
    bytes += by;
  }

  /** An answer has come to this request: what was sent before it is overtaken. */
  void advance(RangeRequest r, long now) {
    if (r.sentNs > answeredSentNs
        || (r.sentNs == answeredSentNs && r.serial - answeredSerial >= 0)) {
      answeredSentNs = r.sentNs;
      answeredSerial = r.serial;
      answeredRttNs = now - r.sentNs;
      answeredWholly = r.unanswered() == 0;
    }
  }

  /** A request taken for lost was only late. */
  void wasLate() {
    reordering.widen();
  }

  /** Requests have been taken for lost. */
  void wasLost() {
    reordering.calm();
  }

  /** Whether the answer to a later request has come. */
  boolean isOvertaken(RangeRequest r) {
    if (r.sentNs != answeredSentNs) {
      return r.sentNs < answeredSentNs;
    }
    int behind = answeredSerial - r.serial;
    return behind > 0 || (behind == 0 && answeredWholly);
  }

  /** When an overtaken request counts as lost. */
  long lostAtNs(RangeRequest r, RoundTrip roundTrip) {
    return r.sentNs
        + answeredRttNs
        + reordering.ns(roundTrip.minNs(), roundTrip.smoothedNs(), MIN_REORDER_NS);
  }
}
