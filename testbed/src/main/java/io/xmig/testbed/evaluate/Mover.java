package io.xmig.testbed.evaluate;

import io.xmig.control.qemu.MigrationDriver;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.qemu.MigrationProgress;
import io.xmig.control.qemu.MigrationSettings;
import io.xmig.control.qemu.QemuException;
import io.xmig.control.qemu.QmpClient;
import io.xmig.control.qemu.QmpEvent;
import io.xmig.testbed.run.RunException;
import io.xmig.testbed.workload.ProbeLog;
import io.xmig.testbed.workload.Sample;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Moves the guest of a stage once, in whatever mode, and measures it the same way. */
final class Mover {
  private static final Duration QMP = Duration.ofSeconds(10);
  private static final Duration LISTEN = Duration.ofSeconds(20);
  private static final int FIRST_PORT = 4400;
  private static final int DOWNTIME_LIMIT_MS = 50;
  private static final long WINDOW_US = 1_500_000;

  /** An agent that does not get the processor needs seconds; nobody helps an IP address. */
  private static final int XIA_REACH_MILLIS = 15_000;

  private static final int IP_REACH_MILLIS = 4000;
  private static final String XMIG = "xmig.launcher";

  private final Stage stage;
  private final Duration limit;
  private int moves;

  Mover(Stage stage, Duration limit) {
    this.stage = stage;
    this.limit = limit;
  }

