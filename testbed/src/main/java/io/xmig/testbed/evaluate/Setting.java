package io.xmig.testbed.evaluate;

import io.xmig.testbed.links.PathShape;
import org.jspecify.annotations.Nullable;

/**
 * A network with a guest in it; every cell of a setting crosses the very same links and moves the
 * same guest.
 *
 * @param id short, for files and options
 * @param title for people
 * @param scenario {@code intra-ad} or {@code inter-ad}
 * @param shape of the link between the hosts, {@code null} for bare veth pairs
 * @param mtu of all links
 * @param memoryMb of the guest
 * @param ballastMb of its memory that is filled
 * @param content what with: {@value #RANDOM} or {@value #REALISTIC}
 * @param diskMb of data on its 4 GB disk, -1 for a guest whose root is in memory
 * @param zeroed whether its kernel zeroes memory that is freed, so that little is left to send
 */
record Setting(
    String id,
    String title,
    String scenario,
    @Nullable String shape,
    int mtu,
    int memoryMb,
    int ballastMb,
    String content,
    int diskMb,
    boolean zeroed) {
  static final String RANDOM = "random";
  static final String REALISTIC = "realistic";

  /** What a host service asks QEMU for unless it is told otherwise. */
  private static final int DOWNTIME_LIMIT_MS = 50;

  /** QEMU's own default. */
  private static final int WAN_DOWNTIME_LIMIT_MS = 300;

  private static final long FAST_BYTES_PER_SECOND = 100_000_000;
  private static final int MEMORY_MB = 640;
  private static final int BALLAST_MB = 280;

  /** The usual guest: 280 MB of its memory random, without a disk. */
  static Setting of(String id, String title, String scenario, @Nullable String shape, int mtu) {
    return new Setting(id, title, scenario, shape, mtu, MEMORY_MB, BALLAST_MB, RANDOM, -1, false);
  }

  Setting withMemory(int ballast, String of) {
    return new Setting(id, title, scenario, shape, mtu, memoryMb, ballast, of, diskMb, zeroed);
  }

  Setting withDisk(int mb) {
    return new Setting(id, title, scenario, shape, mtu, memoryMb, ballastMb, content, mb, zeroed);
  }

  Setting zeroedWhenFreed() {
    return new Setting(id, title, scenario, shape, mtu, memoryMb, ballastMb, content, diskMb, true);
  }

  /**
   * What QEMU is given in every mode. In 50 ms 100 Mbit/s carry 150 pages, fewer than any guest
   * with a Java program dirties meanwhile: QEMU would throttle it to a standstill first.
   */
  int downtimeLimitMs() {
    return isWan() ? WAN_DOWNTIME_LIMIT_MS : DOWNTIME_LIMIT_MS;
  }

  /** Whether the same network and guest will do, once the ballast is made anew. */
  boolean differsOnlyInBallast(Setting other) {
    return new Setting(
            other.id,
            other.title,
            scenario,
            shape,
            mtu,
            memoryMb,
            other.ballastMb,
            other.content,
            diskMb,
            zeroed)
        .equals(other);
  }

  boolean hasDisk() {
    return diskMb >= 0;
  }

  boolean isWan() {
    return scenario.equals("inter-ad");
  }

  /** Bytes per second of the link between the hosts, 0 if it has no limit. */
  long bytesPerSecond() {
    return shape == null ? 0 : PathShape.parse(shape).eachWay().bytesPerSecond();
  }

  /** Whether the guest is carried in seconds. */
  boolean isFast() {
    return bytesPerSecond() == 0 || bytesPerSecond() >= FAST_BYTES_PER_SECOND;
  }

  double loss() {
    return shape == null ? 0 : PathShape.parse(shape).eachWay().loss();
  }
}
