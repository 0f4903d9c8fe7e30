package io.xmig.chunk.testkit;

import io.xmig.chunk.cut.ByteInput;
import io.xmig.xia.socket.EventLoop;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/** An input on virtual time that gives bytes in bursts with pauses between. */
public final class FakeInput implements ByteInput {
  private final EventLoop loop;
  private final SplittableRandom random;
  private final byte[] bytes;
  private final int burst;
  private final long pauseNs;
  private int position;
  private boolean cutOff;
  private boolean closed;

  /**
   * @param burst most bytes at once
   * @param pauseNs longest pause before each; with pauses the bursts vary, too
   */
  public FakeInput(EventLoop loop, SplittableRandom random, byte[] bytes, int burst, long pauseNs) {
    this.loop = loop;
    this.random = random;
    this.bytes = bytes;
    this.burst = burst;
    this.pauseNs = pauseNs;
  }

  /** From now on the input is at its end, wherever it is. */
  public void cutOff() {
    cutOff = true;
  }

  /** Whether {@link #cutOff} was called. */
  public boolean isCutOff() {
    return cutOff;
  }

  /** Bytes given away. */
  public int position() {
    return position;
  }

  @Override
  public void read(ByteBuffer target, ReadHandler handler) {
    if (!target.hasRemaining()) {
      throw new AssertionError("a read without room");
    }
    long pause = pauseNs == 0 ? 0 : random.nextLong(pauseNs);
    loop.schedule(
        pause,
        () -> {
          if (closed) {
            return;
          }
          if (cutOff || position == bytes.length) {
            handler.onRead(-1);
            return;
          }
          int most = Math.min(Math.min(burst, target.remaining()), bytes.length - position);
          int count = pauseNs == 0 ? most : 1 + random.nextInt(most);
          target.put(bytes, position, count);
          position += count;
          handler.onRead(count);
        });
  }

  @Override
  public void close() {
    closed = true;
  }
}
