package io.xmig.adapt.agent;

import io.xmig.adapt.route.RouteControl;
import io.xmig.adapt.route.RouteEntry;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.XiaStack;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets a host's address and routes: what the prototype's beacon client does, at once and for every
 * move, and besides forgets what belongs to the former place.
 *
 * @threading on the stack's loop
 * @source docs/prototype.md "XHCP client"
 */
final class HostSettings {
  private static final Logger LOG = LoggerFactory.getLogger(HostSettings.class);
  private static final int PORT = 0;

  private final XiaStack stack;
  private final RouteControl control;

  HostSettings(XiaStack stack, RouteControl control) {
    this.stack = stack;
    this.control = control;
  }

  /**
   * Moves the host. All of it is idempotent. The address comes last: open connections announce it
   * at once, and that must leave by the new routes.
   */
  void apply(Attachment place, @Nullable Attachment former) {
    Xid gateway = place.gateway();
    if (former != null && !former.ad().equals(place.ad())) {
      control.remove(XidType.AD, former.ad()).exceptionally(gone -> null);
    }
    report(
        "domain",
        control.set(
            XidType.AD,
            new RouteEntry(place.ad(), RouteEntry.LOCAL, null, RouteEntry.FLAGS_DAEMON)));
    RouteEntry fallback = new RouteEntry(null, PORT, gateway, RouteEntry.FLAGS_DAEMON);
    for (XidType type : List.of(XidType.AD, XidType.IP, XidType.HID)) {
      report("default route", control.set(type, fallback));
    }
    report(
        "gateway",
        control.set(XidType.HID, new RouteEntry(gateway, PORT, gateway, RouteEntry.FLAGS_DAEMON)));
    forgetNeighbours(gateway);
    report("address", stack.updateAd(place.ad(), place.fourId()));
    if (place.nameServer() != null) {
      report("name server", stack.updateNameServer(place.nameServer()));
    }
  }

  /**
   * Removes every entry of its own that leads over the link to somebody else than the gateway: it
   * was learned at the former place, such as the one for the host that the machine ran on.
   */
  void forgetNeighbours(Xid gateway) {
    for (XidType type : List.of(XidType.HID, XidType.AD, XidType.IP)) {
      control
          .list(type)
          .thenAccept(
              entries -> {
                for (RouteEntry entry : entries) {
                  Xid xid = entry.xid();
                  if (xid != null && entry.forwards() && !xid.equals(gateway)) {
                    control.remove(type, xid).exceptionally(gone -> null);
                  }
                }
              })
          .exceptionally(
              error -> {
                LOG.warn("could not read the {} table: {}", type, error.getMessage());
                return null;
              });
    }
    control.write("xlc/xarpq.clear", "").exceptionally(error -> null);
  }

  /**
   * Routes are set by signed messages only: what anybody else's redirects say is not believed, nor
   * that somebody is on this link since a broadcast, perhaps a recorded one, bears its HID.
   */
  void refuseUnsignedRoutes() {
    control.write("xrc.redirects", "0").exceptionally(error -> null);
    control.write("xrc/n/proc/rt_HID.learn", "0").exceptionally(error -> null);
  }

  /** Forgets a direct route to a host that has left the link. */
  void forget(Xid hid, Xid gateway) {
    if (!hid.equals(gateway)) {
      control
          .list(XidType.HID)
          .thenAccept(
              entries -> {
                for (RouteEntry entry : entries) {
                  if (hid.equals(entry.xid()) && entry.forwards()) {
                    control.remove(XidType.HID, hid).exceptionally(gone -> null);
                    LOG.info("{} has left this link; its direct route is removed", hid);
                  }
                }
              });
      control.write("xlc/xarpq.delete", hid.toString()).exceptionally(error -> null);
    }
  }

  private static void report(String what, java.util.concurrent.CompletableFuture<Void> done) {
    done.exceptionally(
        error -> {
          LOG.warn("could not set the {}: {}", what, error.getMessage());
          return null;
        });
  }
}
