package io.xmig.control.host;

import io.xmig.control.host.v1.Prepare;
import io.xmig.control.host.v1.Result;
import io.xmig.control.qemu.MigrationDriver;
import io.xmig.control.qemu.MigrationPipe;
import io.xmig.control.qemu.MigrationProgress;
import io.xmig.control.qemu.QemuException;
import io.xmig.control.qemu.QemuProcess;
import io.xmig.control.qemu.QmpEvent;
import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The destination's side of a hand-off, with the real QEMU. */
final class DestinationRun extends HandoffRun {
  private static final Logger log = LoggerFactory.getLogger(DestinationRun.class);
  private static final int POLL_MILLIS = 100;
  private static final int FIND_AGAIN_MILLIS = 500;

  /** QEMU loads the rest of what the pipe has written before it ended. */
  private static final int LOAD_PATIENCE_POLLS = 100;

  /** Until a guest that has just been started has answered everybody who waits for it. */
  private static final long FAVOUR_MILLIS = 1000;

  private final DestinationHandoff machine;
  private final Pipes pipes;
  private final QemuStarter starter;
  private final Consumer<DestinationRun> onOver;
  private @Nullable ManagedVm vm;
  private @Nullable MigrationPipe pipe;
  private boolean loaded;
  private int pollsAfterPipe;

  /** Starts the QEMU that waits for the VM. */
  @FunctionalInterface
  interface QemuStarter {
    ManagedVm start(DestinationRun run, Prepare prepare);
  }

  DestinationRun(
      HandoffRecord record,
      DestinationHandoff machine,
      Pipes pipes,
      QemuStarter starter,
      HandoffJournal journal,
      HostEvents events,
      Consumer<DestinationRun> onOver) {
    super(record, journal, events);
    this.machine = machine;
    this.pipes = pipes;
    this.starter = starter;
    this.onOver = onOver;
  }

  /** Begins with the source's wish. */
  void begin(Prepare prepare) {
    publish(HostEvents.event("prepare", vm(), id()).setDetail("incoming"));
    execute(() -> act(machine.begin(prepare)));
    every(POLL_MILLIS, this::poll);
  }

  /** Goes on after a restart of the service. */
  void resume(@Nullable ManagedVm found) {
    publish(HostEvents.event("recovered", vm(), id()).setDetail(record().phase().name()));
    vm = found;
    if (found != null) {
      pipe = pipes.receiver(found.files().path(), id());
    }
    takingUp();
    execute(this::takeUp);
    every(POLL_MILLIS, this::poll);
  }

  private void takeUp() {
    DestinationHandoff.Found found;
    try {
      found = find();
    } catch (QemuException e) {
      log.warn("cannot see yet what QEMU of {} does: {}", vm(), e.getMessage());
      later(FIND_AGAIN_MILLIS, this::takeUp);
      return;
    }
    takenUp(machine.resume(record(), found));
  }

  private DestinationHandoff.Found find() {
    QemuProcess qemu = vm == null ? null : vm.qemu();
    if (qemu == null || !qemu.isAlive()) {
      return DestinationHandoff.Found.DEAD;
    }
    MigrationDriver driver = new MigrationDriver(qemu.qmp());
    if (driver.runState().equals("running")) {
      return DestinationHandoff.Found.RUNNING;
    }
    loaded = driver.progress().status() == MigrationProgress.Status.COMPLETED;
    return loaded ? DestinationHandoff.Found.LOADED : DestinationHandoff.Found.RECEIVING;
  }

  @Override
  boolean isUndecided() {
    return switch (machine.state()) {
      case STARTING, RECEIVING, LOADED, STARTED -> true;
      case RUNNING, ABORTED, LOST, OVER -> false;
    };
  }

  @Override
  boolean isOver() {
    return machine.isOver();
  }

  @Override
  List<HandoffAction> digest(HandoffEvent event) {
    return machine.on(event);
  }

