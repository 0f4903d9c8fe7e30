package io.xmig.xia.link.posix;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;

/** Functions that older C libraries lack; asked for separately so that the rest works without. */
final class LibcRecent {
  /** Whether {@code epoll_pwait2} is there (glibc 2.35, Linux 5.11). */
  static final boolean EPOLL_PWAIT2;

  static {
    boolean found = true;
    try {
      Native.register(LibcRecent.class, NativeLibrary.getProcess());
    } catch (UnsatisfiedLinkError e) {
      found = false;
    }
    EPOLL_PWAIT2 = found;
  }

  private LibcRecent() {}

  static native int epoll_pwait2(int epoll, long events, int count, long timeout, long mask);
}
