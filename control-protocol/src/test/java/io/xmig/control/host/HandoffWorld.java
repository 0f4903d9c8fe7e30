package io.xmig.control.host;

import io.xmig.control.host.HandoffRecord.Phase;
import io.xmig.control.host.HandoffRecord.Role;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.Prepare;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Two host services, two QEMUs, the pipe and the link between them, made of nothing but variables;
 * one small step at a time in an order that a seed chooses. Every action of a service is a step of
 * its own, so that a crash can fall between any two.
 */
final class HandoffWorld {
  enum Fault {
    CRASH_SOURCE_SERVICE,
    /** It comes back only when nothing else can happen any more. */
    LOSE_SOURCE_SERVICE,
    CRASH_DESTINATION_SERVICE,
    KILL_SOURCE_QEMU,
    KILL_DESTINATION_QEMU,
    KILL_PIPE,
    CUT_LINK,
    /** Its timer goes off, although the link may come back any moment. */
    DESTINATION_LOSES_PATIENCE,
    CANCEL
  }

  enum Migration {
    NONE,
    SENDING,
    SENT,
    FAILED
  }

  private static final String ID = "h1";
  private static final int STEP_LIMIT = 2000;

  private final Random random;
  final List<String> trace = new ArrayList<>();

  // disks
  private @Nullable HandoffRecord sourceJournal;
  private @Nullable HandoffRecord destinationJournal;

  // the source's QEMU
  private boolean sourceQemu = true;
  private boolean sourceRuns = true;
  private Migration migration = Migration.NONE;
  private int stage;
  private boolean pipeAlive;
  private boolean delivered;

  // the destination's QEMU
  private boolean destinationQemu;
  private boolean loaded;
  private boolean destinationRuns;
  private boolean destinationEverRan;

  // services
  private @Nullable SourceHandoff source;
  private @Nullable DestinationHandoff destination;
  private boolean sourceUp = true;
  private boolean sourceStaysAway;
  private boolean destinationUp = true;
  private final Deque<HandoffEvent> sourceEvents = new ArrayDeque<>();
  private final Deque<HandoffEvent> destinationEvents = new ArrayDeque<>();
  private final Deque<HandoffAction> sourceActions = new ArrayDeque<>();
  private final Deque<HandoffAction> destinationActions = new ArrayDeque<>();
  private boolean sourceTimer;
  private boolean destinationTimer;

  // link
  private boolean link;
  private final Deque<HandoffMessage> toDestination = new ArrayDeque<>();
  private final Deque<HandoffMessage> toSource = new ArrayDeque<>();

  // what was done to this world
  boolean sourceQemuKilledBeforeSent;
  boolean sourceQemuKilled;
  boolean destinationQemuKilledAfterPermission;
  boolean destinationQemuKilled;
  private boolean keptBySource;
  private boolean cancelled;
  private boolean streamLost;
  private boolean destinationGaveUp;
  private boolean destinationEnded;
  private boolean permissionUsed;
  private boolean permissionUsedAtCrash;

  HandoffWorld(long seed) {
    random = new Random(seed);
    source = SourceHandoff.create(ID, Prepare.getDefaultInstance());
    sourceActions.addAll(source.begin());
  }

  /** Does one step; false when nothing can happen any more. */
  boolean step() {
    List<Runnable> enabled = enabled();
    if (enabled.isEmpty()) {
      return false;
    }
    enabled.get(random.nextInt(enabled.size())).run();
    check();
    return true;
  }

  /** Runs until nothing can happen; the world heals by itself. */
  int runToTheEnd() {
    int steps = 0;
    while (step()) {
      if (++steps > STEP_LIMIT) {
        throw new AssertionError("no end in sight:\n" + String.join("\n", trace));
      }
    }
    return steps;
  }

