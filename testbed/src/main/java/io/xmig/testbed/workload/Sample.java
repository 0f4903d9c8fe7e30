package io.xmig.testbed.workload;

/**
 * One probe of the VM.
 *
 * @param sentUs when it was sent, microseconds since the epoch
 * @param rttUs microseconds until its answer, {@link #LOST} if none came
 */
public record Sample(long sentUs, long rttUs) {
  /** Round-trip time of a probe that was not answered. */
  public static final long LOST = -1;

  /** Whether an answer came. */
  public boolean answered() {
    return rttUs != LOST;
  }

  /** When the answer came, microseconds since the epoch. */
  public long answeredUs() {
    return sentUs + rttUs;
  }
}
