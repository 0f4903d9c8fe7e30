package io.xmig.testbed.evaluate;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which cells are measured, and what besides migrations. Repetitions are interleaved: every cell of
 * a setting once, then all of them again, so that what the machine does meanwhile meets all alike.
 */
record Plan(String name, List<Setting> settings, List<Cell> cells, List<Extra> extras) {
  static final String FULL = "full";
  private static final String QUICK = "quick";

  /** With the build of a fresh clone before it, it is to be done within 15 minutes. */
  private static final Duration QUICK_LIMIT = Duration.ofSeconds(850);

  /** What is measured without a VM. */
  enum Extra {
    /** Two streams at once on one link. */
    SHARING(Aside.JAIN, Aside.SHARED),
    /** Lines of {@code xmig bench}. */
    BENCH(
        Aside.CHUNK + 65_535,
        Aside.CHUNK + 9_000,
        Aside.CHUNK + 1_500,
        Aside.FORWARD,
        Aside.ALLOCATED);

    private final List<String> ids;

    Extra(String... ids) {
      this.ids = List.of(ids);
    }

    String id() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Of what it finds. */
    List<String> ids() {
      return ids;
    }

    /** Whether an earlier run has found all of it. */
    boolean isIn(Findings findings) {
      return ids.stream()
          .map(findings::aside)
          .allMatch(aside -> aside != null && aside.value() != null);
    }
  }

  Plan {
    settings = List.copyOf(settings);
    cells = List.copyOf(cells);
    extras = List.copyOf(extras);
  }

  /** Five times what a target compares; the rest twice, in the slow WAN once. */
  static Plan full() {
    return table(new Builder(FULL, false));
  }

  /** The same table with fewer repetitions, and less to carry where no target is about it. */
  static Plan quick() {
    return table(new Builder(QUICK, true));
  }

  private static Plan table(Builder b) {
    Workload[] busy = EnumSet.complementOf(EnumSet.of(Workload.IDLE)).toArray(Workload[]::new);
    Workload[] thePapers = {Workload.CALCULATION, Workload.DBENCH, Workload.PERF};
    b.network(Networks.LAN)
        .idle(5, 3, Mode.XIA, Mode.TCP)
        .idle(2, 1, Mode.MULTIFD, Mode.SOCAT, Mode.SOCAT_ZSTD, Mode.XIA_EXEC, Mode.XIA_LIBRARY)
        .idle(2, 0, Mode.TCP_CUBIC, Mode.TCP_BBR, Mode.XIA_AUTO)
        .doing(busy, 2, 1, Mode.TCP, Mode.XIA)
        .doing(thePapers, 2, 1, Mode.SOCAT)
        .doing(new Workload[] {Workload.DIRTY}, 2, 0, Mode.SOCAT)
        .withDisk(2, 0, Mode.TCP, Mode.SOCAT, Mode.XIA);
    b.network(Networks.LAN_REAL).idle(5, 2, Mode.TCP, Mode.XIA_AUTO).idle(2, 0, Mode.XIA);
    b.network(Networks.LAN_SMALL_FRAMES).idle(5, 2, Mode.TCP, Mode.XIA);
    b.network(Networks.BARE)
        .idle(2, 1, Mode.TCP)
        .idle(5, 2, Mode.SOCAT, Mode.XIA)
        .withDisk(5, 1, Mode.SOCAT, Mode.XIA);
    // TCP first: from home, where its guest becomes unreachable
    b.network(Networks.WAN)
        .idle(5, 1, Mode.TCP, Mode.XIA)
        .idle(1, 0, Mode.MULTIFD, Mode.SOCAT, Mode.SOCAT_ZSTD);
    // tcp: sends the same whatever the pages hold, so that the one above stands for this too
    b.network(Networks.WAN_REAL).idle(5, 1, Mode.XIA_AUTO).idle(1, 0, Mode.XIA);
    b.network(Networks.WAN_LESS).doing(busy, 1, 0, Mode.TCP).doing(busy, 1, 1, Mode.XIA);
    // XIA first: it tells how long CUBIC need be waited for
    b.network(Networks.LOSSY).idle(5, 1, Mode.XIA, Mode.TCP_BBR, Mode.TCP_CUBIC);
    return b.build(List.of(Extra.values()));
  }

