package io.xmig.xia.node.stream;

import java.nio.ByteBuffer;

/** Copying between rings of power-of-two capacity that are addressed by stream offset. */
final class Rings {
  private Rings() {}

  /** Copies the bytes {@code from} to {@code to} (exclusive) of one ring into a larger one. */
  static ByteBuffer moveTo(ByteBuffer larger, ByteBuffer old, long from, long to) {
    int oldMask = old.capacity() - 1;
    int newMask = larger.capacity() - 1;
    long at = from;
    while (at < to) {
      int source = (int) (at & oldMask);
      int target = (int) (at & newMask);
      int n =
          (int) Math.min(to - at, Math.min(old.capacity() - source, larger.capacity() - target));
      larger.put(target, old, source, n);
      at += n;
    }
    return larger;
  }
}
