package io.xmig.xia.node.stream;

import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * An application on one end: writes a given number of bytes that a seed determines, checks that
 * what it reads is what the other seed determines, and closes in the manner asked for.
 */
final class Pump implements StreamHandler {
  private final SplittableRandom writing;
  private final SplittableRandom reading;
  private final long toWrite;
  final ByteBuffer chunk = ByteBuffer.allocate(16 << 10);
  private final ByteBuffer target = ByteBuffer.allocate(16 << 10);
  long written;
  long read;
  boolean identical = true;
  boolean sawEnd;
  boolean closed;
  boolean reads = true;
  boolean shutsDown = true;
  int addressChanges;
  @Nullable XiaSocketException cause;
  @Nullable StreamConnection connection;

  Pump(long writeSeed, long toWrite, long readSeed) {
    writing = new SplittableRandom(writeSeed);
    reading = new SplittableRandom(readSeed);
    this.toWrite = toWrite;
    chunk.limit(0);
  }

  Pump start(StreamConnection with) {
    connection = with;
    write();
    return this;
  }

  private void write() {
    StreamConnection to = connection;
    while (written < toWrite || chunk.hasRemaining()) {
      if (!chunk.hasRemaining()) {
        chunk.clear();
        int n = (int) Math.min(chunk.capacity(), toWrite - written);
        for (int i = 0; i < n; i++) {
          chunk.put((byte) writing.nextInt());
        }
        chunk.flip();
        written += n;
      }
      to.write(chunk);
      if (chunk.hasRemaining()) {
        return;
      }
    }
    if (shutsDown) {
      to.shutdownOutput();
    }
  }

  /** Reads what is there now. */
  void drain(int most) {
    StreamConnection from = connection;
    int left = most;
    while (left > 0) {
      target.clear().limit(Math.min(left, target.capacity()));
      int n = from.read(target);
      if (n < 0) {
        sawEnd = true;
        return;
      }
      if (n == 0) {
        return;
      }
      left -= n;
      target.flip();
      while (target.hasRemaining()) {
        identical &= target.get() == (byte) reading.nextInt();
      }
      read += n;
    }
  }

  @Override
  public void onReadable(StreamConnection c) {
    connection = c;
    if (reads) {
      drain(Integer.MAX_VALUE);
    }
  }

  @Override
  public void onWritable(StreamConnection c) {
    connection = c;
    write();
  }

  @Override
  public void onAddressChange(StreamConnection c) {
    addressChanges++;
  }

  @Override
  public void onClosed(StreamConnection c, @Nullable XiaSocketException why) {
    closed = true;
    cause = why;
  }
}
