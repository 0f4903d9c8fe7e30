package io.xmig.testbed.evaluate;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What the kernel offers TCP to control congestion with. */
final class CongestionControls {
  private static final Path DIRECTORY = Path.of("/proc/sys/net/ipv4");

  private CongestionControls() {}

  /** Their names, the default one first. */
  static List<String> ofTheKernel() {
    Set<String> names = new LinkedHashSet<>();
    names.add(read("tcp_congestion_control"));
    names.addAll(List.of(read("tcp_available_congestion_control").split("\\s+", -1)));
    return List.copyOf(names);
  }

  /** Why a mode's congestion control cannot be had, empty if it can. */
  static String missing(Mode mode) {
    String wanted = mode.congestionControl();
    List<String> known = ofTheKernel();
    return wanted == null || known.contains(wanted)
        ? ""
        : "this kernel has no TCP " + wanted + ", only " + known + " (modprobe tcp_" + wanted + ")";
  }

  private static String read(String name) {
    try {
      return Files.readString(DIRECTORY.resolve(name), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + DIRECTORY.resolve(name), e);
    }
  }
}
