package io.xmig.xia.node;

import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Packets that a node sends to itself. They are delivered in a task of their own, so that a
 * transport that sends is never called back from within its call. Buffers are reused.
 *
 * @threading on the node's loop
 */
final class LocalQueue {
  /** Bytes that may be under way; local choice: more than any transport's window. */
  static final int CAPACITY_BYTES = 16 << 20;

  private static final int KEPT_BUFFERS = 64;
  private static final int SMALL = 2048;

  private final Executor loop;
  private final Consumer<XipFlyweight> receiver;
  private final XipFlyweight packet = new XipFlyweight();
  private final ArrayDeque<ByteBuffer> queue = new ArrayDeque<>();
  private final ArrayDeque<ByteBuffer> small = new ArrayDeque<>();
  private final ArrayDeque<ByteBuffer> large = new ArrayDeque<>();
  private final Runnable drain = this::drain;
  private int queuedBytes;
  private boolean scheduled;

  /**
   * @param receiver takes the packets one by one
   */
  LocalQueue(Executor loop, Consumer<XipFlyweight> receiver) {
    this.loop = loop;
    this.receiver = receiver;
  }

  /** Keeps a copy of the packet; false if too much is under way. */
  boolean add(XipFlyweight packet) {
    int length = packet.end() - packet.offset();
    if (queuedBytes + length > CAPACITY_BYTES) {
      return false;
    }
    ByteBuffer copy = take(length);
    copy.clear();
    copy.put(0, packet.buffer(), packet.offset(), length).limit(length);
    queue.add(copy);
    queuedBytes += length;
    if (!scheduled) {
      scheduled = true;
      loop.execute(drain);
    }
    return true;
  }

  private ByteBuffer take(int length) {
    boolean fits = length <= SMALL;
    ByteBuffer kept = (fits ? small : large).poll();
    return kept != null ? kept : ByteBuffer.allocateDirect(fits ? SMALL : XiaNode.MAX_PACKET);
  }

  private void drain() {
    scheduled = false;
    // What is added meanwhile waits for the next task: other work gets its turn.
    for (int left = queue.size(); left > 0; left--) {
      ByteBuffer bytes = queue.remove();
      queuedBytes -= bytes.limit();
      try {
        if (packet.tryWrap(bytes, 0, bytes.limit())) {
          receiver.accept(packet);
        }
      } finally {
        ArrayDeque<ByteBuffer> pool = bytes.capacity() == SMALL ? small : large;
        if (pool.size() < KEPT_BUFFERS) {
          pool.add(bytes);
        }
      }
    }
    if (!queue.isEmpty() && !scheduled) {
      scheduled = true;
      loop.execute(drain);
    }
  }
}