  @Override
  void perform(HandoffAction action) {
    if (action instanceof HandoffAction.StartIncoming start) {
      startIncoming(start.prepare());
    } else if (action instanceof HandoffAction.Continue) {
      runHere();
    } else if (action instanceof HandoffAction.EndQemu) {
      ManagedVm managed = vm;
      if (managed != null) {
        managed.expectEnd();
        QemuProcess qemu = managed.qemu();
        if (qemu != null) {
          qemu.kill();
        }
      }
    }
  }

  private void startIncoming(Prepare prepare) {
    try {
      ManagedVm managed = starter.start(this, prepare);
      vm = managed;
      QemuProcess qemu = managed.qemu();
      if (qemu == null) {
        throw new IllegalStateException("started without a process");
      }
      MigrationPipe receiver = pipes.receiver(managed.files().path(), id());
      receiver.prepare();
      pipe = receiver;
      new MigrationDriver(qemu.qmp()).receive(receiver.uri());
      act(digest(new HandoffEvent.Waiting(pipes.address(id()))));
    } catch (QemuException | HostException | IOException | IllegalArgumentException e) {
      act(digest(new HandoffEvent.NotWaiting(String.valueOf(e.getMessage()))));
    }
  }

  private void runHere() {
    QemuProcess qemu = vm == null ? null : vm.qemu();
    if (qemu == null || !qemu.isAlive()) {
      act(digest(new HandoffEvent.NotContinued(false, "qemu ended before the guest was started")));
      return;
    }
    try {
      qemu.favour(true);
      later(FAVOUR_MILLIS, () -> qemu.favour(false));
      new MigrationDriver(qemu.qmp()).run();
      act(digest(new HandoffEvent.Continued()));
    } catch (QemuException e) {
      boolean mayHaveRun = e.kind() != QemuException.Kind.REFUSED;
      act(digest(new HandoffEvent.NotContinued(mayHaveRun, String.valueOf(e.getMessage()))));
    }
  }

  @Override
  void qmpEvent(QmpEvent event) {
    if (event.name().equals("MIGRATION")) {
      String status = event.text("status");
      publish(HostEvents.at(event.time(), "qemu-" + status, vm(), id()));
      if (status.equals("completed")) {
        execute(this::completed);
      }
    }
  }

  private void completed() {
    if (!loaded) {
      loaded = true;
      publish(HostEvents.event("loaded", vm(), id()));
      act(digest(new HandoffEvent.Loaded()));
    }
  }

  /** QEMU does not notice a pipe that ends without a word, so its end is looked for here. */
  private void poll() {
    MigrationPipe receiver = pipe;
    if (receiver == null || loaded || machine.state() != DestinationHandoff.State.RECEIVING) {
      return;
    }
    OptionalInt status = receiver.exitStatus();
    if (status.isEmpty()) {
      return;
    }
    QemuProcess qemu = vm == null ? null : vm.qemu();
    if (status.getAsInt() != 0 || ++pollsAfterPipe > LOAD_PATIENCE_POLLS) {
      String words = vm == null ? "" : QemuProcess.lastWords(vm.files());
      act(
          digest(
              new HandoffEvent.PipeFailed(
                  "the receiving pipe ended with status "
                      + status.getAsInt()
                      + (receiver.lastWords().isEmpty() ? "" : ": " + receiver.lastWords())
                      + (words.isEmpty() ? "" : "; it said: " + words))));
    } else if (qemu != null && qemu.isAlive()) {
      try {
        if (new MigrationDriver(qemu.qmp()).progress().status()
            == MigrationProgress.Status.COMPLETED) {
          completed();
        }
      } catch (QemuException e) {
        log.debug("no progress of {}: {}", id(), e.getMessage());
      }
    }
  }

  @Override
  void complete(Result.Builder result) {
    // QEMU's numbers are the source's
  }

  @Override
  HandoffEvent journalFailed(HandoffRecord.Phase phase, String reason) {
    return phase == HandoffRecord.Phase.COMMITTED
        ? new HandoffEvent.NotContinued(false, reason)
        : new HandoffEvent.NotWaiting(reason);
  }

  @Override
  void over() {
    onOver.accept(this);
  }
}
