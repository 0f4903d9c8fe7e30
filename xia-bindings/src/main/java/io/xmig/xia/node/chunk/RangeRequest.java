package io.xmig.xia.node.chunk;

import org.jspecify.annotations.Nullable;

/** One request on its way: bytes {@code [start, end)} of one chunk, known by its serial. */
final class RangeRequest {
  enum State {
    FREE,
    OUTSTANDING,
    /** Given up, but its answer may only be late. */
    LOST
  }

  State state = State.FREE;
  int serial;
  @Nullable Fetch fetch;
  @Nullable Flow flow;
  int start;
  int end;

  /** Bytes that have come as an answer to this request, whether they were new or not. */
  int answered;

  long sentNs;

  /** Whether this one tries larger packets; its loss says nothing about congestion. */
  int probePacketBytes;

  // for the delivery rate, as it was when this request left
  long deliveredBefore;
  long deliveredNsBefore;
  long firstSentNsBefore;
  boolean appLimited;

  // the flow's outstanding requests in the order of sending
  @Nullable RangeRequest earlier;
  @Nullable RangeRequest later;

  int length() {
    return end - start;
  }

  int unanswered() {
    return end - start - answered;
  }
}
