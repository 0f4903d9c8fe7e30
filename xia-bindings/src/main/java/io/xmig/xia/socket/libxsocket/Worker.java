package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.util.Map;

/**
 * What the threads that wait in the library share: waiting for a descriptor, and errors by their
 * number.
 */
final class Worker {
  private static final int POLLIN = 1;
  private static final int CHECK_MS = 100;
  private static final int SHUT_RDWR = 2;
  private static final int EINTR = 4;
  private static final int EBADF = 9;
  private static final int EPIPE = 32;
  private static final int ECONNRESET = 104;
  private static final int EADDRINUSE = 98;
  private static final int EADDRNOTAVAIL = 99;
  private static final int ETIMEDOUT = 110;
  private static final int ECONNREFUSED = 111;

  private Worker() {}

  static {
    Native.register(Worker.class, com.sun.jna.Platform.C_LIBRARY_NAME);
  }

  private static native int poll(Pointer fds, long count, int timeoutMs) throws LastErrorException;

  private static native int shutdown(int fd, int how) throws LastErrorException;

  /** Wakes a thread that waits for this descriptor in the library, whichever library it is. */
  static void interrupt(int fd) {
    try {
      shutdown(fd, SHUT_RDWR);
    } catch (LastErrorException e) {
      return; // not connected, says the kernel, and wakes the reader all the same
    }
  }

  /** A moment between two attempts at something that fails. */
  static void rest() {
    try {
      Thread.sleep(CHECK_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  static Thread start(String name, Runnable body) {
    Thread thread = new Thread(body, "libxsocket-" + name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  /**
   * Whether something can be read; waits a moment, so that the caller can look whether it is still
   * wanted.
   */
  static boolean readable(int fd, com.sun.jna.Memory pollfd) {
    return readable(fd, pollfd, CHECK_MS);
  }

  /** Whether something can be read right now. */
  static boolean readableNow(int fd, com.sun.jna.Memory pollfd) {
    return readable(fd, pollfd, 0);
  }

  private static boolean readable(int fd, com.sun.jna.Memory pollfd, int waitMs) {
    pollfd.setInt(0, fd);
    pollfd.setInt(4, POLLIN);
    try {
      return poll(pollfd, 1, waitMs) > 0;
    } catch (LastErrorException e) {
      if (e.getErrorCode() == EINTR) {
        return false;
      }
      throw e;
    }
  }

  static XiaSocketException failure(String call, LastErrorException e) {
    int errno = e.getErrorCode();
    Kind kind =
        switch (errno) {
          case EADDRINUSE -> Kind.ADDRESS_IN_USE;
          case EADDRNOTAVAIL -> Kind.BAD_ADDRESS;
          case ECONNREFUSED -> Kind.REFUSED;
          case ECONNRESET -> Kind.RESET;
          case EBADF, EPIPE -> Kind.CLOSED;
          case Xsocket.ECLICKCONTROL -> Kind.NODE;
          default -> Kind.NODE;
        };
    String hint =
        errno == ETIMEDOUT
            ? "no answer: does Click run, and is its API port the one in xsockconf.ini?"
            : "error " + errno;
    return new XiaSocketException(
        errno == ETIMEDOUT && call.equals("Xconnect") ? Kind.TIMED_OUT : kind,
        call + " failed",
        Map.of("errno", errno, "hint", hint),
        e);
  }
}
