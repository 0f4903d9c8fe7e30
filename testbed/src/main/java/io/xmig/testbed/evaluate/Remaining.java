package io.xmig.testbed.evaluate;

import java.util.List;

/**
 * How long the rest of an evaluation will take: what each cell should, times what those that were
 * measured took compared with what they should have.
 */
final class Remaining {
  private static final double BYTES_PER_MB = 1e6;

  /** Kernel, root and JVM of the guest. */
  private static final double GUEST_MB = 130;

  private static final double ZEROED_GUEST_MB = 70;
  private static final double UNSHAPED_BYTES_PER_SECOND = 150e6;

  /** What TCP CUBIC makes of a path that loses half a percent. */
  private static final double CUBIC_ON_LOSS = 0.08;

  /** Start of the destination, probes before and after. */
  private static final double EACH_SECONDS = 5;

  private static final double OPEN_SECONDS = 18;
  private static final double EXTRA_SECONDS = 40;
  private static final double PRIOR_SECONDS = 60;

  private double should;
  private double took;

  /** What a migration should take, in seconds, without what is around it. */
  static double seconds(Cell cell) {
    Setting setting = cell.setting();
    double megabytes =
        (setting.zeroed() ? ZEROED_GUEST_MB : GUEST_MB)
            + setting.ballastMb()
            + (cell.full() ? 60 + setting.diskMb() : 0);
    double rate =
        setting.bytesPerSecond() == 0 ? UNSHAPED_BYTES_PER_SECOND : setting.bytesPerSecond();
    if (setting.loss() > 0 && cell.mode() == Mode.TCP_CUBIC) {
      rate *= CUBIC_ON_LOSS;
    }
    if (cell.workload() == Workload.DBENCH || cell.workload() == Workload.DIRTY) {
      megabytes *= 1.5;
    }
    return megabytes * BYTES_PER_MB / rate;
  }

  /** A cell was measured, or not, in this time. */
  void took(Cell cell, double seconds) {
    should += EACH_SECONDS + seconds(cell);
    took += seconds;
  }

  /** Seconds for cells still to come, settings to open for them, and other measurements. */
  double left(List<Cell> cells, int settings, int extras) {
    double plain = cells.stream().mapToDouble(c -> EACH_SECONDS + seconds(c)).sum();
    double factor = (PRIOR_SECONDS + took) / (PRIOR_SECONDS + should);
    return factor * plain + OPEN_SECONDS * settings + EXTRA_SECONDS * extras;
  }
}
