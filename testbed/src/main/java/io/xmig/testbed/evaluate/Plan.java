package io.xmig.testbed.evaluate;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * Which cells are measured. Repetitions are interleaved: every cell of a setting once, then all of
 * them again, so that what the machine does meanwhile meets all alike.
 */
record Plan(String name, List<Setting> settings, List<Cell> cells) {
  private static final int MEMORY = 640;
  private static final int BALLAST = 280;
  private static final int DISK = 300;

  Plan {
    settings = List.copyOf(settings);
    cells = List.copyOf(cells);
  }

  /** Everything, five times: hours. */
  static Plan full() {
    Builder b = new Builder("full");
    Setting lan =
        b.setting(
            "lan",
            "LAN, 1 Gbit/s, 1 ms, MTU 9000",
            "intra-ad",
            "1gbit,1ms",
            9000,
            BALLAST,
            "random",
            DISK);
    b.modes(lan, Workload.IDLE, 5, Mode.values());
    for (Workload workload : Workload.values()) {
      if (workload != Workload.IDLE) {
        b.modes(lan, workload, 5, Mode.TCP, Mode.SOCAT, Mode.XIA);
      }
    }
    b.fully(lan, 3, Mode.TCP, Mode.SOCAT, Mode.XIA);
    Setting small =
        b.setting(
            "lan1500",
            "LAN, 1 Gbit/s, 1 ms, MTU 1500",
            "intra-ad",
            "1gbit,1ms",
            1500,
            BALLAST,
            "random",
            -1);
    b.modes(small, Workload.IDLE, 5, Mode.TCP, Mode.XIA);
    Setting real =
        b.setting(
            "lanreal",
            "LAN, 1 Gbit/s, 1 ms, MTU 9000, memory as of a real guest",
            "intra-ad",
            "1gbit,1ms",
            9000,
            BALLAST,
            "realistic",
            -1);
    b.modes(real, Workload.IDLE, 5, Mode.TCP, Mode.XIA, Mode.XIA_AUTO);
    Setting bare =
        b.setting(
            "veth", "unshaped veth, MTU 9000", "intra-ad", null, 9000, BALLAST, "random", DISK);
    b.modes(bare, Workload.IDLE, 5, Mode.TCP, Mode.SOCAT, Mode.XIA);
    b.fully(bare, 5, Mode.SOCAT, Mode.XIA);
    Setting wan =
        b.setting(
            "wan",
            "WAN, 100 Mbit/s, 20 ms, MTU 1500",
            "inter-ad",
            "100mbit,20ms",
            1500,
            BALLAST,
            "random",
            DISK);
    b.modes(wan, Workload.IDLE, 5, Mode.TCP, Mode.MULTIFD, Mode.SOCAT, Mode.SOCAT_ZSTD, Mode.XIA);
    for (Workload workload : Workload.values()) {
      if (workload != Workload.IDLE) {
        b.modes(wan, workload, 3, Mode.TCP, Mode.XIA);
      }
    }
    Setting wanReal =
        b.setting(
            "wanreal",
            "WAN, 100 Mbit/s, 20 ms, MTU 1500, memory as of a real guest",
            "inter-ad",
            "100mbit,20ms",
            1500,
            BALLAST,
            "realistic",
            -1);
    b.modes(wanReal, Workload.IDLE, 5, Mode.TCP, Mode.XIA, Mode.XIA_AUTO);
    Setting lossy =
        b.setting(
            "lossy",
            "WAN, 100 Mbit/s, 50 ms, 0.5 % loss, MTU 1500",
            "inter-ad",
            "100mbit,50ms,0.5%",
            1500,
            32,
            "random",
            -1);
    b.modes(lossy, Workload.IDLE, 5, Mode.TCP_CUBIC, Mode.TCP_BBR, Mode.XIA);
    return b.build();
  }

