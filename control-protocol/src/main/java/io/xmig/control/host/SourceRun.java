package io.xmig.control.host;

import io.xmig.control.host.v1.Progress;
import io.xmig.control.host.v1.Result;
import io.xmig.control.pipe.LastProgress;
import io.xmig.control.qemu.MigrationDriver;
import io.xmig.control.qemu.MigrationLimits;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.qemu.MigrationProgress;
import io.xmig.control.qemu.MigrationProgress.Status;
import io.xmig.control.qemu.MigrationSettings;
import io.xmig.control.qemu.QemuException;
import io.xmig.control.qemu.QemuProcess;
import io.xmig.control.qemu.QmpEvent;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The source's side of a hand-off, with the real QEMU. */
final class SourceRun extends HandoffRun {
  private static final Logger log = LoggerFactory.getLogger(SourceRun.class);
  private static final int POLL_MILLIS = 200;

  /** A cancel that QEMU has not obeyed by then is waiting for the pipe. */
  private static final int CANCEL_PATIENCE_MILLIS = 500;

  /** With the guest stopped here an answer is worth a new connection. */
  private static final int COMMIT_PATIENCE_MILLIS = 3000;

  private final SourceHandoff machine;
  private final ManagedVm vm;
  private final Pipes pipes;
  private final MigrationSettings settings;
  private final Consumer<SourceRun> onOver;
  private @Nullable MigrationPipe pipe;
  private boolean migrating;
  private boolean finished;
  private long migrateNs;
  private MigrationProgress last = NOTHING;
  private final MigrationLimits limits;
  private boolean limiting;
  private final TimeToGo timeToGo = new TimeToGo();
  private long pathRate;

  private static final MigrationProgress NOTHING =
      new MigrationProgress(Status.NONE, "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  SourceRun(
      HandoffRecord record,
      SourceHandoff machine,
      ManagedVm vm,
      Pipes pipes,
      MigrationSettings settings,
      HandoffJournal journal,
      HostEvents events,
      Consumer<SourceRun> onOver) {
    super(record, journal, events);
    this.machine = machine;
    this.vm = vm;
    this.pipes = pipes;
    this.settings = settings;
    this.limits = new MigrationLimits(settings);
    this.onOver = onOver;
  }

  /** Begins; the link is set. */
  void begin() {
    publish(HostEvents.event("prepare", vm(), id()).setDetail(record().peer()));
    execute(() -> act(machine.begin()));
    every(POLL_MILLIS, this::poll);
  }

  /** Goes on after a restart of the service. */
  void resume() {
    publish(HostEvents.event("recovered", vm(), id()).setDetail(record().phase().name()));
    // so that it can be killed should it block QEMU
    pipe = pipes.sender(vm.files().path(), id());
    takingUp();
    execute(this::takeUp);
    every(POLL_MILLIS, this::poll);
  }

  private void takeUp() {
    SourceHandoff.Found found;
    try {
      found = find();
    } catch (QemuException e) {
      log.warn("cannot see yet what QEMU of {} does: {}", vm(), e.getMessage());
      MigrationPipe sender = pipe;
      if (sender != null && record().phase() != HandoffRecord.Phase.COMMITTING) {
        sender.kill(); // the transfer is given up anyway
      }
      later(CANCEL_PATIENCE_MILLIS, this::takeUp);
      return;
    }
    migrating = found == SourceHandoff.Found.SENDING || found == SourceHandoff.Found.SENT;
    if (machine.state() == SourceHandoff.State.COMMITTING) {
      later(COMMIT_PATIENCE_MILLIS, this::nudge);
    }
    takenUp(machine.resume(record(), found));
  }

  private SourceHandoff.Found find() {
    QemuProcess qemu = vm.qemu();
    if (qemu == null || !qemu.isAlive()) {
      return SourceHandoff.Found.DEAD;
    }
    return switch (new MigrationDriver(qemu.qmp()).progress().status()) {
      case SETUP, ACTIVE, CANCELLING -> SourceHandoff.Found.SENDING;
      case COMPLETED -> SourceHandoff.Found.SENT;
      case NONE, FAILED, CANCELLED -> SourceHandoff.Found.RUNNING;
    };
  }

  void cancel(String reason) {
    post(new HandoffEvent.CancelRequested(reason));
  }

  @Override
  boolean isUndecided() {
    return !machine.isDecided();
  }

  @Override
  boolean isOver() {
    return machine.isOver();
  }

