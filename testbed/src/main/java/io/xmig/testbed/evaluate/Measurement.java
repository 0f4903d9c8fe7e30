package io.xmig.testbed.evaluate;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One migration, measured. Times in milliseconds.
 *
 * @param setting id of the setting
 * @param mode how
 * @param workload what the guest did
 * @param full whether the disk moved too
 * @param from host it left
 * @param to host it went to
 * @param totalMs from the command to migrate until the guest ran at the destination
 * @param downtimeMs as QEMU reports it
 * @param stopToResumeMs from the source's STOP to the destination's RESUME
 * @param outageMs longest silence of the prober around the hand-off, {@code null} if the guest was
 *     not reachable afterwards
 * @param prober {@code Xping} or {@code fping}
 * @param reachable whether the guest answered at its old address afterwards
 * @param streamBytes RAM as QEMU counts it
 * @param wireBytes into the destination host meanwhile
 * @param cpuSeconds by process, {@code NODE/PROGRAM}
 * @param peakMb most resident memory, by process
 * @param unfinished whether it was ended because its slowness had been shown: the total time is a
 *     lower bound then, and nothing is known that comes with the hand-off
 * @param failure why it did not work, else {@code null}
 */
record Measurement(
    String setting,
    String mode,
    String workload,
    boolean full,
    String from,
    String to,
    double totalMs,
    double downtimeMs,
    double stopToResumeMs,
    @Nullable Double outageMs,
    String prober,
    boolean reachable,
    long streamBytes,
    long wireBytes,
    Map<String, Double> cpuSeconds,
    Map<String, Double> peakMb,
    boolean unfinished,
    @Nullable String failure) {
  /** Begins the failure of a mode that this machine does not have. */
  static final String NOT_PRESENT = "not present: ";

  static Measurement failed(Cell cell, String from, String to, String why) {
    return withoutHandOff(cell, from, to, 0, 0, 0, why);
  }

  /** It was ended, under way, because that was enough. */
  static Measurement unfinished(
      Cell cell, String from, String to, double tookMs, long streamBytes, long wireBytes) {
    return withoutHandOff(cell, from, to, tookMs, streamBytes, wireBytes, null);
  }

  private static Measurement withoutHandOff(
      Cell cell,
      String from,
      String to,
      double tookMs,
      long streamBytes,
      long wireBytes,
      @Nullable String failure) {
    return new Measurement(
        cell.setting().id(),
        cell.mode().title(),
        cell.workload().title(),
        cell.full(),
        from,
        to,
        tookMs,
        0,
        0,
        null,
        "",
        false,
        streamBytes,
        wireBytes,
        Map.of(),
        Map.of(),
        failure == null,
        failure);
  }

  /** Whether it has something to say; the total time at least. */
  boolean ok() {
    return failure == null;
  }

  /** Whether the guest has moved. */
  boolean moved() {
    return ok() && !unfinished;
  }

  /** Whether it failed, for another reason than that the machine lacks what it needs. */
  boolean hasFailed() {
    return failure != null && !failure.startsWith(NOT_PRESENT);
  }

  /**
   * CPU seconds of all processes of xmig, the pipes and the nodes; but not QEMU's, and not what
   * measures: the emulated link and the host with the observers.
   */
  double xmigCpuSeconds() {
    return cpuSeconds.entrySet().stream()
        .filter(e -> e.getKey().contains("/xmig "))
        .filter(e -> !e.getKey().endsWith("/xmig link"))
        .filter(e -> !e.getKey().startsWith(Stage.CLIENT + "/"))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }
}
