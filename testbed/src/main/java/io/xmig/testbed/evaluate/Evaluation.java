package io.xmig.testbed.evaluate;

import io.xmig.xia.XiaException;
import io.xmig.xia.socket.libxsocket.LibraryCheck;
import io.xmig.xia.socket.libxsocket.LibraryFinder;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a plan: one setting after the other, the cells of each interleaved. Settings that differ
 * only in what the guest's memory holds share network and guest. A cell that fails is tried once
 * more after the others there; the guest, and if need be the network, is started anew before the
 * next cell.
 */
final class Evaluation {
  private static final int MOST_OPENINGS = 3;
  private static final Duration EXTRA = Duration.ofMinutes(10);

  private static final double MORE_THAN_ENOUGH = 1.05;

  /** Beyond what the migration itself may take: start, probes, a guest that does not answer. */
  private static final Duration AROUND = Duration.ofSeconds(75);

  private final Plan plan;
  private final int dirtyMbPerSecond;
  private final boolean keep;
  private final Consumer<String> say;
  private final Consumer<Findings> save;
  private Findings done;
  private final Remaining remaining = new Remaining();
  private final long beganNs = System.nanoTime();
  private final String libraryMissing = libraryMissing();

  /**
   * @param dirtyMbPerSecond rate of the workload that dirties memory
   * @param before what an earlier run of the plan has measured already
   * @param say is told what happens
   * @param save is given everything measured so far after each migration, so that a killed
   *     evaluation leaves what it has
   */
  Evaluation(
      Plan plan,
      int dirtyMbPerSecond,
      boolean keep,
      Findings before,
      Consumer<String> say,
      Consumer<Findings> save) {
    this.plan = plan;
    this.dirtyMbPerSecond = dirtyMbPerSecond;
    this.keep = keep;
    this.done = before;
    this.say = say;
    this.save = save;
  }

  Findings run() {
    for (List<Setting> together : plan.stages()) {
      List<Cell> order = new ArrayList<>();
      for (Setting setting : together) {
        plan.interleaved(setting, done.migrations()).stream()
            .filter(this::isHere)
            .forEach(order::add);
      }
      if (!order.isEmpty()) {
        measure(order);
      }
    }
    for (Plan.Extra extra : plan.extras()) {
      extra(extra);
    }
    return done;
  }

  private boolean isHere(Cell cell) {
    String missing = missing(cell.mode());
    if (!missing.isEmpty() && Row.of(done.migrations(), cell).isEmpty()) {
      note(Measurement.failed(cell, "", "", Measurement.NOT_PRESENT + missing));
    }
    return missing.isEmpty();
  }

  private void measure(List<Cell> order) {
    List<Cell> again = new ArrayList<>();
    int openings = 0;
    Stage stage = null;
    try {
      for (int i = 0; i < order.size(); i++) {
        if (stage == null) {
          openings++;
          stage = open(order, i, openings >= MOST_OPENINGS);
          if (stage == null) {
            i--;
            if (openings >= MOST_OPENINGS) {
              return;
            }
            continue;
          }
          stage = settled(stage);
          if (stage == null) {
            i--;
            continue;
          }
        }
        Cell cell = order.get(i);
        boolean measuredBefore = again.contains(cell) || isMeasured(cell);
        if (measuredBefore && isLate(cell.setting(), order.subList(i, order.size()))) {
          say.accept("left out, for the time it takes: once more " + cell.path());
          continue;
        }
        long began = System.nanoTime();
        Measurement measured = measure(stage, cell);
        note(measured);
        remaining.took(cell, (System.nanoTime() - began) / 1e9);
        say.accept(left(cell.setting(), order.subList(i + 1, order.size())) + line(cell, measured));
        if (!measured.moved()) {
          stage = mended(stage);
        }
        if (!measured.ok() && !again.contains(cell)) {
          again.add(cell);
          order.add(cell);
        }
      }
      if (stage != null) {
        guestMemory(stage);
      }
    } finally {
      if (stage != null) {
        stage.close();
      }
    }
  }

