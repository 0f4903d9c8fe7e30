package io.xmig.testbed.evaluate;

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
 * @param content what with: {@code random} or {@code realistic}
 * @param diskMb of data on its 4 GB disk, -1 for a guest whose root is in memory
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
    int diskMb) {
  boolean hasDisk() {
    return diskMb >= 0;
  }

  boolean isWan() {
    return scenario.equals("inter-ad");
  }
}
