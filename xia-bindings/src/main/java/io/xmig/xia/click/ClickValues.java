package io.xmig.xia.click;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.wire.EthernetFlyweight;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the values that arguments of elements have; every error points at the argument. */
final class ClickValues {
  private static final Pattern DURATION =
      Pattern.compile("([0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)\\s*(s|sec|ms|msec|us|usec|ns|nsec|m|min)?");

  private static final Pattern RATE =
      Pattern.compile("([0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)\\s*([kKMGT]?)(?:(bps|Bps|b/s|B/s|baud))?");

  private ClickValues() {}

  static int integer(ClickArgument argument, String what, int min, int max) {
    String text = argument.text();
    boolean good = text.matches("[0-9]{1,9}");
    int value = good ? Integer.parseInt(text) : -1;
    if (!good || value < min || value > max) {
      throw argument.error(
          what + " is a number from " + min + " to " + max + ", not '" + text + "'");
    }
    return value;
  }

  static boolean flag(ClickArgument argument, String what) {
    return switch (argument.text()) {
      case "0", "false", "no" -> false;
      case "1", "true", "yes" -> true;
      default -> throw argument.error(what + " is 0 or 1, not '" + argument.text() + "'");
    };
  }

  static long mac(ClickArgument argument) {
    try {
      return EthernetFlyweight.parseMac(argument.text());
    } catch (IllegalArgumentException e) {
      throw argument.error(String.valueOf(e.getMessage()));
    }
  }

  static Dag address(ClickArgument argument, Map<String, Xid> names) {
    try {
      return Dag.parse(argument.text(), names::get);
    } catch (DagParseException e) {
      throw within(argument, e);
    }
  }

  static Xid xid(ClickArgument argument, XidType type, Map<String, Xid> names) {
    Xid named = names.get(argument.text());
    Xid xid;
    try {
      xid = named != null ? named : Xid.parse(argument.text());
    } catch (DagParseException e) {
      throw argument.text().indexOf(':') < 0
          ? argument.error(
              "no XID named '"
                  + argument.text()
                  + "'; XIAXIDInfo("
                  + argument.text()
                  + " "
                  + type
                  + ":…) would give it one")
          : within(argument, e);
    }
    if (!xid.is(type)) {
      throw argument.error("expected an XID of type " + type + ", found " + xid);
    }
    return xid;
  }

  /** {@code a.b.c.d}, {@code IP:a.b.c.d}, {@code IP:40 digits} or a name. */
  static Xid fourId(ClickArgument argument, Map<String, Xid> names) {
    String text = argument.text();
    if (text.matches("[0-9.]+")) {
      try {
        return Xid.parse("IP:" + text);
      } catch (DagParseException e) {
        throw argument.error("not an IPv4 address a.b.c.d: '" + text + "'");
      }
    }
    return xid(argument, XidType.IP, names);
  }

  private static ClickParseException within(ClickArgument argument, DagParseException e) {
    boolean verbatim =
        argument.source().text().startsWith(argument.text(), argument.offset()); // no variables
    String what = String.valueOf(e.getMessage());
    int facts = what.indexOf(" {");
    return argument
        .source()
        .error(
            "in '" + argument.text() + "': " + (facts < 0 ? what : what.substring(0, facts)),
            argument.offset() + (verbatim ? e.column() : 0));
  }

  /** Nanoseconds from {@code 0.005}, {@code 5ms}, {@code 5 us}. */
  static long durationNs(ClickArgument argument) {
    Matcher matcher = DURATION.matcher(argument.text());
    if (!matcher.matches()) {
      throw argument.error(
          "a time is seconds like 0.005 or has a unit like 5ms, not '" + argument.text() + "'");
    }
    String unit = matcher.group(2) == null ? "s" : matcher.group(2);
    double scale =
        switch (unit) {
          case "ms", "msec" -> 1e6;
          case "us", "usec" -> 1e3;
          case "ns", "nsec" -> 1;
          case "m", "min" -> 60e9;
          default -> 1e9;
        };
    double ns = Double.parseDouble(matcher.group(1)) * scale;
    if (ns > 3600e9) {
      throw argument.error("a latency of more than an hour");
    }
    return Math.round(ns);
  }

  /** Bytes per second from {@code 1 GB/s}, {@code 100Mbps}, {@code 125000}. */
  static long bytesPerSecond(ClickArgument argument) {
    Matcher matcher = RATE.matcher(argument.text());
    if (!matcher.matches()) {
      throw argument.error(
          "a bandwidth is bytes per second or has a unit like 1 GB/s or 100Mbps, not '"
              + argument.text()
              + "'");
    }
    double scale =
        switch (matcher.group(2)) {
          case "k", "K" -> 1e3;
          case "M" -> 1e6;
          case "G" -> 1e9;
          case "T" -> 1e12;
          default -> 1;
        };
    String unit = matcher.group(3) == null ? "B/s" : matcher.group(3);
    double bytes =
        Double.parseDouble(matcher.group(1)) * scale * (unit.startsWith("B") ? 1 : 0.125);
    if (bytes < 1 || bytes > 1e15) {
      throw argument.error("a bandwidth of " + argument.text() + " cannot be emulated");
    }
    return Math.round(bytes);
  }

  static double probability(ClickArgument argument, String text) {
    boolean good = text.matches("[0-9]*\\.?[0-9]+|[0-9]+\\.?|[0-9]*\\.?[0-9]+%");
    double value =
        !good
            ? -1
            : text.endsWith("%")
                ? Double.parseDouble(text.substring(0, text.length() - 1)) / 100
                : Double.parseDouble(text);
    if (value < 0 || value > 1) {
      throw argument.error("a probability is 0 to 1, not '" + text + "'");
    }
    return value;
  }
}