  /** Moves it; a failure is a measurement too, after which the guest runs where it was. */
  Measurement move(Cell cell) throws IOException {
    int to = 1 - stage.at();
    String from = Stage.HOSTS.get(stage.at());
    String there = Stage.HOSTS.get(to);
    moves++;
    GuestVm source = stage.guest();
    Path disk = stage.disk();
    if (cell.full()) {
      disk = stage.lab().directory().resolve("disk" + moves + ".raw");
      try (RandomAccessFile file = new RandomAccessFile(disk.toFile(), "rw")) {
        file.setLength(Files.size(stage.disk()));
      }
    }
    GuestVm destination = stage.startGuest(to, disk, true);
    boolean moved = false;
    try (Accounting accounting = new Accounting(stage.namespaces())) {
      congestionControl(cell.mode());
      Transports transports = transports(cell, from, there);
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
          new MigrationSettings(cell.full(), DOWNTIME_LIMIT_MS, MigrationSettings.UNLIMITED));
      capabilities(driver, source, cell.mode());
      Instant asked = Instant.now();
      driver.migrate(transports.outgoing(), cell.full());
      QmpEvent resumed = awaitResume(source, destination);
      if (resumed == null) {
        return failure(cell, from, there, source, transports);
      }
      moved = true;
      QmpEvent stopped = source.await(e -> e.name().equals("STOP"), QMP);
      MigrationProgress totals = totals(driver);
      long wire = stage.net().bytesInto(there) - wireBefore;
      source.qemu().quit();
      stage.moved(destination);
      if (cell.full()) {
        stage.disk(disk);
      }
      ProbeLog log = observe(cell.mode(), us(resumed.time()));
      accounting.close();
      return measurement(cell, from, there, asked, stopped, resumed, totals, wire, log, accounting);
    } catch (QemuException | InterruptedException e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
      return Measurement.failed(cell, from, there, String.valueOf(e.getMessage()));
    } finally {
      if (!moved) {
        destination.close();
      }
    }
  }

  private Transports transports(Cell cell, String from, String there) {
    String launcher = System.getProperty(XMIG);
    if (launcher == null) {
      throw new RunException("start this command with testbed/evaluate", Map.of());
    }
    return Transports.of(
        cell.mode(),
        "m" + moves,
        stage.lab().directory(),
        launcher,
        from,
        there,
        stage.net().address(there),
        FIRST_PORT + moves,
        host -> cell.mode() == Mode.XIA_LIBRARY ? stage.libraryOf(host) : stage.stackOf(host),
        stage::pipesOf,
        sid -> stage.service(there, sid));
  }

  /** multifd must be the same on both sides, and off again afterwards. */
  private static void capabilities(MigrationDriver driver, GuestVm vm, Mode mode) {
    if (!driver.capabilities().contains("multifd")) {
      return;
    }
    var arguments = QmpClient.arguments();
    arguments
        .putArray("capabilities")
        .addObject()
        .put("capability", "multifd")
        .put("state", mode == Mode.MULTIFD);
    vm.qemu().qmp().call("migrate-set-capabilities", arguments, QMP);
    if (mode == Mode.MULTIFD) {
      vm.qemu()
          .qmp()
          .call("migrate-set-parameters", QmpClient.arguments().put("multifd-channels", 2), QMP);
    }
  }

  private void congestionControl(Mode mode) {
    String wanted = mode.congestionControl();
    if (wanted != null) {
      for (String host : Stage.HOSTS) {
        stage.net().congestionControl(host, wanted);
      }
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

  private @Nullable QmpEvent awaitResume(GuestVm source, GuestVm destination) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (System.nanoTime() < deadline) {
      QmpEvent resumed = destination.await(e -> e.name().equals("RESUME"), Duration.ofMillis(200));
      if (resumed != null) {
        return resumed;
      }
      if (!destination.qemu().isAlive() || source.await(Mover::isFailure, Duration.ZERO) != null) {
        return null;
      }
    }
    return null;
  }

  private static boolean isFailure(QmpEvent event) {
    return event.name().equals("MIGRATION") && event.text("status").equals("failed");
  }

  /** Brings the source back to where another migration can be begun. */
  private Measurement failure(
      Cell cell, String from, String there, GuestVm source, Transports transports) {
    MigrationDriver driver = source.driver();
    String why = driver.progress().error();
    MigrationProgress.Status status = driver.progress().status();
    if (!status.isFinal()) {
      why = "not done within " + limit.toSeconds() + " s";
      driver.cancel();
      // QEMU gives up only once nobody makes it wait in a pipe
      transports.pipes().forEach(MigrationPipe::kill);
      long deadline = System.nanoTime() + QMP.toNanos();
      while (!driver.progress().status().isFinal() && System.nanoTime() < deadline) {
        Stage.pause(100);
      }
    }
    if (!driver.runState().equals("running")) {
      driver.run();
    }
    return Measurement.failed(
        cell, from, there, why == null || why.isEmpty() ? "QEMU says " + status : why);
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
  private ProbeLog observe(Mode mode, long resumedUs) {
    long deadline = System.nanoTime() + reachMillis(mode) * 1_000_000L;
    ProbeLog log = log(mode);
    while (!isReached(log, resumedUs) && System.nanoTime() < deadline) {
      Stage.pause(100);
      log = log(mode);
    }
    Stage.pause(WINDOW_US / 1000);
    return log(mode);
  }

  private static int reachMillis(Mode mode) {
    return mode.isXia() ? XIA_REACH_MILLIS : IP_REACH_MILLIS;
  }

  private ProbeLog log(Mode mode) {
    return mode.isXia() ? stage.xping().log() : stage.ping().log(Stage.nowUs());
  }

  private static boolean isReached(ProbeLog log, long afterUs) {
    return log.samples().stream().anyMatch(s -> s.answered() && s.sentUs() > afterUs);
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
      Accounting accounting) {
    long resumeUs = us(resumed.time());
    long stopUs = stopped == null ? resumeUs : us(stopped.time());
    boolean before =
        log.samples().stream()
            .anyMatch(
                (Sample s) ->
                    s.answered() && s.sentUs() > stopUs - WINDOW_US && s.sentUs() < stopUs);
    boolean reached = isReached(log, resumeUs);
    Double outage =
        before && reached
            ? Double.valueOf(
                log.outage(stopUs - WINDOW_US, resumeUs + reachMillis(cell.mode()) * 1000L)
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
        (resumeUs - us(asked)) / 1000.0,
        totals.downtimeMs(),
        (resumeUs - stopUs) / 1000.0,
        outage,
        cell.mode().isXia() ? "Xping" : "ping",
        reached,
        totals.transferredBytes(),
        wire,
        accounting.cpuSeconds(),
        accounting.peakMb(),
        null);
  }

  private static long us(Instant time) {
    return time.getEpochSecond() * 1_000_000L + time.getNano() / 1000;
  }
}
