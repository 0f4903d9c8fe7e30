package io.xmig.xia.testkit;

import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * An application on one end of a stream: writes bytes that a seed determines, then finishes; checks
 * that what it reads are the bytes of another seed.
 */
public final class ByteFlow implements StreamHandler {
  private final long writeSeed;
  private final long toWrite;
  private final long readSeed;
  private final ByteBuffer out = ByteBuffer.allocate(16 << 10);
  private final ByteBuffer in = ByteBuffer.allocate(16 << 10);
  private long written;
  private long read;
  private boolean wrong;
  private boolean finished;
  private boolean sawEnd;
  private boolean closed;
  private @Nullable XiaSocketException cause;

  /** An end that writes {@code toWrite} bytes of one seed and expects those of another. */
  public ByteFlow(long writeSeed, long toWrite, long readSeed) {
    this.writeSeed = writeSeed;
    this.toWrite = toWrite;
    this.readSeed = readSeed;
    out.limit(0);
  }

  /** The byte of a seed's stream at a position. */
  public static byte byteAt(long seed, long position) {
    long h = (seed * 0x9E3779B97F4A7C15L + (position >>> 3)) * 0xBF58476D1CE4E5B9L;
    h ^= h >>> 31;
    return (byte) (h >>> 8 * (position & 7));
  }

  /** Begins to write; further writes happen on events. */
  public ByteFlow start(StreamConnection connection) {
    onWritable(connection);
    return this;
  }

  @Override
  public void onWritable(StreamConnection connection) {
    while (!finished) {
      if (!out.hasRemaining()) {
        out.clear();
        while (out.hasRemaining() && written < toWrite) {
          out.put(byteAt(writeSeed, written++));
        }
        out.flip();
      }
      if (!out.hasRemaining()) {
        finished = true;
        connection.shutdownOutput();
        return;
      }
      connection.write(out);
      if (out.hasRemaining()) {
        return;
      }
    }
  }

  @Override
  public void onReadable(StreamConnection connection) {
    while (true) {
      in.clear();
      int n = connection.read(in);
      if (n <= 0) {
        sawEnd |= n < 0;
        return;
      }
      for (int i = 0; i < n; i++) {
        wrong |= in.get(i) != byteAt(readSeed, read++);
      }
    }
  }

  @Override
  public void onClosed(StreamConnection connection, @Nullable XiaSocketException why) {
    closed = true;
    cause = why;
  }

  /** Bytes read so far. */
  public long bytesRead() {
    return read;
  }

  /** Whether every byte read was the expected one. */
  public boolean isIntact() {
    return !wrong;
  }

  /** Whether the peer's end was read. */
  public boolean sawEnd() {
    return sawEnd;
  }

  /** Whether the connection is over. */
  public boolean isClosed() {
    return closed;
  }

  /** Why it is over, {@code null} for an orderly close. */
  public @Nullable XiaSocketException cause() {
    return cause;
  }
}
