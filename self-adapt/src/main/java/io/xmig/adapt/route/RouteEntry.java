package io.xmig.adapt.route;

import io.xmig.xia.XiaException;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One line of a routing table as Click lists it: {@code XID,port,nexthop,flags}.
 *
 * @param xid destination, {@code null} for the default entry
 * @param port number of a link, or a negative code
 * @param nextHop host to hand packets to, {@code null} if the destination itself
 * @param flags opaque unsigned number; ours are below
 * @source docs/click.md section 4
 */
public record RouteEntry(@Nullable Xid xid, int port, @Nullable Xid nextHop, int flags) {
  /** What the prototype's daemons write. */
  public static final int FLAGS_DAEMON = 0xffff;

  /** A host that registered with a signature. */
  public static final int FLAGS_REGISTERED = 0x1ffff;

  /** A host that has moved to another domain. */
  public static final int FLAGS_REPOINTED = 0x2ffff;

  /** Another router or domain, found by the routing daemon. */
  public static final int FLAGS_ROUTED = 0x3ffff;

  /** The packet is for this node. */
  public static final int LOCAL = -2;

  /** A copy goes to every link. */
  public static final int BROADCAST = -4;

  private static final int MAX_LINES = 1_000_000;

  /** The value for the {@code set4} and {@code add4} handlers. */
  public String value() {
    return (xid == null ? "-" : xid.toString())
        + ","
        + port
        + ","
        + (nextHop == null ? "" : nextHop)
        + ","
        + Integer.toUnsignedString(flags);
  }

  /** Whether packets leave by a link. */
  public boolean forwards() {
    return port >= 0;
  }

  /** Name of the table for a principal type: {@code rt_HID} and so on. */
  public static String table(XidType type) {
    return "rt_" + type;
  }

  /**
   * Reads what a {@code list} handler gives.
   *
   * @throws XiaException pointing at the line that does not fit
   */
  public static List<RouteEntry> parseList(String text) {
    List<RouteEntry> entries = new ArrayList<>();
    int number = 0;
    for (String line : text.split("\n", -1)) {
      number++;
      if (!line.isBlank()) {
        entries.add(parse(line.trim(), number));
      }
      if (number > MAX_LINES) {
        throw new XiaException(XiaException.Recovery.ABORT, "routing table too long");
      }
    }
    return entries;
  }

  private static RouteEntry parse(String line, int number) {
    String[] parts = line.split(",", -1);
    if (parts.length < 2 || parts.length > 4) {
      throw bad(line, number, "expected XID,port,nexthop,flags");
    }
    try {
      return new RouteEntry(
          parts[0].equals("-") ? null : Xid.parse(parts[0]),
          Integer.parseInt(parts[1]),
          parts.length < 3 || parts[2].isEmpty() ? null : Xid.parse(parts[2]),
          parts.length < 4 || parts[3].isEmpty() ? 0 : Integer.parseUnsignedInt(parts[3]));
    } catch (NumberFormatException | DagParseException e) {
      throw bad(line, number, e.getMessage());
    }
  }

  private static XiaException bad(String line, int number, @Nullable String why) {
    String clipped = line.length() > 120 ? line.substring(0, 120) + "…" : line;
    return new XiaException(
        XiaException.Recovery.ABORT,
        "unreadable routing table",
        Map.of("line", number, "text", clipped, "why", String.valueOf(why)));
  }

  @Override
  public String toString() {
    return value();
  }
}