  private List<Runnable> enabled() {
    List<Runnable> steps = new ArrayList<>();
    if (sourceUp && !sourceActions.isEmpty()) {
      steps.add(this::sourceAction);
    } else if (sourceUp && !sourceEvents.isEmpty()) {
      steps.add(this::sourceEvent);
    }
    if (destinationUp && !destinationActions.isEmpty()) {
      steps.add(this::destinationAction);
    } else if (destinationUp && !destinationEvents.isEmpty()) {
      steps.add(this::destinationEvent);
    }
    if (!toDestination.isEmpty()) {
      steps.add(this::deliverToDestination);
    }
    if (!toSource.isEmpty()) {
      steps.add(this::deliverToSource);
    }
    if (sourceQemu && migration == Migration.SENDING) {
      steps.add(this::transfer);
    }
    if (migration == Migration.SENT && !delivered && pipeAlive && destinationQemu) {
      steps.add(this::load);
    }
    if (!sourceUp && !sourceStaysAway) {
      steps.add(this::restartSource);
    }
    if (!destinationUp) {
      steps.add(this::restartDestination);
    }
    if (!link && sourceUp && destinationUp) {
      steps.add(this::healLink);
    }
    if (steps.isEmpty()) {
      if (sourceUp && sourceTimer) {
        steps.add(
            () -> {
              say("source: timed out");
              sourceTimer = false;
              sourceEvents.add(new HandoffEvent.TimedOut());
            });
      }
      if (destinationUp && destinationTimer) {
        steps.add(this::destinationTimesOut);
      }
    }
    if (steps.isEmpty() && sourceStaysAway) {
      checkNothingWaits();
      sourceStaysAway = false;
      steps.add(this::restartSource);
    }
    return steps;
  }

  private void destinationTimesOut() {
    say("destination: timed out");
    destinationTimer = false;
    destinationGaveUp = true;
    destinationEvents.add(new HandoffEvent.TimedOut());
  }

  // ---- faults

  void inject(Fault fault) {
    say("** " + fault);
    switch (fault) {
      case CRASH_SOURCE_SERVICE -> crashSource();
      case LOSE_SOURCE_SERVICE -> {
        crashSource();
        sourceStaysAway = true;
      }
      case DESTINATION_LOSES_PATIENCE -> {
        if (destinationTimer) {
          destinationTimesOut();
        }
      }
      case CRASH_DESTINATION_SERVICE -> {
        destinationUp = false;
        permissionUsedAtCrash |= permissionUsed;
        destinationEnded = false;
        destination = null;
        destinationActions.clear();
        destinationTimer = false;
        cutLink();
        destinationEvents.clear();
      }
      case KILL_SOURCE_QEMU -> {
        if (sourceQemu) {
          sourceQemuKilled = true;
          sourceQemuKilledBeforeSent |= migration != Migration.SENT;
          sourceQemuGone("killed");
        }
      }
      case KILL_DESTINATION_QEMU -> {
        if (destinationQemu) {
          destinationQemuKilled = true;
          destinationQemuKilledAfterPermission |=
              destinationJournal != null && destinationJournal.phase() == Phase.COMMITTED
                  || destinationEverRan;
          destinationQemuGone("killed");
        }
      }
      case KILL_PIPE -> killPipe();
      case CUT_LINK -> cutLink();
      case CANCEL -> {
        if (source != null) {
          cancelled = true;
          sourceEvents.add(new HandoffEvent.CancelRequested("cancelled"));
        }
      }
    }
    check();
  }

  private void crashSource() {
    sourceUp = false;
    source = null;
    sourceActions.clear();
    sourceTimer = false;
    cutLink();
    sourceEvents.clear();
  }

  private void cutLink() {
    if (link) {
      link = false;
      toDestination.clear();
      toSource.clear();
      sourceEvents.add(new HandoffEvent.LinkDown(random.nextBoolean()));
      destinationEvents.add(new HandoffEvent.LinkDown(random.nextBoolean()));
    }
  }

  private void healLink() {
    say("link up");
    link = true;
    sourceEvents.add(new HandoffEvent.LinkUp());
    destinationEvents.add(new HandoffEvent.LinkUp());
  }

  private void killPipe() {
    if (!pipeAlive) {
      return;
    }
    pipeAlive = false;
    streamLost |= !delivered;
    if (migration == Migration.SENDING && sourceQemu) {
      migration = Migration.FAILED;
      sourceRuns = true;
      sourceHears(new HandoffEvent.MigrationFailed("broken pipe"));
    }
    if (destinationQemu && !loaded) {
      destinationQemuGone("end of stream");
    }
  }

  private void sourceQemuGone(String why) {
    sourceQemu = false;
    sourceRuns = false;
    if (migration == Migration.SENDING) {
      pipeAlive = false;
      if (destinationQemu && !loaded) {
        destinationQemuGone("end of stream");
      }
    }
    sourceHears(new HandoffEvent.QemuDied(why));
  }

  private void destinationQemuGone(String why) {
    destinationQemu = false;
    destinationRuns = false;
    destinationHears(new HandoffEvent.QemuDied(why));
    if (migration == Migration.SENDING && sourceQemu) {
      pipeAlive = false;
      migration = Migration.FAILED;
      sourceRuns = true;
      sourceHears(new HandoffEvent.MigrationFailed("broken pipe"));
    }
    pipeAlive = false;
  }

