package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Xid;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Requests that were under way when the fetch of their chunk ended. An error that says no more of a
 * request than its CID, as one about a request of release 1.1 does, may be about one of those.
 *
 * @threading the node's loop
 */
final class EarlierRequests {
  /** Errors later than this are about something else. */
  static final long LIFE_NS = 2_000_000_000L;

  /** Chunks remembered; the one that ended first is forgotten first. */
  static final int CAPACITY = 1024;

  private static final class Left {
    int requests;
    long untilNs;
  }

  private final Map<Xid, Left> byChunk =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Xid, Left> eldest) {
          return size() > CAPACITY;
        }
      };

  /** A fetch has ended with so many requests without an answer. */
  void ended(Xid cid, int outstanding, long nowNs) {
    if (outstanding <= 0) {
      return;
    }
    Left left = byChunk.computeIfAbsent(cid, c -> new Left());
    if (nowNs - left.untilNs > 0) {
      left.requests = 0;
    }
    left.requests += outstanding;
    left.untilNs = nowNs + LIFE_NS;
  }

  /** Whether one of them accounts for an error about this chunk; each does so once. */
  boolean explains(Xid cid, long nowNs) {
    @Nullable Left left = byChunk.get(cid);
    if (left == null) {
      return false;
    }
    boolean explained = nowNs - left.untilNs <= 0;
    if (!explained || --left.requests == 0) {
      byChunk.remove(cid);
    }
    return explained;
  }

  /** Chunks remembered. */
  int chunks() {
    return byChunk.size();
  }
}