  /** Two modes, once each, over bare links: whether everything works. */
  static Plan tiny() {
    Builder b = new Builder("tiny", true);
    b.network(Networks.TINY).idle(1, 1, Mode.TCP, Mode.XIA);
    return b.build(List.of());
  }

  /**
   * Whether a path is, or begins with, what a pattern names. One that names a workload means it
   * without the disk.
   *
   * @param pattern as of {@code --only}, in any case
   */
  static boolean matches(String pattern, String path) {
    String[] wanted = pattern.toUpperCase(Locale.ROOT).split("/", -1);
    String[] parts = path.toUpperCase(Locale.ROOT).split("/", -1);
    if (wanted.length > parts.length || (wanted.length == 3 && parts.length > 3)) {
      return false;
    }
    for (int i = 0; i < wanted.length; i++) {
      if (!wanted[i].equals("*") && !wanted[i].equals(parts[i])) {
        return false;
      }
    }
    return true;
  }

  /** Only what the filter takes: {@link Cell#path} of cells, {@link Extra#id} of the others. */
  Plan only(Predicate<String> wanted) {
    List<Cell> chosen = cells.stream().filter(c -> wanted.test(c.path())).toList();
    return new Plan(
        name,
        settings.stream()
            .filter(s -> chosen.stream().anyMatch(c -> c.setting().equals(s)))
            .toList(),
        chosen,
        extras.stream().filter(e -> wanted.test(e.id())).toList());
  }

  /** The same cells, each this often. */
  Plan repeated(int times) {
    return new Plan(
        name,
        settings,
        cells.stream()
            .map(c -> new Cell(c.setting(), c.mode(), c.workload(), c.full(), times))
            .toList(),
        extras);
  }

  /** Beyond this only what has not been measured at all is, {@code null} without a limit. */
  @Nullable Duration limit() {
    return name.equals(QUICK) ? QUICK_LIMIT : null;
  }

  /** Settings in order, those together that share a guest. */
  List<List<Setting>> stages() {
    List<List<Setting>> stages = new ArrayList<>();
    for (Setting setting : settings) {
      if (stages.isEmpty() || !stages.get(stages.size() - 1).get(0).differsOnlyInBallast(setting)) {
        stages.add(new ArrayList<>());
      }
      stages.get(stages.size() - 1).add(setting);
    }
    return stages;
  }

  /** What is left to do of a setting, in order. */
  List<Cell> interleaved(Setting setting, List<Measurement> measured) {
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
          if (cell.workload() == workload
              && round < cell.repetitions()
              && round >= Row.of(measured, cell).stream().filter(Measurement::ok).count()) {
            order.add(cell);
          }
        }
      }
    }
    return order;
  }

  /** Lines of the table; a cell that is repeated 0 times is left out. */
  private static final class Builder {
    private final String name;
    private final boolean quick;
    private final List<Setting> settings = new ArrayList<>();
    private final List<Cell> cells = new ArrayList<>();
    private Setting current = Networks.LAN.setting(true);

    Builder(String name, boolean quick) {
      this.name = name;
      this.quick = quick;
    }

    Builder network(Networks network) {
      current = network.setting(quick);
      return this;
    }

    Builder idle(int often, int quickly, Mode... modes) {
      return doing(new Workload[] {Workload.IDLE}, often, quickly, modes);
    }

    Builder doing(Workload[] workloads, int often, int quickly, Mode... modes) {
      for (Workload workload : workloads) {
        for (Mode mode : modes) {
          add(new Cell(current, mode, workload, false, quick ? quickly : often));
        }
      }
      return this;
    }

    Builder withDisk(int often, int quickly, Mode... modes) {
      for (Mode mode : modes) {
        add(new Cell(current, mode, Workload.IDLE, true, quick ? quickly : often));
      }
      return this;
    }

    private void add(Cell cell) {
      if (cell.repetitions() > 0) {
        cells.add(cell);
        if (!settings.contains(cell.setting())) {
          settings.add(cell.setting());
        }
      }
    }

    Plan build(List<Extra> extras) {
      return new Plan(name, settings, cells, extras);
    }
  }
}