  private void sourceHears(HandoffEvent event) {
    if (source != null) {
      sourceEvents.add(event);
    }
  }

  private void destinationHears(HandoffEvent event) {
    if (destination != null) {
      destinationEvents.add(event);
    }
  }

  // ---- QEMU

  private void transfer() {
    stage++;
    say("transfer stage " + stage);
    if (stage == 3) {
      sourceRuns = false;
    } else if (stage > 4) {
      migration = Migration.SENT;
      sourceHears(new HandoffEvent.MigrationCompleted());
    }
  }

  private void load() {
    say("loaded");
    delivered = true;
    loaded = true;
    destinationHears(new HandoffEvent.Loaded());
  }

  // ---- services

  private void sourceEvent() {
    HandoffEvent event = sourceEvents.remove();
    say("source: " + event);
    if (source != null) {
      sourceActions.addAll(source.on(event));
    } else if (event instanceof HandoffEvent.Received received) {
      Strangers.answer(received.message()).ifPresent(this::sendToDestination);
    }
  }

  private void destinationEvent() {
    HandoffEvent event = destinationEvents.remove();
    say("destination: " + event);
    if (destination != null && destination.isOver()) {
      destination = null;
      destinationEnded = true;
    }
    if (destination != null) {
      destinationActions.addAll(destination.on(event));
    } else if (event instanceof HandoffEvent.Received received) {
      if (received.message().hasPrepare() && !destinationEnded) {
        destination = DestinationHandoff.create(ID);
        destinationActions.addAll(destination.begin(received.message().getPrepare()));
      } else {
        Strangers.answer(received.message()).ifPresent(this::sendToSource);
      }
    }
  }

  private void sourceAction() {
    HandoffAction action = sourceActions.remove();
    say("source does " + action);
    if (action instanceof HandoffAction.Journal journal) {
      sourceJournal = new HandoffRecord(ID, Role.SOURCE, journal.phase(), "vm", "peer");
      keptBySource |= journal.phase() == Phase.ABORTED;
    } else if (action instanceof HandoffAction.Forget) {
      sourceJournal = null;
    } else if (action instanceof HandoffAction.Send send) {
      sendToDestination(send.message());
    } else if (action instanceof HandoffAction.Arm) {
      sourceTimer = true;
    } else if (action instanceof HandoffAction.Disarm) {
      sourceTimer = false;
    } else if (action instanceof HandoffAction.StartMigration) {
      if (sourceQemu && pipeAlive && destinationQemu) {
        migration = Migration.SENDING;
        stage = 0;
      } else if (sourceQemu) {
        sourceHears(new HandoffEvent.MigrationFailed("connection refused"));
      }
    } else if (action instanceof HandoffAction.CancelMigration) {
      if (sourceQemu && migration == Migration.SENDING) {
        migration = Migration.FAILED;
        sourceRuns = true;
        pipeAlive = false;
        sourceHears(new HandoffEvent.MigrationFailed("cancelled"));
        if (destinationQemu && !loaded) {
          destinationQemuGone("end of stream");
        }
      } else if (sourceQemu && migration != Migration.SENT) {
        sourceHears(new HandoffEvent.MigrationFailed("not migrating"));
      }
    } else if (action instanceof HandoffAction.Continue) {
      sourceRuns = sourceQemu;
      sourceHears(
          sourceQemu ? new HandoffEvent.Continued() : new HandoffEvent.QemuDied("qemu is gone"));
    } else if (action instanceof HandoffAction.EndQemu) {
      sourceQemu = false;
      sourceRuns = false;
    }
  }

  private void destinationAction() {
    HandoffAction action = destinationActions.remove();
    say("destination does " + action);
    if (action instanceof HandoffAction.Journal journal) {
      destinationJournal = new HandoffRecord(ID, Role.DESTINATION, journal.phase(), "vm", "peer");
      permissionUsed |= journal.phase() == Phase.COMMITTED;
    } else if (action instanceof HandoffAction.Forget) {
      destinationJournal = null;
    } else if (action instanceof HandoffAction.Send send) {
      sendToSource(send.message());
    } else if (action instanceof HandoffAction.Arm) {
      destinationTimer = true;
    } else if (action instanceof HandoffAction.Disarm) {
      destinationTimer = false;
    } else if (action instanceof HandoffAction.StartIncoming) {
      destinationQemu = true;
      loaded = false;
      delivered = false;
      pipeAlive = true;
      destinationHears(new HandoffEvent.Waiting("address"));
    } else if (action instanceof HandoffAction.Continue) {
      if (destinationQemu) {
        destinationRuns = true;
        destinationEverRan = true;
        destinationHears(new HandoffEvent.Continued());
      } else {
        destinationHears(new HandoffEvent.NotContinued(false, "qemu is gone"));
      }
    } else if (action instanceof HandoffAction.EndQemu) {
      destinationQemu = false;
      destinationRuns = false;
      if (migration == Migration.SENDING && sourceQemu) {
        migration = Migration.FAILED;
        sourceRuns = true;
        sourceHears(new HandoffEvent.MigrationFailed("broken pipe"));
      }
      pipeAlive = false;
    }
  }

