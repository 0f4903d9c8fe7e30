package io.xmig.control.host;

import io.xmig.control.host.HandoffAction.Arm;
import io.xmig.control.host.HandoffAction.CancelMigration;
import io.xmig.control.host.HandoffAction.Continue;
import io.xmig.control.host.HandoffAction.Disarm;
import io.xmig.control.host.HandoffAction.EndQemu;
import io.xmig.control.host.HandoffAction.Forget;
import io.xmig.control.host.HandoffAction.Journal;
import io.xmig.control.host.HandoffAction.Outcome;
import io.xmig.control.host.HandoffAction.Report;
import io.xmig.control.host.HandoffAction.Send;
import io.xmig.control.host.HandoffAction.StartMigration;
import io.xmig.control.host.HandoffEvent.CancelRequested;
import io.xmig.control.host.HandoffEvent.Continued;
import io.xmig.control.host.HandoffEvent.LinkDown;
import io.xmig.control.host.HandoffEvent.LinkUp;
import io.xmig.control.host.HandoffEvent.MigrationCompleted;
import io.xmig.control.host.HandoffEvent.MigrationFailed;
import io.xmig.control.host.HandoffEvent.QemuDied;
import io.xmig.control.host.HandoffEvent.Received;
import io.xmig.control.host.HandoffEvent.TimedOut;
import io.xmig.control.host.HandoffRecord.Phase;
import io.xmig.control.host.v1.Abort;
import io.xmig.control.host.v1.Commit;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.Prepare;
import io.xmig.control.host.v1.Released;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The source's side of a hand-off: decides whether the guest may run here.
 *
 * <pre>
 *              Prepared                completed, link up             Committed
 *  PREPARING ───────────▶ TRANSFERRING ──────────────────▶ COMMITTING ──────────▶ MOVED
 *      │                    │      │                           │
 *      │ refused, cancel    │      │ cancel, peer aborted      │ Aborted
 *      ▼                    │      ▼                           ▼
 *  RESUMING ◀───────────────┴── CANCELLING                RESUMING
 *      │        failed                 failed | completed
 *      ▼ the guest runs
 *    STAYED
 * </pre>
 *
 * <p>The guest runs here in every state but COMMITTING and MOVED; in TRANSFERRING and CANCELLING
 * QEMU itself may hold it stopped for the last pass; RESUMING starts it again if need be. The rule
 * that everything serves: before COMMITTING is journalled the destination has no permission to run
 * the guest, so the source may go on alone; afterwards only the destination's answer {@code
 * Aborted} lets the guest run here again, however long it takes to get it.
 *
 * <p>Pure: no input or output, no clock.
 *
 * @threading one thread
 * @source docs/handoff.md
 */
final class SourceHandoff {
  enum State {
    PREPARING,
    TRANSFERRING,
    CANCELLING,
    COMMITTING,
    MOVED,
    RESUMING,
    STAYED,
    LOST
  }

  /** How long the destination may take to get ready, connection included. */
  static final Duration PREPARE_LIMIT = Duration.ofSeconds(60);

  /**
   * How long the stopped guest waits for a broken link before it is resumed here instead. Only
   * before COMMITTING; it is all downtime.
   */
  static final Duration COMMIT_LINK_LIMIT = Duration.ofSeconds(3);

  /** How long a destination is told to drop its copy; after that it has done so by itself. */
  static final Duration TELL_LIMIT = DestinationHandoff.SILENCE_LIMIT;

  private final String id;
  private final @Nullable Prepare prepare;
  private State state;
  private boolean linkUp;
  private boolean migrationCompleted;
  private boolean qemuDead;
  private boolean cancelWanted;
  private boolean peerMustDrop;
  private String reason = "";
  private List<HandoffAction> actions = new ArrayList<>();

  private SourceHandoff(String id, @Nullable Prepare prepare, State state) {
    this.id = id;
    this.prepare = prepare;
    this.state = state;
  }

  /** A new hand-off; {@link #begin} comes next. */
  static SourceHandoff create(String id, Prepare prepare) {
    return new SourceHandoff(id, prepare, State.PREPARING);
  }

  /** First actions of a new hand-off. */
  List<HandoffAction> begin() {
    add(new Journal(Phase.PREPARING));
    add(new Arm(PREPARE_LIMIT));
    if (linkUp) {
      sendPrepare();
    }
    return take();
  }

  /** What QEMU was found doing when the host service came back. */
  enum Found {
    /** The process is gone. */
    DEAD,
    /** It is sending. */
    SENDING,
    /** It has sent everything; the guest is stopped. */
    SENT,
    /** Neither; the guest runs. */
    RUNNING
  }

  /** Takes up a hand-off after a crash of the host service; {@link #resume} comes next. */
  static SourceHandoff recover(HandoffRecord record) {
    SourceHandoff handoff =
        new SourceHandoff(
            record.handoff(),
            null,
            switch (record.phase()) {
              case COMMITTING -> State.COMMITTING;
              case STAYED -> State.STAYED;
              default -> State.CANCELLING;
            });
    handoff.peerMustDrop = record.phase() == Phase.STAYED;
    return handoff;
  }

