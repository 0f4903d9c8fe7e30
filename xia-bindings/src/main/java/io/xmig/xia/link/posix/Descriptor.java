package io.xmig.xia.link.posix;

import java.util.concurrent.atomic.AtomicBoolean;

/** An open file descriptor. Closing twice is harmless; use after close is a bug that is caught. */
public class Descriptor implements AutoCloseable {
  private final int fd;
  private final String name;
  private final AtomicBoolean closed = new AtomicBoolean();

  Descriptor(int fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  /** The number. */
  final int fd() {
    if (closed.get()) {
      throw new IllegalStateException(name + " is closed");
    }
    return fd;
  }

  /** What it is, for messages. */
  public final String name() {
    return name;
  }

  /** Whether {@link #close} was called. */
  public final boolean isClosed() {
    return closed.get();
  }

  /**
   * Reads at most {@code length} bytes into {@code target} at {@code offset}.
   *
   * @return bytes read, 0 at the end of a stream, or −errno
   */
  public final int read(NativeBuffer target, int offset, int length) {
    return result(Libc.read(fd(), target.address(offset, length), length));
  }

  /**
   * Writes {@code length} bytes of {@code source} from {@code offset}.
   *
   * @return bytes written or −errno
   */
  public final int write(NativeBuffer source, int offset, int length) {
    return result(Libc.write(fd(), source.address(offset, length), length));
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      Libc.close(fd);
    }
  }

  /** Turns the C convention into ours: the count, or −errno. */
  static int result(long returned) {
    return returned < 0 ? -Libc.errno() : (int) returned;
  }

  static int check(int returned, String call, String target) {
    if (returned < 0) {
      throw new PosixException(call, target, Libc.errno());
    }
    return returned;
  }

  @Override
  public String toString() {
    return name;
  }
}