  private void sendToDestination(HandoffMessage message) {
    if (link) {
      toDestination.add(message);
    }
  }

  private void sendToSource(HandoffMessage message) {
    if (link) {
      toSource.add(message);
    }
  }

  private void deliverToDestination() {
    destinationEvents.add(new HandoffEvent.Received(toDestination.remove()));
  }

  private void deliverToSource() {
    sourceEvents.add(new HandoffEvent.Received(toSource.remove()));
  }

  private void restartSource() {
    say("source: restart");
    sourceUp = true;
    HandoffRecord record = sourceJournal;
    if (record != null) {
      source = SourceHandoff.recover(record);
      SourceHandoff.Found found =
          !sourceQemu
              ? SourceHandoff.Found.DEAD
              : switch (migration) {
                case SENDING -> SourceHandoff.Found.SENDING;
                case SENT -> SourceHandoff.Found.SENT;
                default -> SourceHandoff.Found.RUNNING;
              };
      sourceActions.addAll(source.resume(record, found));
    }
  }

  private void restartDestination() {
    say("destination: restart");
    destinationUp = true;
    HandoffRecord record = destinationJournal;
    if (record != null) {
      destination = DestinationHandoff.recover(record);
      DestinationHandoff.Found found =
          !destinationQemu
              ? DestinationHandoff.Found.DEAD
              : destinationRuns
                  ? DestinationHandoff.Found.RUNNING
                  : loaded ? DestinationHandoff.Found.LOADED : DestinationHandoff.Found.RECEIVING;
      destinationActions.addAll(destination.resume(record, found));
      if (destinationQemu && !loaded && !pipeAlive) {
        destinationHears(new HandoffEvent.PipeFailed("the pipe had ended"));
      }
    }
  }

  // ---- what must hold

  private void check() {
    if (sourceRuns && destinationRuns) {
      throw new AssertionError("the VM runs twice:\n" + String.join("\n", trace));
    }
    if (sourceRuns && destinationEverRan) {
      throw new AssertionError("the VM fell back in time:\n" + String.join("\n", trace));
    }
  }

  /** A source that stays away must not keep a paused copy waiting. */
  private void checkNothingWaits() {
    if (destinationQemu && !destinationRuns) {
      throw new AssertionError(
          "the destination waits for a source that is gone:\n" + String.join("\n", trace));
    }
  }

  /** To be called at the end. */
  void checkEnd() {
    // a service that crashes after noting the permission cannot tell later whether it used it
    boolean unknowable = destinationQemuKilled && permissionUsedAtCrash;
    // a source that has decided to keep the VM loses it with its QEMU
    boolean mayBeLost =
        sourceQemuKilledBeforeSent
            || sourceQemuKilled && (keptBySource || streamLost || cancelled || destinationGaveUp)
            || destinationQemuKilledAfterPermission
            || unknowable
            || sourceQemuKilled && destinationQemuKilled;
    if (!sourceRuns && !destinationRuns && !mayBeLost) {
      throw new AssertionError("the VM runs nowhere:\n" + String.join("\n", trace));
    }
    boolean kept = sourceJournal != null || destinationJournal != null;
    boolean diedAfterPermission = destinationQemuKilledAfterPermission || unknowable;
    if (kept && !diedAfterPermission) {
      throw new AssertionError(
          "not forgotten: "
              + sourceJournal
              + " "
              + destinationJournal
              + "\n"
              + String.join("\n", trace));
    }
    if (destinationQemu && !destinationRuns) {
      throw new AssertionError("a paused copy was left:\n" + String.join("\n", trace));
    }
  }

  boolean ranAtDestination() {
    return destinationRuns;
  }

  boolean runsAtSource() {
    return sourceRuns;
  }

  /** A stopped VM's memory is still there for a person to decide about. */
  boolean sourceKeepsMemory() {
    return sourceQemu && !sourceRuns;
  }

  private void say(String text) {
    trace.add(text.replace('\n', ' '));
  }
}