  /**
   * Where a migration takes seconds, one is not measured: a guest that has just been booted still
   * compiles and tries itself out, which whatever mode came first would have to pay for.
   */
  private @Nullable Stage settled(Stage stage) {
    if (!stage.setting().isFast()) {
      return stage;
    }
    Cell first = new Cell(stage.setting(), Mode.XIA, Workload.IDLE, false, 1);
    Measurement unmeasured = measure(stage, first);
    say.accept("not counted, since it is the first: " + line(first, unmeasured));
    return unmeasured.ok() ? stage : mended(stage);
  }

  private void guestMemory(Stage stage) {
    try {
      double peak = stage.guestPeakMb();
      Aside known = done.aside(Aside.AGENT_MB);
      Double before = known == null ? null : known.value();
      if (!Double.isNaN(peak) && (before == null || peak > before)) {
        note(
            Aside.of(
                Aside.AGENT_MB,
                peak,
                "MB",
                "VmHWM of the guest's one process (node, agent, services) less its ballast, in "
                    + stage.setting().id()));
      }
    } catch (XiaException e) {
      say.accept("the guest's memory is not known: " + e.getMessage());
    }
  }

  private void extra(Plan.Extra extra) {
    if (extra.isIn(done)) {
      return;
    }
    say.accept(extra.id() + " …");
    try (CellLimit limit = new CellLimit(EXTRA)) {
      (extra == Plan.Extra.SHARING ? new Sharing(keep).run() : Benches.run(plan.name(), say))
          .forEach(this::note);
    } catch (IOException | RuntimeException e) {
      say.accept(extra.id() + " failed: " + what(e));
      extra.ids().forEach(id -> note(Aside.failed(id, what(e))));
    }
  }

  /**
   * Nodes and guest, {@code null} if they do not come up; then all is given up if this was last.
   */
  private @Nullable Stage open(List<Cell> all, int from, boolean last) {
    List<Cell> rest = all.subList(from, all.size());
    Setting setting = rest.get(0).setting();
    say.accept(left(setting, rest) + setting.title() + ": starting nodes and guest");
    boolean library = all.stream().anyMatch(c -> c.mode() == Mode.XIA_LIBRARY);
    try (CellLimit limit = new CellLimit(Stage.OPENING)) {
      return Stage.open(setting, library, keep, say);
    } catch (IOException | RuntimeException e) { // whatever it is, other settings may do
      say.accept((last ? "given up: " : "once more: ") + what(e));
      if (last) {
        for (Cell cell : rest) {
          note(Measurement.failed(cell, "", "", "no nodes or guest: " + what(e)));
        }
      }
      return null;
    }
  }

  private Measurement measure(Stage stage, Cell cell) {
    Duration enough = enough(cell);
    Duration limit = enough == null ? limit(cell) : enough;
    try (CellLimit all = new CellLimit(limit.plus(AROUND))) {
      stage.become(cell.setting());
      stage.work(cell.workload(), dirtyMbPerSecond);
      Measurement measured = new Mover(stage, limit, enough != null).move(cell);
      String trouble = stage.workTrouble();
      return trouble.isEmpty()
          ? measured
          : Measurement.failed(cell, measured.from(), measured.to(), trouble);
    } catch (IOException | RuntimeException e) { // whatever it is, other cells may do
      return Measurement.failed(cell, Stage.HOSTS.get(stage.at()), "", what(e));
    }
  }

  private static String what(Exception e) {
    return e instanceof XiaException ? String.valueOf(e.getMessage()) : e.toString();
  }

  /**
   * How long TCP CUBIC may take on a path that loses until the target is shown to be met, some more
   * for later runs of XIA; {@code null} where there is nothing to show.
   */
  private @Nullable Duration enough(Cell cell) {
    if (cell.mode() != Mode.TCP_CUBIC || cell.setting().loss() == 0) {
      return null;
    }
    Cell ours = new Cell(cell.setting(), Mode.XIA, cell.workload(), cell.full(), 0);
    Spread xia = Row.totals(done.migrations(), ours);
    return xia.isEmpty()
        ? null
        : Duration.ofMillis((long) (xia.max() * MORE_THAN_ENOUGH / Target.CUBIC_ON_LOSS));
  }

