package io.xmig.xia.link;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an emulated link does to the frames that leave by it (Click's {@code LinkUnqueue(latency,
 * bandwidth)} and more).
 *
 * @param bytesPerSecond rate, 0 for unlimited
 * @param delayNs time from the last bit sent to arrival
 * @param loss probability that a frame is lost, 0 to 1
 * @param jitterNs further delay, evenly spread over 0 to this; keeps the order
 * @param reorder probability that a frame is overtaken by its successors, 0 to 1
 * @param queueBytes frames that wait for the transmitter, 0 for 200 frames of the link's MTU
 */
public record LinkShape(
    long bytesPerSecond, long delayNs, double loss, long jitterNs, double reorder, int queueBytes) {
  /** Nothing is done to the frames. */
  public static final LinkShape NONE = new LinkShape(0, 0, 0, 0, 0, 0);

  private static final long MAX_DELAY_NS = 60_000_000_000L;
  private static final int MAX_QUEUE_BYTES = 256 << 20;
  private static final Pattern ITEM =
      Pattern.compile("([0-9]+(?:\\.[0-9]+)?)([a-z%/]*)(?::([a-z]+))?");

  public LinkShape {
    if (bytesPerSecond < 0
        || outside(delayNs, MAX_DELAY_NS)
        || outside(jitterNs, MAX_DELAY_NS)
        || outside(queueBytes, MAX_QUEUE_BYTES)) {
      throw new IllegalArgumentException(
          "rate, delay, jitter and queue are not negative, delays at most 60 s, the queue at most"
              + " 256 MiB");
    }
    if (!(loss >= 0 && loss <= 1 && reorder >= 0 && reorder <= 1)) {
      throw new IllegalArgumentException("loss and reordering are probabilities, 0 to 100 %");
    }
  }

  private static boolean outside(long value, long limit) {
    return value < 0 || value > limit;
  }

  /** A rate and a delay. */
  public static LinkShape of(long bytesPerSecond, long delayNs) {
    return new LinkShape(bytesPerSecond, delayNs, 0, 0, 0, 0);
  }

  /**
   * Parses items separated by commas, in any order:
   *
   * <pre>
   *  100mbit  1gbit  8kbit       rate in bits per second
   *  5ms  250us  1s              delay
   *  2ms:jitter                  jitter
   *  1%                          loss
   *  1%:reorder                  reordering
   *  256kb:queue                 bytes that may wait (kb, mb of 1024)
   * </pre>
   */
  public static LinkShape parse(String text) {
    double rate = 0;
    double delay = 0;
    double jitter = 0;
    double loss = 0;
    double reorder = 0;
    double queue = 0;
    for (String item : text.toLowerCase(Locale.ROOT).split(",", -1)) {
      Matcher m = ITEM.matcher(item.strip());
      if (!m.matches()) {
        throw notAnItem(item, text);
      }
      double number = Double.parseDouble(m.group(1));
      String unit = m.group(2);
      String what = m.group(3) == null ? "" : m.group(3);
      switch (what + "/" + kind(unit)) {
        case "/rate" -> rate = number * scale(unit) / 8;
        case "/time" -> delay = number * scale(unit);
        case "jitter/time" -> jitter = number * scale(unit);
        case "/share", "loss/share" -> loss = number / 100;
        case "reorder/share" -> reorder = number / 100;
        case "queue/size" -> queue = number * scale(unit);
        default -> throw notAnItem(item, text);
      }
    }
    return new LinkShape(
        (long) rate,
        (long) delay,
        loss,
        (long) jitter,
        reorder,
        (int) Math.min(Integer.MAX_VALUE, queue));
  }

  private static IllegalArgumentException notAnItem(String item, String text) {
    return new IllegalArgumentException(
        "'"
            + item
            + "' in the link shape '"
            + text
            + "' is none of: 100mbit, 5ms, 1%, 2ms:jitter, 1%:reorder, 256kb:queue");
  }

  private static String kind(String unit) {
    return switch (unit) {
      case "bit", "kbit", "mbit", "gbit" -> "rate";
      case "us", "ms", "s" -> "time";
      case "%" -> "share";
      case "b", "kb", "mb" -> "size";
      default -> "unknown";
    };
  }

  private static double scale(String unit) {
    return switch (unit) {
      case "kbit" -> 1e3;
      case "mbit" -> 1e6;
      case "gbit", "s" -> 1e9;
      case "us" -> 1e3;
      case "ms" -> 1e6;
      case "kb" -> 1024;
      case "mb" -> 1024 * 1024;
      default -> 1;
    };
  }

  /** Whether frames pass untouched. */
  public boolean isNone() {
    return bytesPerSecond == 0 && delayNs == 0 && loss == 0 && jitterNs == 0 && reorder == 0;
  }
}
