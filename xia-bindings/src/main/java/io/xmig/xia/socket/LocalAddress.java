package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import org.jspecify.annotations.Nullable;

/**
 * Where a host is: its administrative domain, itself, and its 4ID (XreadLocalHostAddr).
 *
 * @param ad the domain the host is in
 * @param hid the host
 * @param fourId 4ID by which the domain can also be reached, or {@code null}
 */
public record LocalAddress(Xid ad, Xid hid, @Nullable Xid fourId) {
  /** {@code AD → HID}, the address of the host itself. */
  public Dag host() {
    return Dag.path(ad, hid);
  }

  /** {@code AD → HID → SID}, the address of a service on the host. */
  public Dag service(Xid sid) {
    return Dag.path(ad, hid, sid);
  }

  /** {@code ( AD HID ) CID}: the chunk wherever it is met on the way, else at the host. */
  public Dag chunk(Xid cid) {
    return Dag.withFallback(java.util.List.of(ad, hid), cid);
  }
}
