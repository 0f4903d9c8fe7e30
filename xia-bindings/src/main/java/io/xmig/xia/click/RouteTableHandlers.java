package io.xmig.xia.click;

import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Click's handlers of a routing table ({@code XIAXIDRouteTable}): {@code add}, {@code set}, {@code
 * add4}, {@code set4}, {@code remove}, {@code list}, {@code enabled}, {@code drops}. Their texts
 * are read and their errors worded as the prototype does, so that its route tools work.
 *
 * <p>{@code load} (of a file of the server) and {@code generate} are not offered.
 *
 * @source XIA prototype v1.1, docs/click.md
 */
public final class RouteTableHandlers {
  /** Click's name of the element class. */
  public static final String CLASS_NAME = "XIAXIDRouteTable";

  private static final int UNSET_DEFAULT = -1;

  private final Routes routes;
  private final Function<String, @Nullable Xid> names;

  /**
   * The table behind the handlers. A {@code null} XID is the default entry, written {@code -}.
   * Called on the thread of the handlers.
   */
  public interface Routes {
    /** Whether an XID has an entry of its own. */
    boolean contains(Xid xid);

    /** Port of the default entry. */
    int defaultPort();

    /** Adds or replaces an entry. {@code flags} is unsigned; nothing gives it a meaning. */
    void set(@Nullable Xid xid, int port, @Nullable Xid nextHop, int flags);

    /** Removes an entry that exists. */
    void remove(Xid xid);

    /**
     * The table as text: first the default, then each entry, as {@link #line} gives it and ended by
     * a newline.
     */
    String list();

    /** Whether lookups are answered. */
    boolean enabled();

    /** Makes lookups be answered or fall through to the next edge. */
    void enabled(boolean on);
  }

  private RouteTableHandlers(Routes routes, Function<String, @Nullable Xid> names) {
    this.routes = routes;
    this.names = names;
  }

  /**
   * Gives an element the handlers of a routing table.
   *
   * @param names what the file's XIAXIDInfo calls an XID, {@code null} for other words
   */
  public static void register(
      HandlerRegistry.Element element, Routes routes, Function<String, @Nullable Xid> names) {
    RouteTableHandlers handlers = new RouteTableHandlers(routes, names);
    element
        .read("drops", () -> "0")
        .readWrite("enabled", () -> routes.enabled() ? "1" : "0", handlers::enable)
        .read("list", routes::list)
        .write("remove", handlers::remove)
        .write("set4", text -> handlers.putFour(text, true))
        .write("add4", text -> handlers.putFour(text, false))
        .write("set", text -> handlers.putTwo(text, true))
        .write("add", text -> handlers.putTwo(text, false));
  }

  /**
   * One entry as {@code list} prints it: {@code XID,port,next hop,flags}, {@code -} the default.
   */
  public static String line(@Nullable Xid xid, int port, @Nullable Xid nextHop, int flags) {
    return (xid == null ? "-" : xid.toString())
        + ","
        + port
        + ","
        + (nextHop == null ? "" : nextHop.toString())
        + ","
        + Integer.toUnsignedString(flags);
  }

  private void putTwo(String text, boolean overwrite) {
    String[] words = text.strip().split("\\s+", 3); // what follows the port is ignored
    if (words[0].isEmpty()) {
      return;
    }
    put(words[0], words.length > 1 ? words[1] : "", null, 0, overwrite);
  }

  private void putFour(String text, boolean overwrite) {
    String[] parts = text.strip().split(",", -1);
    if (parts[0].isBlank() && parts.length == 1) {
      return;
    }
    if (parts.length < 2 || parts.length > 4) {
      throw new HandlerException("invalid route: ");
    }
    String hop = parts.length > 2 ? parts[2].strip() : "";
    Xid nextHop = hop.isEmpty() ? null : xid(hop, "invalid next hop xid: ");
    int flags = parts.length > 3 ? flags(parts[3].strip()) : 0;
    put(parts[0].strip(), parts[1].strip(), nextHop, flags, overwrite);
  }

  private void put(
      String key, String portText, @Nullable Xid nextHop, int flags, boolean overwrite) {
    if (key.equals("-")) {
      if (!overwrite && routes.defaultPort() != UNSET_DEFAULT) {
        throw new HandlerException("duplicate default route: ");
      }
      routes.set(null, port(portText), nextHop, flags);
      return;
    }
    Xid xid = xid(key, "invalid XID: ");
    if (!overwrite && routes.contains(xid)) {
      throw new HandlerException("duplicate XID: ");
    }
    routes.set(xid, port(portText), nextHop, flags);
  }

  private void remove(String text) {
    String key = text.strip();
    if (key.isEmpty()) {
      return;
    }
    if (key.equals("-")) {
      routes.set(null, UNSET_DEFAULT, null, 0);
      return;
    }
    Xid xid = xid(key, "invalid XID: ");
    if (!routes.contains(xid)) {
      throw new HandlerException("nonexistent XID: ");
    }
    routes.remove(xid);
  }

  private void enable(String text) {
    switch (text.strip()) {
      case "1", "true", "yes" -> routes.enabled(true);
      case "0", "false", "no" -> routes.enabled(false);
      default -> throw new HandlerException("invalid value: ");
    }
  }

  private Xid xid(String text, String error) {
    Xid named = names.apply(text);
    if (named != null) {
      return named;
    }
    try {
      return Xid.parseLenient(text);
    } catch (DagParseException e) {
      throw new HandlerException(error);
    }
  }

  private static int port(String text) {
    if (!text.matches("[+-]?[0-9]{1,9}")) {
      throw new HandlerException("invalid port: ");
    }
    return Integer.parseInt(text);
  }

  private static int flags(String text) {
    if (!text.matches("[0-9]{1,10}") || Long.parseLong(text) > 0xffffffffL) {
      throw new HandlerException("invalid flags: ");
    }
    return (int) Long.parseLong(text);
  }
}