  private static Duration limit(Cell cell) {
    return Duration.ofSeconds(45 + (long) (4 * Remaining.seconds(cell)));
  }

  /** The stage, if need be with a guest started anew; {@code null} if only a new one will do. */
  private @Nullable Stage mended(Stage stage) {
    try (CellLimit limit = new CellLimit(Stage.OPENING)) {
      String trouble = stage.trouble();
      if (trouble.isEmpty()) {
        return stage;
      }
      say.accept("the guest is started anew: " + trouble);
      stage.restartGuest();
      return stage;
    } catch (IOException | RuntimeException e) {
      say.accept("everything is started anew: " + what(e));
      stage.close();
      return null;
    }
  }

  private boolean isMeasured(Cell cell) {
    return Row.of(done.migrations(), cell).stream().anyMatch(Measurement::ok);
  }

  /** Whether the plan has a limit that all that is left would go beyond. */
  private boolean isLate(Setting now, List<Cell> rest) {
    double passed = (System.nanoTime() - beganNs) / 1e9;
    return plan.limit() != null && passed + secondsLeft(now, rest) > plan.limit().toSeconds();
  }

  private String left(Setting now, List<Cell> rest) {
    return String.format(
        Locale.ROOT, "%3d left, %5.1f min  ", after(now, rest).size(), secondsLeft(now, rest) / 60);
  }

  /** What is left here and in the settings after it. */
  private List<Cell> after(Setting now, List<Cell> rest) {
    List<Cell> all = new ArrayList<>(rest);
    stagesAfter(now).forEach(all::addAll);
    return all;
  }

  private double secondsLeft(Setting now, List<Cell> rest) {
    return remaining.left(after(now, rest), stagesAfter(now).size(), plan.extras().size());
  }

  private List<List<Cell>> stagesAfter(Setting now) {
    List<List<Cell>> stages = new ArrayList<>();
    boolean past = false;
    for (List<Setting> together : plan.stages()) {
      if (past) {
        stages.add(
            together.stream()
                .flatMap(s -> plan.interleaved(s, done.migrations()).stream())
                .toList());
      }
      past |= together.contains(now);
    }
    stages.removeIf(List::isEmpty);
    return stages;
  }

  private static String line(Cell cell, Measurement m) {
    Double outage = m.outageMs();
    if (!m.ok()) {
      return cell.title() + ": FAILED: " + m.failure();
    }
    if (m.unfinished()) {
      return String.format(
          Locale.ROOT,
          "%s: ended after %.1f s with %.0f MB sent: the target is met already",
          cell.title(),
          m.totalMs() / 1000,
          m.streamBytes() / 1e6);
    }
    return String.format(
        Locale.ROOT,
        "%-28s %-8s %s→%s  %6.2f s, downtime %.0f ms, STOP→RESUME %.0f ms, %s",
        cell.mode().title() + (cell.full() ? ", with disk" : ""),
        cell.workload().title(),
        m.from(),
        m.to(),
        m.totalMs() / 1000,
        m.downtimeMs(),
        m.stopToResumeMs(),
        !m.reachable()
            ? "NOT REACHABLE afterwards"
            : outage == null
                ? "reachable again"
                : String.format(Locale.ROOT, "outage %.0f ms (%s)", outage, m.prober()));
  }

  private void note(Measurement measurement) {
    done = done.and(measurement);
    save.accept(done);
  }

  private void note(Aside aside) {
    done = done.and(aside);
    save.accept(done);
  }

  private String missing(Mode mode) {
    return mode == Mode.XIA_LIBRARY ? libraryMissing : CongestionControls.missing(mode);
  }

  /** Why libXsocket cannot be used, empty if it can. */
  private static String libraryMissing() {
    try {
      LibraryCheck.of(LibraryFinder.find(null).path()).requireUsable();
      return "";
    } catch (XiaException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
