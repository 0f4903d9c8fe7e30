package io.xmig.xia.testkit;

import java.time.Duration;

/**
 * What a simulated link does to frames, in each direction.
 *
 * @param delay time every frame takes
 * @param jitter largest extra time, uniformly distributed; it does not reorder
 * @param bitsPerSecond rate, 0 for unlimited
 * @param queueBytes bytes that may wait for the rate, more is lost; meaningless without a rate
 * @param loss probability that a frame is lost
 * @param reorder probability that a frame is held back by up to {@code reorderBy}, so that later
 *     ones overtake it
 * @param reorderBy longest time a frame is held back
 * @param duplicate probability that a frame arrives twice
 * @param corrupt probability that one to three bits of a frame are flipped
 * @param mtu largest XIP packet that passes; longer frames are lost
 */
public record LinkProfile(
    Duration delay,
    Duration jitter,
    long bitsPerSecond,
    int queueBytes,
    double loss,
    double reorder,
    Duration reorderBy,
    double duplicate,
    double corrupt,
    int mtu) {
  private static final int DEFAULT_QUEUE_BYTES = 200 * 1514;

  /** A link that only delays. */
  public static LinkProfile delay(Duration delay) {
    return new LinkProfile(
        delay, Duration.ZERO, 0, DEFAULT_QUEUE_BYTES, 0, 0, Duration.ZERO, 0, 0, 65_535);
  }

  /** A link that only delays, by milliseconds. */
  public static LinkProfile delayMs(long delayMs) {
    return delay(Duration.ofMillis(delayMs));
  }

  /** The same with jitter. */
  public LinkProfile withJitter(Duration most) {
    return new LinkProfile(
        delay, most, bitsPerSecond, queueBytes, loss, reorder, reorderBy, duplicate, corrupt, mtu);
  }

  /** The same with a rate and the bytes that may wait for it. */
  public LinkProfile withRate(long bits, int queue) {
    return new LinkProfile(
        delay, jitter, bits, queue, loss, reorder, reorderBy, duplicate, corrupt, mtu);
  }

  /** The same with loss. */
  public LinkProfile withLoss(double probability) {
    return new LinkProfile(
        delay,
        jitter,
        bitsPerSecond,
        queueBytes,
        probability,
        reorder,
        reorderBy,
        duplicate,
        corrupt,
        mtu);
  }

  /** The same with reordering. */
  public LinkProfile withReorder(double probability, Duration by) {
    return new LinkProfile(
        delay, jitter, bitsPerSecond, queueBytes, loss, probability, by, duplicate, corrupt, mtu);
  }

  /** The same with duplication. */
  public LinkProfile withDuplicate(double probability) {
    return new LinkProfile(
        delay,
        jitter,
        bitsPerSecond,
        queueBytes,
        loss,
        reorder,
        reorderBy,
        probability,
        corrupt,
        mtu);
  }

  /** The same with bit errors. */
  public LinkProfile withCorrupt(double probability) {
    return new LinkProfile(
        delay,
        jitter,
        bitsPerSecond,
        queueBytes,
        loss,
        reorder,
        reorderBy,
        duplicate,
        probability,
        mtu);
  }

  /** The same with another MTU. */
  public LinkProfile withMtu(int bytes) {
    return new LinkProfile(
        delay,
        jitter,
        bitsPerSecond,
        queueBytes,
        loss,
        reorder,
        reorderBy,
        duplicate,
        corrupt,
        bytes);
  }
}
