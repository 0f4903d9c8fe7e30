package io.xmig.chunk.testkit;

import io.xmig.chunk.order.ByteOutput;
import io.xmig.xia.socket.EventLoop;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** An output on virtual time that takes bytes at some rate and remembers them. */
public final class FakeOutput implements ByteOutput {
  private final EventLoop loop;
  private double bytesPerSecond;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private long breakAt = Long.MAX_VALUE;
  private boolean closed;

  public FakeOutput(EventLoop loop, double bytesPerSecond) {
    this.loop = loop;
    this.bytesPerSecond = bytesPerSecond;
  }

  /** What is written from here on is taken at this rate. */
  public void rate(double bytes) {
    bytesPerSecond = bytes;
  }

  /** The reader goes away once it has this many bytes. */
  public void breakAt(long position) {
    breakAt = position;
  }

  /** What was written. */
  public byte[] bytes() {
    return bytes.toByteArray();
  }

  /** How much was written. */
  public int length() {
    return bytes.size();
  }

  /** Whether the output was ended. */
  public boolean isClosed() {
    return closed;
  }

  @Override
  public void write(List<ByteBuffer> buffers, WriteHandler handler) {
    if (closed) {
      throw new AssertionError("written after the end");
    }
    int count = 0;
    for (ByteBuffer buffer : buffers) {
      byte[] part = new byte[buffer.remaining()];
      buffer.get(part);
      bytes.writeBytes(part);
      count += part.length;
    }
    if (bytes.size() >= breakAt) {
      loop.execute(() -> handler.onFailed(new IOException("Broken pipe")));
      return;
    }
    loop.schedule((long) (count * 1e9 / bytesPerSecond), handler::onWritten);
  }

  @Override
  public void close() {
    closed = true;
  }
}
