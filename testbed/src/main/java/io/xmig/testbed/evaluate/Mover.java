package io.xmig.testbed.evaluate;

import io.xmig.control.qemu.EpochMicros;
import io.xmig.control.qemu.MigrationDriver;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.qemu.MigrationProgress;
import io.xmig.control.qemu.MigrationSettings;
import io.xmig.control.qemu.QmpClient;
import io.xmig.control.qemu.QmpEvent;
import io.xmig.testbed.run.RunException;
import io.xmig.testbed.workload.ProbeLog;
import io.xmig.xia.XiaException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Moves the guest of a stage, once, in whatever mode, and measures it the same way. */
final class Mover {
  private static final Logger log = LoggerFactory.getLogger(Mover.class);
  private static final Duration QMP = Duration.ofSeconds(10);
  private static final Duration LISTEN = Duration.ofSeconds(20);
  private static final int FIRST_PORT = 4400;
  private static final int AFTERWARDS_MILLIS = 1000;
  private static final long WINDOW_US = 1_500_000;

  /** An agent that does not get the processor needs seconds; nobody helps an IP address. */
  private static final int XIA_REACH_MILLIS = 15_000;

  private static final int IP_REACH_MILLIS = 4000;
  private static final String XMIG = "xmig.launcher";

  private final Stage stage;
  private final Duration limit;
  private final boolean enough;
  private final String defaultControl = CongestionControls.ofTheKernel().get(0);
  private final int move;

  /**
   * @param limit for one migration
   * @param enough whether one that is under way that long has shown what it was to show, and is
   *     ended then; else it has failed
   */
  Mover(Stage stage, Duration limit, boolean enough) {
    this.stage = stage;
    this.limit = limit;
    this.enough = enough;
    this.move = stage.nextMove();
  }

  /**
   * Moves it. A failure is a measurement too, after which the guest runs where it was, unless the
   * stage says that it is not fit any more.
   */
  Measurement move(Cell cell) throws IOException {
    int to = 1 - stage.at();
    String from = Stage.HOSTS.get(stage.at());
    String there = Stage.HOSTS.get(to);
    GuestVm source = stage.guest();
    Path disk = cell.full() ? emptyDisk() : stage.disk();
    GuestVm destination = stage.startGuest(to, disk, true);
    Transports transports = transports(cell, from, there);
    long began = System.nanoTime();
    try (Accounting accounting = new Accounting(stage.namespaces(), cell.mode().startsProcesses());
        FineProbes probes = new FineProbes(stage, cell.mode())) {
      congestionControl(cell.mode());
      for (MigrationPipe pipe : transports.pipes()) {
        pipe.prepare();
      }
      long wireBefore = stage.net().bytesInto(there);
      capabilities(destination.driver(), destination, cell.mode());
      destination.driver().receive(transports.incoming());
      awaitListening(there, transports.listens());
      source.forget();
      MigrationDriver driver = source.driver();
      driver.prepareSource(
          MigrationSettings.fixed(
              cell.full(), cell.setting().downtimeLimitMs(), MigrationSettings.UNLIMITED));
      capabilities(driver, source, cell.mode());
      Instant asked = Instant.now();
      began = System.nanoTime();
      driver.migrate(transports.outgoing(), cell.full());
      QmpEvent resumed = awaitResume(source, destination, transports.pipes(), probes);
      if (resumed == null) {
        long wire = stage.net().bytesInto(there) - wireBefore;
        long sent = driver.progress().transferredBytes();
        double tookMs = (System.nanoTime() - began) / 1e6;
        destination.close(); // before the source may run again
        recover(source, transports);
        return Measurement.unfinished(cell, from, there, tookMs, sent, wire);
      }
      destination.qemu().favour(true); // as a host service does
      stage.moved(destination, disk);
      QmpEvent stopped = source.await(e -> e.name().equals("STOP"), QMP);
      MigrationProgress totals = totals(driver);
      long wire = stage.net().bytesInto(there) - wireBefore;
      accounting.look();
      source.qemu().quit();
      ProbeLog log = observe(cell.mode(), EpochMicros.of(resumed.time()), probes);
      destination.qemu().favour(false);
      accounting.close();
      return measurement(
          cell, from, there, asked, stopped, resumed, totals, wire, log, probes, accounting);
    } catch (XiaException | InterruptedException e) {
      Thread.interrupted(); // the limit of the cell: what follows has limits of its own
      String what =
          e instanceof InterruptedException ? "interrupted" : String.valueOf(e.getMessage());
      String why =
          FailedMove.describe(
              what, System.nanoTime() - began, source, destination, transports.pipes(), reports());
      if (stage.guest() == source) {
        destination.close(); // before the source may run again
        recover(source, transports);
      }
      return Measurement.failed(cell, from, there, why);
    } finally {
      (stage.guest() == destination ? source : destination).close();
      if (!disk.equals(stage.disk())) {
        Files.deleteIfExists(disk);
      }
    }
  }

