package io.xmig.testbed.evaluate;

import org.jspecify.annotations.Nullable;

/** How QEMU's migration stream gets from one host to the other. */
enum Mode {
  TCP("tcp:"),
  TCP_CUBIC("tcp: with CUBIC"),
  TCP_BBR("tcp: with BBR"),
  MULTIFD("tcp: multifd 2"),
  SOCAT("exec: socat"),
  SOCAT_ZSTD("exec: zstd -1, socat"),
  XIA("XIA chunk"),
  XIA_AUTO("XIA chunk, --compress auto"),
  XIA_EXEC("XIA chunk, new processes (exec:)"),
  XIA_LIBRARY("XIA chunk, libXsocket");

  private final String title;

  Mode(String title) {
    this.title = title;
  }

  String title() {
    return title;
  }

  boolean isXia() {
    return name().startsWith("XIA");
  }

  /** Whether each migration starts processes of its own, which end with it. */
  boolean startsProcesses() {
    return this == SOCAT || this == SOCAT_ZSTD || this == XIA_EXEC || this == XIA_LIBRARY;
  }

  /** The kernel's congestion control to be used, {@code null} for its default. */
  @Nullable String congestionControl() {
    return this == TCP_CUBIC ? "cubic" : this == TCP_BBR ? "bbr" : null;
  }
}
