package io.xmig.xia.link;

/**
 * Sizes of a link.
 *
 * @param mtu largest frame payload, {@value Link#MIN_MTU} to {@value Link#MAX_MTU}
 * @param queueBytes frames waiting to be sent take at most this much memory
 * @param receiveArenaBytes memory into which a batch of frames is received
 */
public record LinkOptions(int mtu, int queueBytes, int receiveArenaBytes) {
  private static final int MIN_QUEUE_BYTES = 2 * (Link.MAX_MTU + 64);

  public LinkOptions {
    if (mtu < Link.MIN_MTU || mtu > Link.MAX_MTU) {
      throw new IllegalArgumentException(
          "an MTU is " + Link.MIN_MTU + " to " + Link.MAX_MTU + ", not " + mtu);
    }
    queueBytes = Math.max(queueBytes, MIN_QUEUE_BYTES);
  }

  /** Usual sizes for an MTU: a queue of 200 frames within 256 KiB to 2 MiB, as Click's queues. */
  public static LinkOptions ofMtu(int mtu) {
    int frames = 200 * (mtu + Link.ETHERNET_HEADER_LENGTH);
    return new LinkOptions(mtu, Math.max(256 << 10, Math.min(2 << 20, frames)), 1 << 20);
  }
}