  /** Where the pipes of this move report, in their order. */
  private List<Path> reports() {
    Path directory = stage.lab().directory();
    return List.of(
        directory.resolve("receive-" + id() + ".jsonl"),
        directory.resolve("send-" + id() + ".jsonl"));
  }

  private String id() {
    return "m" + move;
  }

  private Path emptyDisk() throws IOException {
    Path disk = stage.lab().directory().resolve("moved" + move + ".raw");
    try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
      file.setLength(Files.size(stage.disk()));
    }
    return disk;
  }

  private Transports transports(Cell cell, String from, String there) {
    String launcher = System.getProperty(XMIG);
    if (launcher == null) {
      throw new RunException("start this command with testbed/evaluate", Map.of());
    }
    return Transports.of(
        cell.mode(),
        id(),
        stage.lab().directory(),
        launcher,
        from,
        there,
        stage.net().address(there),
        FIRST_PORT + move,
        host -> cell.mode() == Mode.XIA_LIBRARY ? stage.libraryOf(host) : stage.stackOf(host),
        stage::pipesOf,
        sid -> stage.service(there, sid));
  }

  /**
   * multifd must be the same on both sides, and off again afterwards. A guest that dirties memory
   * faster than the path carries it is slowed down by QEMU, in every mode alike.
   */
  private static void capabilities(MigrationDriver driver, GuestVm vm, Mode mode) {
    Set<String> known = driver.capabilities();
    QmpClient qmp = vm.qemu().qmp();
    var arguments = QmpClient.arguments();
    var list = arguments.putArray("capabilities");
    Map.of("multifd", mode == Mode.MULTIFD, "auto-converge", true)
        .forEach(
            (name, state) -> {
              if (known.contains(name)) {
                list.addObject().put("capability", name).put("state", state);
              }
            });
    qmp.call("migrate-set-capabilities", arguments, QMP);
    if (mode == Mode.MULTIFD) {
      qmp.call("migrate-set-parameters", QmpClient.arguments().put("multifd-channels", 2), QMP);
    }
  }

  private void congestionControl(Mode mode) {
    String wanted = mode.congestionControl();
    for (String host : Stage.HOSTS) {
      stage.net().congestionControl(host, wanted == null ? defaultControl : wanted);
    }
  }

  private void awaitListening(String host, Transports.Ready ready) throws IOException {
    long deadline = System.nanoTime() + LISTEN.toNanos();
    while (!isListening(host, ready)) {
      if (System.nanoTime() > deadline) {
        throw new RunException("nobody listens at the destination", Map.of("for", ready));
      }
      Stage.pause(20);
    }
  }

  private boolean isListening(String host, Transports.Ready ready) throws IOException {
    if (ready instanceof Transports.Ready.Said said) {
      return Files.exists(said.file())
          && Files.readString(said.file(), StandardCharsets.UTF_8).contains(said.word());
    }
    return stage.net().listens(host, ((Transports.Ready.Port) ready).port());
  }

  /** {@code null} if the limit has come and that is enough. */
  private @Nullable QmpEvent awaitResume(
      GuestVm source, GuestVm destination, List<MigrationPipe> pipes, FineProbes probes) {
    long deadline = System.nanoTime() + limit.toNanos();
    long pipeEndedNs = 0;
    while (true) {
      QmpEvent resumed = destination.await(e -> e.name().equals("RESUME"), Duration.ofMillis(200));
      if (resumed != null) {
        probes.begin(); // it was faster than anybody looked
        return resumed;
      }
      if (!probes.running()) {
        probes.follow(source.driver().progress());
      }
      long nowNs = System.nanoTime();
      if (!destination.qemu().isAlive()) {
        throw new RunException("the destination's QEMU has ended", Map.of());
      }
      if (source.await(Mover::isFailure, Duration.ZERO) != null) {
        throw new RunException("the source's QEMU gave up", Map.of());
      }
      if (nowNs > deadline && enough) {
        return null;
      }
      if (nowNs > deadline) {
        throw new RunException("not done in time", Map.of("limit", limit.toSeconds() + " s"));
      }
      if (pipes.stream().anyMatch(p -> p.exitStatus().orElse(0) != 0)) {
        pipeEndedNs = pipeEndedNs == 0 ? nowNs : pipeEndedNs;
        if (nowNs - pipeEndedNs > QMP.toNanos()) {
          throw new RunException("a pipe failed and neither QEMU says so", Map.of());
        }
      }
    }
  }

  private static boolean isFailure(QmpEvent event) {
    return event.name().equals("MIGRATION") && event.text("status").equals("failed");
  }

  /** Brings the source back to where another migration can be begun, as far as it still can. */
  private void recover(GuestVm source, Transports transports) {
    try {
      MigrationDriver driver = source.driver();
      if (driver.progress().status() == MigrationProgress.Status.ACTIVE
          || driver.progress().status() == MigrationProgress.Status.SETUP) {
        driver.cancel();
      }
      // QEMU gives up only once nobody makes it wait in a pipe
      transports.pipes().forEach(MigrationPipe::kill);
      long deadline = System.nanoTime() + QMP.toNanos();
      while (isUnderWay(driver.progress().status()) && System.nanoTime() < deadline) {
        Stage.pause(100);
      }
      if (!driver.runState().equals("running")) {
        driver.run();
      }
    } catch (XiaException e) {
      log.info("the source does not recover: {}", e.getMessage());
    }
  }

  private static boolean isUnderWay(MigrationProgress.Status status) {
    return !status.isFinal() && status != MigrationProgress.Status.NONE;
  }

  private static MigrationProgress totals(MigrationDriver driver) throws InterruptedException {
    long deadline = System.nanoTime() + QMP.toNanos();
    while (driver.progress().status() != MigrationProgress.Status.COMPLETED
        && System.nanoTime() < deadline) {
      Stage.pause(10);
    }
    return driver.totals();
  }

  /** Waits until the guest answers again, or long enough to say that it does not. */
  private static ProbeLog observe(Mode mode, long resumedUs, FineProbes probes) {
    long deadline = System.nanoTime() + reachMillis(mode) * 1_000_000L;
    while (!probes.log().isAnsweredAfter(resumedUs) && System.nanoTime() < deadline) {
      Stage.pause(100);
    }
    Stage.pause(AFTERWARDS_MILLIS);
    return probes.log();
  }

  private static int reachMillis(Mode mode) {
    return mode.isXia() ? XIA_REACH_MILLIS : IP_REACH_MILLIS;
  }

  private Measurement measurement(
      Cell cell,
      String from,
      String there,
      Instant asked,
      @Nullable QmpEvent stopped,
      QmpEvent resumed,
      MigrationProgress totals,
      long wire,
      ProbeLog log,
      FineProbes probes,
      Accounting accounting) {
    long resumeUs = EpochMicros.of(resumed.time());
    long stopUs = stopped == null ? resumeUs : EpochMicros.of(stopped.time());
    boolean before = log.isAnsweredBetween(stopUs - WINDOW_US, stopUs);
    boolean reached = log.isAnsweredAfter(resumeUs);
    Double outage =
        before && reached
            ? Double.valueOf(
                log.outage(
                            probes.fromUs(stopUs - WINDOW_US, stopUs),
                            resumeUs + reachMillis(cell.mode()) * 1000L)
                        .lengthUs()
                    / 1000.0)
            : null;
    return new Measurement(
        cell.setting().id(),
        cell.mode().title(),
        cell.workload().title(),
        cell.full(),
        from,
        there,
        (resumeUs - EpochMicros.of(asked)) / 1000.0,
        totals.downtimeMs(),
        (resumeUs - stopUs) / 1000.0,
        outage,
        cell.mode().isXia() ? "Xping" : "fping",
        reached,
        totals.transferredBytes(),
        wire,
        accounting.cpuSeconds(),
        accounting.peakMb(),
        false,
        null);
  }
}
