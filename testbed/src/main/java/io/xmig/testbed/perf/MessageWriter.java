package io.xmig.testbed.perf;

import io.xmig.xia.socket.StreamConnection;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/**
 * Writes messages of one length to a connection, a part at a time, from a buffer of random bytes
 * that is never copied.
 */
final class MessageWriter {
  private static final int PART_BYTES = 64 << 10;
  static final byte MORE = 0;
  static final byte LAST = 1;

  private final int messageBytes;
  private final ByteBuffer parts = ByteBuffer.allocateDirect(PART_BYTES);
  private int left;
  private boolean lastBegun;
  private long bytes;
  private long messages;

  MessageWriter(int messageBytes) {
    this.messageBytes = messageBytes;
    SplittableRandom random = new SplittableRandom(messageBytes);
    while (parts.hasRemaining()) {
      parts.put((byte) random.nextInt());
    }
  }

  /** Begins a message; the one before has been written whole. */
  void begin(boolean last) {
    parts.put(0, last ? LAST : MORE);
    left = messageBytes;
    lastBegun = last;
  }

  /**
   * Writes what is left of the message, as far as the connection takes it.
   *
   * @return whether all of it was taken
   */
  boolean write(StreamConnection connection) {
    if (left == 0) {
      return true;
    }
    while (left > 0) {
      int start = left == messageBytes ? 0 : 1; // only the first byte of a message means something
      parts.limit(Math.min(PART_BYTES, start + left)).position(start);
      int taken = connection.write(parts);
      if (taken == 0) {
        return false;
      }
      left -= taken;
      bytes += taken;
    }
    messages++;
    return true;
  }

  /** Whether the message begun last is marked as the last one. */
  boolean lastBegun() {
    return lastBegun;
  }

  long bytes() {
    return bytes;
  }

  long messages() {
    return messages;
  }
}