  @Override
  List<HandoffAction> digest(HandoffEvent event) {
    SourceHandoff.State before = machine.state();
    List<HandoffAction> actions = machine.on(event);
    if (machine.state() == SourceHandoff.State.COMMITTING
        && before != SourceHandoff.State.COMMITTING) {
      publish(HostEvents.event("commit", vm(), id()));
      later(COMMIT_PATIENCE_MILLIS, this::nudge);
    }
    return actions;
  }

  /** A connection may be dead without anybody having noticed. */
  private void nudge() {
    if (machine.state() == SourceHandoff.State.COMMITTING) {
      HandoffTransport.Link link = link();
      if (link != null) {
        link.reset();
      }
      later(COMMIT_PATIENCE_MILLIS, this::nudge);
    }
  }

  @Override
  void perform(HandoffAction action) {
    if (action instanceof HandoffAction.StartMigration start) {
      startMigration(start.address());
    } else if (action instanceof HandoffAction.CancelMigration) {
      cancelMigration();
    } else if (action instanceof HandoffAction.Continue) {
      runHere();
    } else if (action instanceof HandoffAction.EndQemu) {
      rememberTotals();
      vm.expectEnd();
      QemuProcess qemu = vm.qemu();
      if (qemu != null) {
        qemu.quit();
      }
    }
  }

  private void startMigration(String address) {
    QemuProcess qemu = vm.qemu();
    if (qemu == null) {
      return; // its end is an event of its own
    }
    try {
      MigrationPipe sender = pipes.sender(vm.files().path(), id(), address, settings);
      sender.prepare();
      pipe = sender;
      MigrationDriver driver = new MigrationDriver(qemu.qmp());
      driver.prepareSource(settings);
      limits.taken(MigrationLimits.first(settings));
      migrateNs = System.nanoTime();
      publish(HostEvents.event("migrate", vm(), id()).setDetail(address));
      driver.migrate(sender.uri(), settings.withDisk());
      migrating = true;
    } catch (QemuException | IOException e) {
      post(new HandoffEvent.MigrationFailed(String.valueOf(e.getMessage())));
    }
  }

  private void cancelMigration() {
    QemuProcess qemu = vm.qemu();
    if (qemu == null) {
      return;
    }
    try {
      new MigrationDriver(qemu.qmp()).cancel();
    } catch (QemuException e) {
      log.warn("cancelling {}: {}", id(), e.getMessage());
    }
    migrating = true; // the poll brings the end, whatever it is
    finished = false;
    later(
        CANCEL_PATIENCE_MILLIS,
        () -> {
          if (!finished && pipe != null) {
            pipe.kill();
          }
        });
  }

  private void runHere() {
    QemuProcess qemu = vm.qemu();
    if (qemu == null || !qemu.isAlive()) {
      act(digest(new HandoffEvent.QemuDied("qemu is gone")));
      return;
    }
    try {
      new MigrationDriver(qemu.qmp()).run();
      act(digest(new HandoffEvent.Continued()));
    } catch (QemuException e) {
      if (qemu.isAlive()) {
        // nothing but this may bring the guest back, so it is tried until it works
        log.warn("cannot resume {}: {}; trying again", vm(), e.getMessage());
        later(CANCEL_PATIENCE_MILLIS, this::runHere);
      }
    }
  }

  @Override
  void qmpEvent(QmpEvent event) {
    if (event.name().equals("MIGRATION_PASS")) {
      publish(
          HostEvents.at(event.time(), "pass", vm(), id())
              .setDetail(event.data().path("pass").asText()));
    } else if (event.name().equals("MIGRATION")) {
      String status = event.text("status");
      publish(HostEvents.at(event.time(), "qemu-" + status, vm(), id()));
      if (status.equals("completed")) {
        execute(this::completed);
      } else if (status.equals("failed") || status.equals("cancelled")) {
        execute(this::poll);
      }
    }
  }

  private void completed() {
    if (migrating && !finished) {
      finished = true;
      act(digest(new HandoffEvent.MigrationCompleted()));
    }
  }

  /** Progress for the watchers, and a second way to hear of the end. */
  private void poll() {
    QemuProcess qemu = vm.qemu();
    if (!migrating || finished || qemu == null || !qemu.isAlive()) {
      return;
    }
    MigrationProgress now;
    try {
      now = new MigrationDriver(qemu.qmp()).progress();
    } catch (QemuException e) {
      log.debug("no progress of {}: {}", id(), e.getMessage());
      return;
    }
    last = now;
    switch (now.status()) {
      case COMPLETED -> completed();
      case FAILED, CANCELLED, NONE -> {
        finished = true;
        migrating = false;
        act(digest(new HandoffEvent.MigrationFailed(failure(now))));
      }
      case SETUP, ACTIVE, CANCELLING -> {
        followPath(qemu, now);
        publishProgress(now);
      }
    }
  }

