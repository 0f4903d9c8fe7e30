package io.xmig.testbed.bench;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One line of the table: what was measured, each time.
 *
 * @param bench {@code chunk}, {@code stream}, …
 * @param what is measured
 * @param setting MTU and the like, empty if there is none
 * @param unit of the samples
 * @param median of the samples
 * @param min the smallest of them
 * @param max the largest
 * @param samples one for each repetition, in their order
 * @param aside further facts by name: CPU seconds per GB, bytes allocated per packet, percentiles
 */
public record Figure(
    String bench,
    String what,
    String setting,
    String unit,
    double median,
    double min,
    double max,
    List<Double> samples,
    Map<String, Double> aside) {

  static Figure of(
      String bench,
      String what,
      String setting,
      String unit,
      double[] samples,
      Map<String, Double> aside) {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    Map<String, Double> facts = new LinkedHashMap<>();
    aside.forEach((name, value) -> facts.put(name, rounded(value)));
    return new Figure(
        bench,
        what,
        setting,
        unit,
        rounded(middle(sorted)),
        rounded(sorted[0]),
        rounded(sorted[sorted.length - 1]),
        Arrays.stream(samples).mapToObj(Figure::rounded).toList(),
        Collections.unmodifiableMap(facts));
  }

  /** Median of sorted numbers. */
  static double middle(double[] sorted) {
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  /** How far the samples are apart, as a share of the median. */
  double spread() {
    return median == 0 ? 0 : (max - min) / median;
  }

  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }
}
