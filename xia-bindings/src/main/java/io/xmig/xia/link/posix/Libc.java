package io.xmig.xia.link.posix;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;

/**
 * The C library's functions, mapped directly. Pointers are plain addresses: callers in this package
 * pass addresses of {@link NativeBuffer}s and lengths they have checked against them. All return −1
 * on failure, with the reason in {@link #errno}.
 */
final class Libc {
  static {
    if (!Platform.isLinux() || !Platform.is64Bit()) {
      throw new UnsupportedOperationException(
          "the links of xmig need 64-bit Linux, this is "
              + System.getProperty("os.name")
              + " "
              + System.getProperty("os.arch"));
    }
    Native.register(Libc.class, NativeLibrary.getProcess());
  }

  private Libc() {}

  /** The reason of the calling thread's last failure. */
  static int errno() {
    return Native.getLastError();
  }

  static native int socket(int domain, int type, int protocol);

  static native int bind(int fd, long address, int length);

  static native int connect(int fd, long address, int length);

  static native int listen(int fd, int backlog);

  static native int accept4(int fd, long address, long length, int flags);

  static native int getsockname(int fd, long address, long length);

  static native int setsockopt(int fd, int level, int name, long value, int length);

  static native int getsockopt(int fd, int level, int name, long value, long length);

  static native int sendmmsg(int fd, long messages, int count, int flags);

  static native int recvmmsg(int fd, long messages, int count, int flags, long timeout);

  static native long send(int fd, long data, long length, int flags);

  static native long recv(int fd, long data, long length, int flags);

  static native long sendmsg(int fd, long message, int flags);

  static native long recvmsg(int fd, long message, int flags);

  static native long read(int fd, long data, long length);

  static native long write(int fd, long data, long length);

  static native int open(String path, int flags);

  static native int close(int fd);

  static native int ioctl(int fd, long request, long argument);

  static native int unlink(String path);

  static native int epoll_create1(int flags);

  static native int epoll_ctl(int epoll, int operation, int fd, long event);

  static native int epoll_wait(int epoll, long events, int count, int timeoutMs);

  static native int eventfd(int initial, int flags);

  static native int timerfd_create(int clock, int flags);

  static native int timerfd_settime(int fd, int flags, long value, long old);

  static native int prctl(int option, long a, long b, long c, long d);

  static native int setpriority(int which, int who, int priority);

  static native int getuid();
}