  /** QEMU's limits keep to what the pipe measures; a migration does not fail for want of that. */
  private void followPath(QemuProcess qemu, MigrationProgress now) {
    LastProgress measured = pipes.progress(vm.files().path(), id()).orElse(null);
    if (measured == null || limiting || now.status() != Status.ACTIVE) {
      return;
    }
    pathRate = measured.bytesPerSecond();
    MigrationLimits.Limits next =
        limits
            .next(System.nanoTime(), pathRate, measured.downtimeLimitMs(), now.passes())
            .orElse(null);
    if (next == null) {
      return;
    }
    limiting = true;
    new MigrationDriver(qemu.qmp())
        .limit(next)
        .whenComplete((answer, refusal) -> execute(() -> limited(next, refusal)));
  }

  private void limited(MigrationLimits.Limits limited, @Nullable Throwable refusal) {
    limiting = false;
    if (refusal != null) {
      log.warn("{} keeps its limits for now: {}", vm(), refusal.getMessage());
      return;
    }
    limits.taken(limited);
    publish(HostEvents.event("limits", vm(), id()).setDetail(words(limited)));
  }

  private static String words(MigrationLimits.Limits limits) {
    return "downtime-limit "
        + limits.downtimeLimitMs()
        + " ms, max-bandwidth "
        + (limits.isBandwidthLimited()
            ? Math.round(limits.maxBandwidth() / 1e5) / 10.0 + " MB/s"
            : "unlimited");
  }

  private String failure(MigrationProgress now) {
    String words = now.error().isEmpty() ? "migration " + now.status() : now.error();
    MigrationPipe sender = pipe;
    if (sender != null && sender.exitStatus().isPresent()) {
      words += "; the sending pipe ended with status " + sender.exitStatus().getAsInt();
      words += sender.lastWords().isEmpty() ? "" : ": " + sender.lastWords();
    }
    String log = QemuProcess.lastWords(vm.files());
    return log.isEmpty() || now.status() != Status.FAILED ? words : words + "; it said: " + log;
  }

  private void publishProgress(MigrationProgress now) {
    long left = now.remainingBytes() + now.diskTotalBytes() - now.diskTransferredBytes();
    publish(
        HostEvents.event("progress", vm(), id())
            .setProgress(
                Progress.newBuilder()
                    .setPhase(now.status().toString())
                    .setTransferredBytes(now.transferredBytes())
                    .setRemainingBytes(now.remainingBytes())
                    .setTotalBytes(now.totalBytes())
                    .setDiskTransferredBytes(now.diskTransferredBytes())
                    .setDiskTotalBytes(now.diskTotalBytes())
                    .setBytesPerSecond(now.bytesPerSecond())
                    .setDirtyPagesPerSecond(now.dirtyPagesPerSecond())
                    .setPasses((int) now.passes())
                    .setExpectedDowntimeMs(now.expectedDowntimeMs())
                    .setElapsedMs(migrateNs == 0 ? 0 : (System.nanoTime() - migrateNs) / 1_000_000)
                    .setPathBytesPerSecond(pathRate)
                    .setMaxBandwidth(limits.current().maxBandwidth())
                    .setDowntimeLimitMs(limits.current().downtimeLimitMs())
                    .setEtaMs(timeToGo.ms(System.nanoTime(), left))));
  }

  /** QEMU's final numbers, before it is gone. */
  private void rememberTotals() {
    QemuProcess qemu = vm.qemu();
    if (qemu == null || !qemu.isAlive()) {
      return;
    }
    try {
      last = new MigrationDriver(qemu.qmp()).totals();
    } catch (QemuException e) {
      log.warn("no totals of {}: {}", id(), e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  void complete(Result.Builder result) {
    result
        .setTotalMs(last.totalTimeMs())
        .setQemuDowntimeMs(last.downtimeMs())
        .setSetupMs(last.setupTimeMs())
        .setRamBytes(last.transferredBytes())
        .setMaxBandwidth(limits.current().maxBandwidth())
        .setDowntimeLimitMs(limits.current().downtimeLimitMs())
        .setPasses((int) last.passes());
  }

  @Override
  HandoffEvent journalFailed(HandoffRecord.Phase phase, String reason) {
    return new HandoffEvent.CancelRequested(reason);
  }

  @Override
  void over() {
    onOver.accept(this);
  }

  /** Facts for people. */
  Map<String, String> facts() {
    return Map.of("migration", id(), "state", machine.state().name(), "to", record().peer());
  }
}
