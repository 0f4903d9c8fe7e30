package io.xmig.xia.node.chunk;

import io.xmig.xia.addr.Xid;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Names of chunks that have passed once: of as many bytes as the cache holds, since what comes
 * again after more than that would have given way in the cache, too.
 *
 * @threading the node's loop
 */
final class Sightings {
  /** Names at most, for small chunks. */
  static final int MAX_NAMES = 65_536;

  private final long maxBytes;
  private final Map<Xid, Integer> lengths = new LinkedHashMap<>();
  private long bytes;

  Sightings(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Notes that a chunk begins to pass; true, and it is forgotten, if it has before. */
  boolean again(Xid cid, int length) {
    Integer before = lengths.remove(cid);
    if (before != null) {
      bytes -= before;
      return true;
    }
    lengths.put(cid, length);
    bytes += length;
    Iterator<Integer> oldest = lengths.values().iterator();
    while (bytes > maxBytes || lengths.size() > MAX_NAMES) {
      bytes -= oldest.next();
      oldest.remove();
    }
    return false;
  }

  int names() {
    return lengths.size();
  }
}
