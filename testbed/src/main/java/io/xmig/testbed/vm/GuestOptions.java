package io.xmig.testbed.vm;

import java.util.Arrays;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What the guest's program is told to do: {@code name=value} words from the kernel command line.
 *
 * <p>Read by hand because the usual option library needs two seconds to start on a translated
 * processor, as long as the rest of the program together.
 *
 * @param ballastMib memory to fill, so that there is something to migrate
 * @param ballastContent what it is filled with
 * @param dirtyMibPerSecond rate at which ballast is rewritten, 0 for none
 * @param dirtySetMib part of the ballast that is rewritten
 * @param told read what to do from {@link GuestMain#WORK} all the time
 * @param warmUp load what a run needs and end, for the class archive of the image
 */
public record GuestOptions(
    int ballastMib,
    MemoryBallast.Content ballastContent,
    int dirtyMibPerSecond,
    int dirtySetMib,
    boolean told,
    boolean warmUp) {
  private static final Set<String> KNOWN =
      Set.of("ballast", "ballast-content", "dirty", "dirty-set", "work", "warm-up");

  public GuestOptions {
    if (dirtyMibPerSecond > 0 && ballastMib == 0) {
      throw new IllegalArgumentException("dirty needs ballast");
    }
  }

  /**
   * Reads words like {@code ballast=280 dirty=10}.
   *
   * @throws IllegalArgumentException for an unknown name or a bad value
   */
  public static GuestOptions parse(String... words) {
    TreeMap<String, String> values = new TreeMap<>();
    for (String word : words) {
      int equals = word.indexOf('=');
      String name = equals < 0 ? word : word.substring(0, equals);
      if (!KNOWN.contains(name)) {
        throw new IllegalArgumentException(
            "unknown guest option '" + name + "', known are " + new TreeSet<>(KNOWN));
      }
      values.put(name, equals < 0 ? "" : word.substring(equals + 1));
    }
    return new GuestOptions(
        number(values, "ballast", 0, 0),
        content(values.getOrDefault("ballast-content", "random")),
        number(values, "dirty", 0, 0),
        number(values, "dirty-set", 64, 1),
        values.containsKey("work"),
        values.containsKey("warm-up"));
  }

  private static MemoryBallast.Content content(String text) {
    return Arrays.stream(MemoryBallast.Content.values())
        .filter(content -> content.word().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "ballast-content is random or realistic, not '" + text + "'"));
  }

  private static int number(
      TreeMap<String, String> values, String name, int fallback, int atLeast) {
    String text = values.get(name);
    if (text == null) {
      return fallback;
    }
    try {
      int value = Integer.parseInt(text);
      if (value >= atLeast && value <= 1 << 20) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(name + " is not a number: '" + text + "'", e);
    }
    throw new IllegalArgumentException(name + " is out of range: " + text);
  }
}
