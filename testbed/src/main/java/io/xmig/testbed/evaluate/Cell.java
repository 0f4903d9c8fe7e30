package io.xmig.testbed.evaluate;

/**
 * What is measured together: one way of migrating, one thing the guest does.
 *
 * @param full the disk moves too, in the same stream
 * @param repetitions how often
 */
record Cell(Setting setting, Mode mode, Workload workload, boolean full, int repetitions) {
  /** For the progress line. */
  String title() {
    return mode.title() + ", " + workload.title() + (full ? ", with its disk" : "");
  }

  /** For {@code --only}: network, mode, workload, and "disk" where the disk moves too. */
  String path() {
    return setting.id() + "/" + mode + "/" + workload + (full ? "/disk" : "");
  }

  boolean isLike(Cell other) {
    return setting.equals(other.setting)
        && mode == other.mode
        && workload == other.workload
        && full == other.full;
  }
}