  /** First actions after {@link #recover}. */
  List<HandoffAction> resume(HandoffRecord record, Found qemu) {
    qemuDead = qemu == Found.DEAD;
    migrationCompleted = qemu == Found.SENT;
    reason = "the source's host service was restarted";
    if (record.phase() == Phase.COMMITTING) {
      return take(); // the destination is asked as soon as the link is up
    }
    if (record.phase() == Phase.STAYED) {
      add(new Arm(TELL_LIMIT));
      return take();
    }
    if (qemuDead && record.phase() == Phase.TRANSFERRING) {
      commitWithoutQemu();
    } else {
      add(new Journal(Phase.ABORTED));
      peerMustDrop = true;
      sendAbort();
      if (qemuDead) {
        end(State.LOST, "qemu died");
      } else if (qemu == Found.SENDING) {
        add(new CancelMigration());
      } else {
        stay();
      }
    }
    return take();
  }

  State state() {
    return state;
  }

  /** Whether nothing is left to do here, not even telling the other side. */
  boolean isOver() {
    return !peerMustDrop && (state == State.MOVED || state == State.STAYED || state == State.LOST);
  }

  /** Whether the fate of the VM is known, and settled here. */
  boolean isDecided() {
    return state == State.MOVED || state == State.STAYED || state == State.LOST;
  }

  /** Digests one event. */
  List<HandoffAction> on(HandoffEvent event) {
    if (event instanceof LinkUp) {
      onLinkUp();
    } else if (event instanceof LinkDown) {
      linkUp = false;
    } else if (event instanceof Received received) {
      onMessage(received.message());
    } else if (event instanceof MigrationCompleted) {
      onCompleted();
    } else if (event instanceof MigrationFailed failed) {
      onFailed(failed.reason());
    } else if (event instanceof QemuDied died) {
      onQemuDied(died.reason());
    } else if (event instanceof Continued) {
      onContinued();
    } else if (event instanceof CancelRequested cancel) {
      onCancel(cancel.reason());
    } else if (event instanceof TimedOut) {
      onTimeout();
    } else {
      throw new IllegalArgumentException("not an event of the source: " + event);
    }
    return take();
  }

  private void onLinkUp() {
    linkUp = true;
    switch (state) {
      case PREPARING -> sendPrepare();
      case TRANSFERRING -> {
        if (migrationCompleted) {
          commit();
        } else {
          // so that the destination knows where to answer
          send(message());
        }
      }
      case COMMITTING -> sendDecision();
      case CANCELLING, RESUMING, STAYED, LOST -> {
        if (peerMustDrop) {
          sendAbort();
        }
      }
      case MOVED -> sendReleased();
    }
  }

  private void onMessage(HandoffMessage message) {
    switch (message.getBodyCase()) {
      case PREPARED -> {
        if (state == State.PREPARING) {
          add(new Disarm());
          add(new Journal(Phase.TRANSFERRING));
          add(new StartMigration(message.getPrepared().getAddress()));
          state = State.TRANSFERRING;
        } else if (peerMustDrop) {
          sendAbort();
        }
      }
      case REFUSED -> {
        if (state == State.PREPARING) {
          add(new Disarm());
          add(new Forget());
          end(State.STAYED, "the destination refuses: " + message.getRefused().getReason());
        }
      }
      case ABORTED -> onAborted(message.getAborted().getReason());
      case COMMITTED -> onCommitted(message.getCommitted().getRunning());
      // LOADED is for the watcher only: the permission is given without waiting for it
      default -> {}
    }
  }

  private void onAborted(String peerReason) {
    peerMustDrop = false;
    String why = "the destination gave up: " + peerReason;
    switch (state) {
      case PREPARING -> {
        add(new Disarm());
        add(new Forget());
        end(State.STAYED, why);
      }
      case TRANSFERRING -> {
        add(new Journal(Phase.ABORTED));
        leaveTransfer(why);
      }
      case CANCELLING, RESUMING -> {}
      case COMMITTING -> {
        if (qemuDead) {
          add(new Forget());
          end(State.LOST, "qemu died on the source and " + why);
        } else {
          add(new Journal(Phase.ABORTED));
          reason = cancelWanted ? reason : why;
          stay();
        }
      }
      case STAYED, LOST -> add(new Forget());
      case MOVED -> {}
    }
  }

  private void onCommitted(boolean running) {
    switch (state) {
      case COMMITTING -> {
        if (running) {
          add(new EndQemu());
          add(new Forget());
          sendReleased();
          end(State.MOVED, "");
        } else {
          end(
              State.LOST,
              "the VM was started at the destination and died there; "
                  + (qemuDead ? "qemu died here too" : "its state before is kept here, paused"));
        }
      }
      case MOVED -> sendReleased();
      default -> {}
    }
  }

