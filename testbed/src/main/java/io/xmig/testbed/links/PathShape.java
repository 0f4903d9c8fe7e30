package io.xmig.testbed.links;

import io.xmig.xia.link.LinkShape;
import java.util.Locale;

/**
 * What the emulated link between the two places of a migration is like, as users say it: {@code
 * 100mbit,20ms,1%} is 100 Mbit/s and 1 % of the frames lost each way, with a round trip of 20 ms.
 *
 * @param text as given
 * @param eachWay what one direction does to frames: half of the delay
 */
public record PathShape(String text, LinkShape eachWay) {
  /**
   * Reads a shape.
   *
   * @throws IllegalArgumentException saying what can be written
   */
  public static PathShape parse(String text) {
    LinkShape whole = LinkShape.parse(text);
    return new PathShape(
        text,
        new LinkShape(
            whole.bytesPerSecond(),
            whole.delayNs() / 2,
            whole.loss(),
            whole.jitterNs() / 2,
            whole.reorder(),
            whole.queueBytes()));
  }

  /** One direction in the words of {@code xmig node --shape} and {@code xmig link --shape}. */
  public String eachWayText() {
    StringBuilder words = new StringBuilder();
    words.append(String.format(Locale.ROOT, "%.3fus", eachWay.delayNs() / 1e3));
    if (eachWay.bytesPerSecond() > 0) {
      words.append(String.format(Locale.ROOT, ",%.3fkbit", eachWay.bytesPerSecond() * 8 / 1e3));
    }
    if (eachWay.loss() > 0) {
      words.append(String.format(Locale.ROOT, ",%.6f%%", eachWay.loss() * 100));
    }
    if (eachWay.jitterNs() > 0) {
      words.append(String.format(Locale.ROOT, ",%.3fus:jitter", eachWay.jitterNs() / 1e3));
    }
    if (eachWay.reorder() > 0) {
      words.append(String.format(Locale.ROOT, ",%.6f%%:reorder", eachWay.reorder() * 100));
    }
    if (eachWay.queueBytes() > 0) {
      words.append(String.format(Locale.ROOT, ",%db:queue", eachWay.queueBytes()));
    }
    return words.toString();
  }

  @Override
  public String toString() {
    return text;
  }
}
