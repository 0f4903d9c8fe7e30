package io.xmig.adapt.route;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Looks up how a node reaches a domain. */
final class AdRoutes {
  private final RouteControl control;

  AdRoutes(RouteControl control) {
    this.control = control;
  }

  /**
   * The entry that packets to the domain take: its own, else the default; {@code null} for none.
   */
  CompletableFuture<@Nullable RouteEntry> towards(Xid ad) {
    return control
        .list(XidType.AD)
        .thenApply(
            entries -> {
              RouteEntry fallback = null;
              for (RouteEntry entry : entries) {
                if (ad.equals(entry.xid())) {
                  return entry.forwards() || entry.port() == RouteEntry.LOCAL ? entry : null;
                }
                if (entry.xid() == null && entry.forwards()) {
                  fallback = entry;
                }
              }
              return fallback;
            });
  }
}
