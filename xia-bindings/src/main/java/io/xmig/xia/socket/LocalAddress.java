package io.xmig.xia.socket;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a host is: its administrative domain, itself, and its 4ID (XreadLocalHostAddr).
 *
 * @param ad the domain the host is in
 * @param hid the host
 * @param fourId 4ID by which the domain can also be reached; {@code null} or that of 0.0.0.0 if
 *     there is none
 */
public record LocalAddress(Xid ad, Xid hid, @Nullable Xid fourId) {
  private static final List<int[]> HOST_OVER_4ID =
      List.of(new int[] {1}, new int[] {2}, new int[] {1, 0});
  private static final List<int[]> SERVICE_OVER_4ID =
      List.of(new int[] {1}, new int[] {2}, new int[] {3}, new int[] {1, 0});

  /**
   * {@code AD → HID}, the address of the host itself; with a 4ID {@code ( 4ID ) AD HID}, so that
   * the domain is reached over IPv4 where its AD has no route.
   */
  public Dag host() {
    return hasFourId() ? Dag.of(List.of(fourId, ad, hid), HOST_OVER_4ID) : Dag.path(ad, hid);
  }

  /** {@code AD → HID → SID}, the address of a service on the host; 4ID as in {@link #host}. */
  public Dag service(Xid sid) {
    return hasFourId()
        ? Dag.of(List.of(fourId, ad, hid, sid), SERVICE_OVER_4ID)
        : Dag.path(ad, hid, sid);
  }

  private boolean hasFourId() {
    return fourId != null && !fourId.equals(Xid.NULL_4ID);
  }

  /** {@code ( AD HID ) CID}: the chunk wherever it is met on the way, else at the host. */
  public Dag chunk(Xid cid) {
    return Dag.withFallback(List.of(ad, hid), cid);
  }
}
