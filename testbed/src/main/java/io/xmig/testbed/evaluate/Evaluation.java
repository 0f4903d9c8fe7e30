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

/** Runs a plan: one setting after the other, the cells of each interleaved. */
final class Evaluation {
  private static final Duration LAN_LIMIT = Duration.ofSeconds(180);
  private static final Duration WAN_LIMIT = Duration.ofSeconds(900);

  private final Plan plan;
  private final int dirtyMbPerSecond;
  private final boolean keep;
  private final Consumer<String> say;
  private final Consumer<List<Measurement>> save;
  private final List<Measurement> done = new ArrayList<>();

  /**
   * @param dirtyMbPerSecond rate of the workload that dirties memory
   * @param say is told what happens
   * @param save is given everything measured so far after each migration, so that a killed
   *     evaluation leaves what it has
   */
  Evaluation(
      Plan plan,
      int dirtyMbPerSecond,
      boolean keep,
      Consumer<String> say,
      Consumer<List<Measurement>> save) {
    this.plan = plan;
    this.dirtyMbPerSecond = dirtyMbPerSecond;
    this.keep = keep;
    this.say = say;
    this.save = save;
  }

  List<Measurement> run() throws IOException {
    String missing = libraryMissing();
    int number = 0;
    int all = plan.settings().stream().mapToInt(s -> plan.interleaved(s).size()).sum();
    for (Setting setting : plan.settings()) {
      List<Cell> order = plan.interleaved(setting);
      if (order.isEmpty()) {
        continue;
      }
      say.accept(setting.title() + ": starting nodes and guest");
      boolean library =
          missing.isEmpty() && order.stream().anyMatch(c -> c.mode() == Mode.XIA_LIBRARY);
      try (Stage stage = Stage.open(setting, library, keep, say)) {
        Mover mover = new Mover(stage, setting.isWan() ? WAN_LIMIT : LAN_LIMIT);
        for (Cell cell : order) {
          number++;
          measure(stage, mover, cell, number + "/" + all, missing);
        }
      } catch (XiaException e) {
        say.accept("given up: " + e.getMessage());
        for (Cell cell : order) {
          if (Row.of(done, cell).isEmpty()) {
            note(Measurement.failed(cell, "", "", String.valueOf(e.getMessage())));
          }
        }
      }
    }
    return List.copyOf(done);
  }

  private void measure(Stage stage, Mover mover, Cell cell, String number, String missing)
      throws IOException {
    if (cell.mode() == Mode.XIA_LIBRARY && !missing.isEmpty()) {
      note(Measurement.failed(cell, "", "", "not present: " + missing));
      return;
    }
    stage.work(cell.workload(), dirtyMbPerSecond);
    Measurement m = mover.move(cell);
    note(m);
    Double outage = m.outageMs();
    say.accept(
        m.ok()
            ? String.format(
                Locale.ROOT,
                "%7s  %-28s %-8s %s→%s  %6.2f s, downtime %.0f ms, STOP→RESUME %.0f ms, %s",
                number,
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
                        : String.format(Locale.ROOT, "outage %.0f ms (%s)", outage, m.prober()))
            : String.format("%7s  %s: FAILED: %s", number, cell.title(), m.failure()));
  }

  private void note(Measurement measurement) {
    done.add(measurement);
    save.accept(List.copyOf(done));
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
