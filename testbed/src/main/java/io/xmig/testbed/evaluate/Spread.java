package io.xmig.testbed.evaluate;

import java.util.Arrays;
import java.util.Collection;
import java.util.Objects;

/**
 * Several measurements of one thing.
 *
 * @param count how many
 * @param median of them; of an even number the mean of the two in the middle
 * @param min smallest
 * @param max largest
 */
record Spread(int count, double median, double min, double max) {
  static final Spread NONE = new Spread(0, Double.NaN, Double.NaN, Double.NaN);

  static Spread of(Collection<Double> values) {
    double[] sorted =
        values.stream().filter(Objects::nonNull).mapToDouble(Double::doubleValue).toArray();
    if (sorted.length == 0) {
      return NONE;
    }
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    double median = sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    return new Spread(sorted.length, median, sorted[0], sorted[sorted.length - 1]);
  }

  boolean isEmpty() {
    return count == 0;
  }
}
