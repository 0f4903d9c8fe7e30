package io.xmig.adapt.agent;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import org.jspecify.annotations.Nullable;

/**
 * A gateway as its beacons describe it.
 *
 * @param ad its domain
 * @param gateway its HID
 * @param fourId its 4ID, {@code null} if none
 * @param nameServer the name server it recommends, {@code null} if its text made no sense
 * @param signed whether its beacons are signed by the key of its HID
 * @param periodMs pause between its beacons
 */
public record Attachment(
    Xid ad,
    Xid gateway,
    @Nullable Xid fourId,
    @Nullable Dag nameServer,
    boolean signed,
    int periodMs) {
  /** Whether two beacons come from the same gateway in the same domain. */
  public boolean samePlace(@Nullable Attachment other) {
    return other != null && ad.equals(other.ad) && gateway.equals(other.gateway);
  }
}