  /** The same table with fewer repetitions and smaller guests in the WAN: under 15 minutes. */
  static Plan quick() {
    Builder b = new Builder("quick");
    Setting lan =
        b.setting(
            "lan",
            "LAN, 1 Gbit/s, 1 ms, MTU 9000",
            "intra-ad",
            "1gbit,1ms",
            9000,
            BALLAST,
            "random",
            64);
    b.modes(lan, Workload.IDLE, 3, Mode.TCP, Mode.MULTIFD, Mode.SOCAT, Mode.SOCAT_ZSTD, Mode.XIA);
    b.modes(lan, Workload.IDLE, 2, Mode.XIA_EXEC);
    b.modes(lan, Workload.IDLE, 1, Mode.XIA_LIBRARY);
    for (Workload workload : Workload.values()) {
      if (workload != Workload.IDLE) {
        b.modes(lan, workload, 1, Mode.TCP, Mode.SOCAT, Mode.XIA);
      }
    }
    Setting small =
        b.setting(
            "lan1500",
            "LAN, 1 Gbit/s, 1 ms, MTU 1500",
            "intra-ad",
            "1gbit,1ms",
            1500,
            BALLAST,
            "random",
            -1);
    b.modes(small, Workload.IDLE, 2, Mode.TCP, Mode.XIA);
    Setting real =
        b.setting(
            "lanreal",
            "LAN, 1 Gbit/s, 1 ms, MTU 9000, memory as of a real guest",
            "intra-ad",
            "1gbit,1ms",
            9000,
            BALLAST,
            "realistic",
            -1);
    b.modes(real, Workload.IDLE, 2, Mode.TCP, Mode.XIA, Mode.XIA_AUTO);
    Setting bare =
        b.setting("veth", "unshaped veth, MTU 9000", "intra-ad", null, 9000, BALLAST, "random", 64);
    b.modes(bare, Workload.IDLE, 3, Mode.TCP, Mode.SOCAT, Mode.XIA);
    b.fully(bare, 1, Mode.SOCAT, Mode.XIA);
    Setting wan =
        b.setting(
            "wan",
            "WAN, 100 Mbit/s, 20 ms, MTU 1500",
            "inter-ad",
            "100mbit,20ms",
            1500,
            16,
            "realistic",
            0);
    b.modes(wan, Workload.IDLE, 2, Mode.TCP, Mode.XIA, Mode.XIA_AUTO);
    for (Workload workload : Workload.values()) {
      if (workload != Workload.IDLE) {
        b.modes(wan, workload, 1, Mode.XIA);
      }
    }
    return b.build();
  }

  /** Two modes, once each, over bare links: whether everything works. */
  static Plan tiny() {
    Builder b = new Builder("tiny");
    Setting lan =
        b.setting("tiny", "unshaped veth, MTU 9000", "intra-ad", null, 9000, 0, "random", -1);
    b.modes(lan, Workload.IDLE, 1, Mode.TCP, Mode.XIA);
    return b.build();
  }

  /** Only settings of these names, all for an empty set. */
  Plan only(Set<String> ids) {
    return ids.isEmpty()
        ? this
        : new Plan(
            name,
            settings.stream().filter(s -> ids.contains(s.id())).toList(),
            cells.stream().filter(c -> ids.contains(c.setting().id())).toList());
  }

  /** Only these modes. */
  Plan onlyModes(Set<Mode> modes) {
    return modes.isEmpty()
        ? this
        : new Plan(name, settings, cells.stream().filter(c -> modes.contains(c.mode())).toList());
  }

  /** Every cell this often. */
  Plan repeated(int times) {
    return new Plan(
        name,
        settings,
        cells.stream()
            .map(c -> new Cell(c.setting(), c.mode(), c.workload(), c.full(), times))
            .toList());
  }

  /** The cells of a setting in the order in which they run. */
  List<Cell> interleaved(Setting setting) {
    List<Cell> mine = cells.stream().filter(c -> c.setting().equals(setting)).toList();
    int rounds = mine.stream().mapToInt(Cell::repetitions).max().orElse(0);
    List<Cell> order = new ArrayList<>();
    for (Workload workload : Workload.values()) {
      for (int round = 0; round < rounds; round++) {
        // back and forth: no mode is measured in one direction only
        List<Cell> cells = new ArrayList<>(mine);
        if (round % 2 == 1) {
          Collections.reverse(cells);
        }
        for (Cell cell : cells) {
          if (cell.workload() == workload && round < cell.repetitions()) {
            order.add(cell);
          }
        }
      }
    }
    return order;
  }

  private static final class Builder {
    private final String name;
    private final List<Setting> settings = new ArrayList<>();
    private final List<Cell> cells = new ArrayList<>();

    Builder(String name) {
      this.name = name;
    }

    Setting setting(
        String id,
        String title,
        String scenario,
        @org.jspecify.annotations.Nullable String shape,
        int mtu,
        int ballast,
        String content,
        int disk) {
      Setting made = new Setting(id, title, scenario, shape, mtu, MEMORY, ballast, content, disk);
      settings.add(made);
      return made;
    }

    void modes(Setting setting, Workload workload, int repetitions, Mode... modes) {
      for (Mode mode : modes) {
        cells.add(new Cell(setting, mode, workload, false, repetitions));
      }
    }

    void fully(Setting setting, int repetitions, Mode... modes) {
      for (Mode mode : modes) {
        cells.add(new Cell(setting, mode, Workload.IDLE, true, repetitions));
      }
    }

    Plan build() {
      return new Plan(name, settings, cells);
    }
  }
}
