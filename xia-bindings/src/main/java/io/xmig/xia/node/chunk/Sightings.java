package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Xid;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Names of chunks that have passed once, while as many bytes as the cache holds began to pass after
 * them: what comes again later would have given way in the cache, too. All that passes counts, also
 * what is then kept, or else the memory would reach back the further the more is kept.
 *
 * @threading the node's loop
 */
final class Sightings {
  /** Names at most, for small chunks. */
  static final int MAX_NAMES = 65_536;

  private final long maxBytes;
  private final Map<Xid, Long> seenAt = new LinkedHashMap<>();
  private long passed;

  Sightings(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Notes that a chunk begins to pass; true, and it is forgotten, if it has before. */
  boolean again(Xid cid, int length) {
    Long before = seenAt.remove(cid);
    passed += length;
    if (before != null && passed - before <= maxBytes) {
      return true;
    }
    seenAt.put(cid, passed);
    Iterator<Long> oldest = seenAt.values().iterator();
    while (passed - oldest.next() > maxBytes || seenAt.size() > MAX_NAMES) {
      oldest.remove(); // never the one just put
    }
    return false;
  }

  int names() {
    return seenAt.size();
  }
}
