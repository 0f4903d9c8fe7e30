package io.xmig.testbed.perf;

import java.nio.ByteBuffer;

/** Counts messages of one length in a stream of bytes and sees which is the last. */
final class MessageReader {
  private final int messageBytes;
  private int seen;
  private boolean last;
  private boolean complete;
  private long bytes;
  private long messages;

  MessageReader(int messageBytes) {
    this.messageBytes = messageBytes;
  }

  /**
   * Takes bytes up to the end of a message.
   *
   * @return whether a message ended; bytes may be left in {@code in} then
   */
  boolean take(ByteBuffer in) {
    if (!in.hasRemaining()) {
      return false;
    }
    if (seen == 0) {
      last = in.get(in.position()) == MessageWriter.LAST;
    }
    int taken = Math.min(in.remaining(), messageBytes - seen);
    in.position(in.position() + taken);
    bytes += taken;
    seen += taken;
    if (seen < messageBytes) {
      return false;
    }
    seen = 0;
    messages++;
    complete |= last;
    return true;
  }

  /** Whether the last message has come whole. */
  boolean isComplete() {
    return complete;
  }

  long bytes() {
    return bytes;
  }

  long messages() {
    return messages;
  }
}
