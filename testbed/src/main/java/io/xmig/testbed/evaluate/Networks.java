package io.xmig.testbed.evaluate;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The settings of the evaluation; with {@code --quick} the disks are smaller. In the WAN guests
 * zero memory that they free, so that every migration there carries the same.
 */
enum Networks {
  LAN(
      lan("lan", "LAN, 1 Gbit/s, 1 ms, MTU 9000", "1gbit,1ms", 9000).withDisk(300),
      lan("lan", "LAN, 1 Gbit/s, 1 ms, MTU 9000", "1gbit,1ms", 9000).withDisk(64)),
  LAN_SMALL_FRAMES(lan("lan1500", "LAN, 1 Gbit/s, 1 ms, MTU 1500", "1gbit,1ms", 1500)),
  LAN_REAL(lanReal().withDisk(300), lanReal().withDisk(64)),
  BARE(
      lan("veth", "unshaped veth, MTU 9000", null, 9000).withDisk(300),
      lan("veth", "unshaped veth, MTU 9000", null, 9000).withDisk(64)),
  WAN(
      wan("wan", "WAN, 100 Mbit/s, 20 ms, MTU 1500", "100mbit,20ms").withDisk(300),
      wan("wan", "WAN, 100 Mbit/s, 20 ms, MTU 1500", "100mbit,20ms").withDisk(0)),
  WAN_REAL(wanReal().withDisk(300), wanReal().withDisk(0)),
  /** For the workloads, which no target is about. */
  WAN_LESS(wanLess().withDisk(300), wanLess().withDisk(0)),
  LOSSY(
      wan("lossy", "WAN, 100 Mbit/s, 50 ms, 0.5 % loss, MTU 1500", "100mbit,50ms,0.5%")
          .withDisk(0)),
  /** Nothing to measure by, only to see that everything works. */
  TINY(lan("tiny", "unshaped veth, MTU 9000", null, 9000).withMemory(0, Setting.RANDOM));

  private final Setting whole;
  private final Setting small;

  Networks(Setting same) {
    this(same, same);
  }

  Networks(Setting whole, Setting small) {
    this.whole = whole;
    this.small = small;
  }

  Setting setting(boolean quick) {
    return quick ? small : whole;
  }

  /** Whether a setting's path leads from one domain into another. */
  static boolean isWan(String id) {
    return Arrays.stream(values()).anyMatch(n -> n.whole.id().equals(id) && n.whole.isWan());
  }

  private static Setting lanReal() {
    return lan(
            "lanreal",
            "LAN, 1 Gbit/s, 1 ms, MTU 9000, memory as of a real guest",
            "1gbit,1ms",
            9000)
        .withMemory(280, Setting.REALISTIC);
  }

  private static Setting wanReal() {
    return wan(
            "wanreal",
            "WAN, 100 Mbit/s, 20 ms, MTU 1500, memory as of a real guest",
            "100mbit,20ms")
        .withMemory(280, Setting.REALISTIC);
  }

  private static Setting wanLess() {
    return wan("wanless", "WAN, 100 Mbit/s, 20 ms, MTU 1500, 32 MB of ballast", "100mbit,20ms")
        .withMemory(32, Setting.RANDOM);
  }

  private static Setting lan(String id, String title, @Nullable String shape, int mtu) {
    return Setting.of(id, title, "intra-ad", shape, mtu);
  }

  private static Setting wan(String id, String title, String shape) {
    return Setting.of(id, title, "inter-ad", shape, 1500).zeroedWhenFreed();
  }
}
