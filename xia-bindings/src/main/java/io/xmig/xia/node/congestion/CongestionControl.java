package io.xmig.xia.node.congestion;

import java.util.ServiceLoader;
import java.util.TreeMap;

/**
 * Decides how many bytes may be in flight and how fast they leave. The mechanism (numbering,
 * acknowledgements, loss detection, timers, pacing itself) is the transport's; this is the policy.
 *
 * <p>Calls per acknowledgement come in this order: {@link #onLoss} for what the acknowledgement
 * proved to be lost, then {@link #onAck}. All state is per path of one connection or one transfer.
 *
 * @threading one instance per connection or transfer, on the node's loop
 */
public interface CongestionControl {
  /** Pacing rate that means "do not pace". */
  long UNPACED = Long.MAX_VALUE;

  /** Bytes that may be in flight, at least two segments. */
  long windowBytes();

  /** Rate at which packets should leave, bytes per second, above 0; {@link #UNPACED} for none. */
  long pacingRate();

  /**
   * A packet has left.
   *
   * @param inFlightBytes bytes in flight, this packet included
   */
  default void onSent(long nowNs, int bytes, long inFlightBytes) {}

  /** Something was acknowledged; the sample is valid during the call only. */
  void onAck(AckSample sample);

  /**
   * Packets were found to be lost. To react once per round trip, compare {@code newestSentNs} with
   * the time of the last reaction: losses among packets sent before that belong to the same event.
   *
   * @param lostBytes bytes found to be lost now
   * @param inFlightBytes bytes in flight without them
   * @param newestSentNs when the newest of the lost packets was sent
   */
  void onLoss(long nowNs, long lostBytes, long inFlightBytes, long newestSentNs);

  /** Nothing was heard for a whole retransmission timeout: everything in flight counts as lost. */
  void onTimeout(long nowNs);

  /** The reaction to the last loss was mistaken: those packets were only late. */
  default void onSpuriousLoss(long nowNs) {}

  /** The path is another one (an end has moved): what was learnt of the old one is worth little. */
  default void onPathChange(long nowNs) {}

  /** Segments have another size from now on. */
  default void onSegmentSize(int segmentBytes) {}

  /** Makes instances of one policy. Found by {@link ServiceLoader}. */
  interface Provider {
    /** The name by which the policy is chosen, e.g. {@code cubic}. */
    String name();

    /**
     * A new instance.
     *
     * @param segmentBytes bytes of a full packet
     * @param initialWindowBytes window to begin with
     */
    CongestionControl create(int segmentBytes, long initialWindowBytes);
  }

  /**
   * The policy of a name.
   *
   * @throws IllegalArgumentException naming the known ones
   */
  static Provider provider(String name) {
    if (name.startsWith("fixed:")) {
      return FixedWindow.FixedWindowProvider.parse(name.substring("fixed:".length()));
    }
    var known = new TreeMap<String, Provider>();
    ServiceLoader.load(Provider.class, CongestionControl.class.getClassLoader())
        .forEach(p -> known.put(p.name(), p));
    Provider found = known.get(name);
    if (found == null) {
      throw new IllegalArgumentException(
          "no congestion control '" + name + "', have " + known.keySet());
    }
    return found;
  }
}