  private void onCompleted() {
    migrationCompleted = true;
    if (state == State.TRANSFERRING) {
      if (linkUp) {
        commit();
      } else {
        add(new Arm(COMMIT_LINK_LIMIT));
      }
    } else if (state == State.CANCELLING) {
      stay();
    }
  }

  private void onFailed(String why) {
    if (state == State.TRANSFERRING) {
      add(new Journal(Phase.ABORTED));
      peerMustDrop = true;
      sendAbort(why);
      reason = why;
      stay();
    } else if (state == State.CANCELLING) {
      stay();
    }
  }

  private void onContinued() {
    if (state == State.RESUMING) {
      // from here on the guest may be moved again, so this hand-off must never touch it any more
      add(peerMustDrop ? new Journal(Phase.STAYED) : new Forget());
      end(State.STAYED, reason);
    }
  }

  private void onQemuDied(String why) {
    qemuDead = true;
    switch (state) {
      case PREPARING -> {
        add(new Disarm());
        add(new Journal(Phase.ABORTED));
        peerMustDrop = true;
        sendAbort(why);
        end(State.LOST, why);
      }
      case TRANSFERRING -> {
        reason = why;
        commitWithoutQemu();
      }
      case CANCELLING, RESUMING -> {
        if (!peerMustDrop) {
          add(new Forget());
        }
        end(State.LOST, why);
      }
      case COMMITTING -> {
        if (cancelWanted) {
          // there is nothing to stay for any more
          cancelWanted = false;
          if (linkUp) {
            sendDecision();
          }
        }
      }
      case MOVED, STAYED, LOST -> {}
    }
  }

  private void onCancel(String why) {
    switch (state) {
      case PREPARING -> {
        add(new Disarm());
        add(new Journal(Phase.ABORTED));
        peerMustDrop = true;
        sendAbort(why);
        reason = why;
        stay();
      }
      case TRANSFERRING -> {
        add(new Journal(Phase.ABORTED));
        peerMustDrop = true;
        sendAbort(why);
        leaveTransfer(why);
      }
      case COMMITTING -> {
        // too late to decide alone: the destination says which
        cancelWanted = !qemuDead;
        reason = why;
        if (linkUp) {
          sendDecision();
        }
      }
      case CANCELLING, RESUMING, MOVED, STAYED, LOST -> {}
    }
  }

  private void onTimeout() {
    if (state == State.PREPARING) {
      onCancel("the destination did not get ready within " + PREPARE_LIMIT.toSeconds() + " s");
    } else if (state == State.TRANSFERRING && migrationCompleted) {
      onCancel("no connection to the destination's host service when all was sent");
    } else if (isDecided() && peerMustDrop) {
      peerMustDrop = false;
      add(new Forget());
    }
  }

  /** Ends a transfer that will not be committed; QEMU may be sending or have sent. */
  private void leaveTransfer(String why) {
    reason = why;
    if (migrationCompleted) {
      stay();
    } else {
      state = State.CANCELLING;
      add(new CancelMigration());
    }
  }

  private void commit() {
    add(new Disarm());
    add(new Journal(Phase.COMMITTING));
    state = State.COMMITTING;
    sendDecision();
  }

  /**
   * A dead QEMU cannot run the guest, so the destination may, should the whole stream have reached
   * it; if not it says so.
   */
  private void commitWithoutQemu() {
    add(new Disarm());
    add(new Journal(Phase.COMMITTING));
    state = State.COMMITTING;
    if (linkUp) {
      sendDecision();
    }
  }

  private void sendDecision() {
    if (cancelWanted) {
      sendAbort(reason);
    } else {
      send(message().setCommit(Commit.getDefaultInstance()));
    }
  }

  private void sendPrepare() {
    if (prepare != null) {
      send(message().setPrepare(prepare));
    }
  }

  private void sendAbort() {
    sendAbort(reason);
  }

  private void sendAbort(String why) {
    send(message().setAbort(Abort.newBuilder().setReason(why)));
  }

  private void sendReleased() {
    send(message().setReleased(Released.getDefaultInstance()));
  }

  private void send(HandoffMessage.Builder builder) {
    if (linkUp) {
      add(new Send(builder.build()));
    }
  }

  private HandoffMessage.Builder message() {
    return HandoffMessage.newBuilder().setHandoff(id);
  }

  private void stay() {
    add(new Disarm());
    add(new Continue());
    state = State.RESUMING;
  }

  private void end(State next, String why) {
    add(peerMustDrop ? new Arm(TELL_LIMIT) : new Disarm());
    reason = why;
    state = next;
    Outcome outcome =
        switch (next) {
          case MOVED -> Outcome.MOVED;
          case STAYED -> Outcome.STAYED;
          default -> Outcome.LOST;
        };
    add(new Report(outcome, why));
  }

  private void add(HandoffAction action) {
    actions.add(action);
  }

  private List<HandoffAction> take() {
    List<HandoffAction> taken = actions;
    actions = new ArrayList<>();
    return taken;
  }
}
