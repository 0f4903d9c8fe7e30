package io.xmig.testbed.evaluate;

import java.util.List;

/**
 * How long the rest of an evaluation will take: what each cell should, times what those that were
 * measured took compared with what they should have.
 */
final class Remaining {
  private static final double BYTES_PER_MB = 1e6;

  /** Kernel, root and JVM of the guest. */
  private static final double GUEST_MB = 190;

  private static final double UNSHAPED_BYTES_PER_SECOND = 150e6;

  /** The C library against the node. */
  private static final double LIBRARY = 4;

  /** What memory that compresses leaves. */
  private static final double PACKED = 0.45;

  private static final double BUSY = 1.2;

  /** Two Java programs. */
  private static final double START_SECONDS = 2;

  /** Start of the destination, probes before and after. */
  private static final double EACH_SECONDS = 2.5;

  private static final double UNREACHABLE_SECONDS = 4;
  private static final double OPEN_SECONDS = 28;
  private static final double FIRST_SECONDS = 9;
  private static final double EXTRA_SECONDS = 30;
  private static final double PRIOR_SECONDS = 60;

  private double should;
  private double took;

  /** What a migration should take, in seconds, without what is around it. */
  static double seconds(Cell cell) {
    Setting setting = cell.setting();
    double megabytes = GUEST_MB + setting.ballastMb() + (cell.full() ? 60 + setting.diskMb() : 0);
    double rate =
        setting.bytesPerSecond() == 0 ? UNSHAPED_BYTES_PER_SECOND : setting.bytesPerSecond();
    double factor = cell.workload() == Workload.IDLE ? 1 : BUSY;
    if (isEnded(cell)) {
      factor *= 1.2 / Target.CUBIC_ON_LOSS; // it is not waited for much longer
    } else if (cell.mode() == Mode.XIA_LIBRARY) {
      factor *= LIBRARY;
    } else if (cell.mode() == Mode.XIA_AUTO && setting.content().equals(Setting.REALISTIC)) {
      factor *= setting.isWan() ? PACKED : 1;
    }
    return factor * megabytes * BYTES_PER_MB / rate
        + (cell.mode() == Mode.XIA_EXEC ? START_SECONDS : 0);
  }

  /** Whether it shows its target before the guest has moved. */
  private static boolean isEnded(Cell cell) {
    return cell.setting().loss() > 0 && cell.mode() == Mode.TCP_CUBIC;
  }

  /** With what is around it. */
  private static double whole(Cell cell) {
    boolean lost = cell.setting().isWan() && !cell.mode().isXia() && !isEnded(cell);
    return EACH_SECONDS + seconds(cell) + (lost ? UNREACHABLE_SECONDS : 0);
  }

  /** Of all repetitions of a cell. */
  static double all(Cell cell) {
    return cell.repetitions() * whole(cell);
  }

  /** Of a plan from beginning to end. */
  static double all(Plan plan) {
    return plan.cells().stream().mapToDouble(Remaining::all).sum()
        + OPEN_SECONDS * plan.stages().size()
        + FIRST_SECONDS * plan.stages().stream().filter(s -> s.get(0).isFast()).count()
        + EXTRA_SECONDS * plan.extras().size();
  }

  /** A cell was measured, or not, in this time. */
  void took(Cell cell, double seconds) {
    should += whole(cell);
    took += seconds;
  }

  /** Seconds for cells still to come, settings to open for them, and other measurements. */
  double left(List<Cell> cells, int settings, int extras) {
    double plain = cells.stream().mapToDouble(Remaining::whole).sum();
    double factor = (PRIOR_SECONDS + took) / (PRIOR_SECONDS + should);
    return factor * plain + OPEN_SECONDS * settings + EXTRA_SECONDS * extras;
  }
}
