package io.xmig.xia.node;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What routers have said about the largest packet that passes on the way to a host. Their word is
 * not authenticated, so it can only make packets smaller, not smaller than every link carries, and
 * it is forgotten after a while.
 *
 * @threading on the node's loop
 * @source local choice, modelled on RFC 1191
 */
final class PathMtus {
  /** How long a report counts. */
  static final long LIFETIME_NS = 600_000_000_000L;

  /** Hosts remembered; the one reported longest ago gives way. */
  static final int CAPACITY = 256;

  private record Limit(int bytes, long sinceNs) {}

  private final Map<Xid, Limit> byHost =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Xid, Limit> eldest) {
          return size() > CAPACITY;
        }
      };

  /** A packet to {@code destination} was too big for a link that carries {@code bytes}. */
  void reported(Dag destination, int bytes, long nowNs) {
    Xid host = destination.host();
    if (host != null && bytes >= NodeConfig.Port.MIN_MTU) {
      byHost.remove(host);
      byHost.put(host, new Limit(bytes, nowNs));
    }
  }

  /** {@code bytes}, or less if a router on the way to the destination has said so. */
  int limit(Dag destination, int bytes, long nowNs) {
    Xid host = byHost.isEmpty() ? null : destination.host();
    @Nullable Limit limit = host == null ? null : byHost.get(host);
    if (limit == null) {
      return bytes;
    }
    if (nowNs - limit.sinceNs() > LIFETIME_NS) {
      byHost.remove(host);
      return bytes;
    }
    return Math.min(bytes, limit.bytes());
  }
}
