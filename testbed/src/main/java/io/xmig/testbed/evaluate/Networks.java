package io.xmig.testbed.evaluate;

import java.util.List;

/**
 * The settings of the evaluation, each with the smaller guest that {@code --quick} uses where a
 * migration of the whole one would take too long.
 */
enum Networks {
  LAN(
      lan("lan", "LAN, 1 Gbit/s, 1 ms, MTU 9000", "1gbit,1ms", 9000).withDisk(300),
      lan("lan", "LAN, 1 Gbit/s, 1 ms, MTU 9000", "1gbit,1ms", 9000).withDisk(64)),
  LAN_SMALL_FRAMES(lan("lan1500", "LAN, 1 Gbit/s, 1 ms, MTU 1500", "1gbit,1ms", 1500)),
  LAN_REAL(
      lan("lanreal", "LAN, 1 Gbit/s, 1 ms, MTU 9000, memory as of a real guest", "1gbit,1ms", 9000)
          .withMemory(280, Setting.REALISTIC)),
  BARE(
      lan("veth", "unshaped veth, MTU 9000", null, 9000).withDisk(300),
      lan("veth", "unshaped veth, MTU 9000", null, 9000).withDisk(64)),
  WAN(
      wan("wan", "WAN, 100 Mbit/s, 20 ms, MTU 1500", "100mbit,20ms").withDisk(300),
      wan("wan", "WAN, 100 Mbit/s, 20 ms, MTU 1500", "100mbit,20ms")
          .withDisk(0)
          .withMemory(16, Setting.REALISTIC)),
  WAN_REAL(
      wan("wanreal", "WAN, 100 Mbit/s, 20 ms, MTU 1500, memory as of a real guest", "100mbit,20ms")
          .withMemory(280, Setting.REALISTIC)),
  LOSSY(
      wan("lossy", "WAN, 100 Mbit/s, 50 ms, 0.5 % loss, MTU 1500", "100mbit,50ms,0.5%")
          .withMemory(32, Setting.RANDOM)
          .zeroedWhenFreed(),
      wan("lossy", "WAN, 100 Mbit/s, 50 ms, 0.5 % loss, MTU 1500", "100mbit,50ms,0.5%")
          .withMemory(0, Setting.RANDOM)
          .zeroedWhenFreed()),
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

  /** Ids that can be chosen. */
  static List<String> ids() {
    return java.util.Arrays.stream(values()).map(n -> n.whole.id()).toList();
  }

  private static Setting lan(
      String id, String title, @org.jspecify.annotations.Nullable String shape, int mtu) {
    return Setting.of(id, title, "intra-ad", shape, mtu);
  }

  private static Setting wan(String id, String title, String shape) {
    return Setting.of(id, title, "inter-ad", shape, 1500);
  }
}
