package io.xmig.xia.host;

import io.xmig.xia.socket.SliceOptions;
import java.util.Locale;

/**
 * What routers keep of the content that passes them.
 *
 * @param bytes at most; 0 for nothing
 * @param policy what gives way when that is reached
 * @param firstTime whether a chunk is kept the first time it passes, which costs a copy and a hash
 *     of everything; else the second time
 */
public record RouterCache(long bytes, SliceOptions.Policy policy, boolean firstTime) {
  /** Nothing. */
  public static final RouterCache OFF = new RouterCache(0, SliceOptions.Policy.FIFO, false);

  private static final int MAX_MIB = 65_536;

  public RouterCache {
    if (bytes < 0 || policy == SliceOptions.Policy.REFUSE) {
      throw new IllegalArgumentException("no cache of what passes: " + bytes + " " + policy);
    }
  }

  /** Whether anything is kept. */
  public boolean isOn() {
    return bytes > 0;
  }

  /**
   * Reads {@code off} or {@code MIB[,fifo|lru][,first|second]}; colons may stand for the commas.
   *
   * @throws IllegalArgumentException saying what is wrong
   */
  public static RouterCache parse(String text) {
    String[] words = text.strip().toLowerCase(Locale.ROOT).split("[,:]");
    if (words.length == 1 && words[0].equals("off")) {
      return OFF;
    }
    if (!words[0].matches("[0-9]{1,5}") || Integer.parseInt(words[0]) > MAX_MIB) {
      throw new IllegalArgumentException(
          "a cache is 'off' or MIB[,fifo|lru][,first|second], not '" + text + "'");
    }
    SliceOptions.Policy policy = SliceOptions.Policy.FIFO;
    boolean firstTime = false;
    for (int i = 1; i < words.length; i++) {
      switch (words[i]) {
        case "fifo" -> policy = SliceOptions.Policy.FIFO;
        case "lru" -> policy = SliceOptions.Policy.LRU;
        case "first" -> firstTime = true;
        case "second" -> firstTime = false;
        default ->
            throw new IllegalArgumentException(
                "a cache may be fifo or lru, first or second, not '" + words[i] + "'");
      }
    }
    return new RouterCache((long) Integer.parseInt(words[0]) << 20, policy, firstTime);
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return isOn()
        ? (bytes >> 20)
            + ":"
            + policy.name().toLowerCase(Locale.ROOT)
            + (firstTime ? ":first" : ":second")
        : "off";
  }
}
