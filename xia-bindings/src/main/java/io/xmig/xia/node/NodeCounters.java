package io.xmig.xia.node;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The counts of one node.
 *
 * @threading written on the node's loop; reads elsewhere may be a little old
 */
public final class NodeCounters {
  private static final NodeCounter[] ALL = NodeCounter.values();

  private final long[] counts = new long[ALL.length];

  void add(NodeCounter counter) {
    counts[counter.ordinal()]++;
  }

  /** The count since the node started. */
  public long get(NodeCounter counter) {
    return counts[counter.ordinal()];
  }

  /** All drops together. */
  public long drops() {
    long sum = 0;
    for (NodeCounter counter : ALL) {
      sum += counter.isDrop() ? get(counter) : 0;
    }
    return sum;
  }

  /** The counts that are not zero, by name. */
  public Map<String, Long> nonZero() {
    Map<String, Long> map = new LinkedHashMap<>();
    for (NodeCounter counter : ALL) {
      if (get(counter) != 0) {
        map.put(counter.label(), get(counter));
      }
    }
    return map;
  }

  /** One {@code name value} line per count that is not zero. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    nonZero().forEach((name, value) -> text.append(name).append(' ').append(value).append('\n'));
    return text.toString();
  }
}
