package io.xmig.control.host;

import io.xmig.control.host.HandoffAction.Arm;
import io.xmig.control.host.HandoffAction.Continue;
import io.xmig.control.host.HandoffAction.Disarm;
import io.xmig.control.host.HandoffAction.EndQemu;
import io.xmig.control.host.HandoffAction.Forget;
import io.xmig.control.host.HandoffAction.Journal;
import io.xmig.control.host.HandoffAction.Outcome;
import io.xmig.control.host.HandoffAction.Report;
import io.xmig.control.host.HandoffAction.Send;
import io.xmig.control.host.HandoffAction.StartIncoming;
import io.xmig.control.host.HandoffEvent.Continued;
import io.xmig.control.host.HandoffEvent.LinkDown;
import io.xmig.control.host.HandoffEvent.LinkUp;
import io.xmig.control.host.HandoffEvent.Loaded;
import io.xmig.control.host.HandoffEvent.NotContinued;
import io.xmig.control.host.HandoffEvent.NotWaiting;
import io.xmig.control.host.HandoffEvent.PipeFailed;
import io.xmig.control.host.HandoffEvent.QemuDied;
import io.xmig.control.host.HandoffEvent.Received;
import io.xmig.control.host.HandoffEvent.TimedOut;
import io.xmig.control.host.HandoffEvent.Waiting;
import io.xmig.control.host.HandoffRecord.Phase;
import io.xmig.control.host.v1.Aborted;
import io.xmig.control.host.v1.Committed;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.Prepare;
import io.xmig.control.host.v1.Prepared;
import io.xmig.control.host.v1.Refused;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The destination's side of a hand-off: runs the guest once it is loaded and the source has given
 * its permission, in whichever order these come.
 *
 * <pre>
 *           Prepare            waiting             loaded             Commit            running
 *  (none) ──────────▶ STARTING ───────▶ RECEIVING ────────▶ LOADED ───────────▶ STARTED ───────▶ RUNNING
 *                        │                  │                  │                   │                │ Released
 *                        ▼                  ▼                  ▼                   ▼                ▼
 *                     ABORTED ◀── died, pipe failed, Abort, timed out ──        LOST              OVER
 * </pre>
 *
 * <p>The guest is paused here until STARTED. Until then this side may give up at any time, alone
 * and for good; {@code Aborted} is then its answer to everything, also after a crash, since a
 * hand-off that nobody remembers is an aborted one. It does so by itself when the source's host
 * service stays away, unless the permission has come already.
 *
 * <p>Pure: no input or output, no clock.
 *
 * @threading one thread
 * @source docs/handoff.md
 */
final class DestinationHandoff {
  enum State {
    STARTING,
    RECEIVING,
    LOADED,
    STARTED,
    RUNNING,
    ABORTED,
    LOST,
    OVER
  }

  /** How long a VM that is not committed is kept for a connected source that says nothing. */
  static final Duration SILENCE_LIMIT = Duration.ofMinutes(15);

  /**
   * How long it is kept when the source's host service has ended. A successor would not take up the
   * transfer anyway, and if the service had sent the permission it asks again and hears the answer.
   */
  static final Duration GONE_LIMIT = Duration.ofSeconds(10);

  /** How long it is kept when the network to the source's host service is lost, as the pipes do. */
  static final Duration LOST_LIMIT = Duration.ofSeconds(60);

  private final String id;
  private State state;
  private boolean linkUp = true;
  private Duration patience = SILENCE_LIMIT;
  private boolean commitWanted;
  private boolean startedBeforeCrash;
  private String address = "";
  private String reason = "";
  private List<HandoffAction> actions = new ArrayList<>();

  private DestinationHandoff(String id, State state) {
    this.id = id;
    this.state = state;
  }

  /** A hand-off that the source has asked for; {@link #begin} comes next. */
  static DestinationHandoff create(String id) {
    return new DestinationHandoff(id, State.STARTING);
  }

  /** First actions of a new hand-off. */
  List<HandoffAction> begin(Prepare prepare) {
    add(new Journal(Phase.PREPARED));
    add(new Arm(SILENCE_LIMIT));
    add(new StartIncoming(prepare));
    return take();
  }

  /** What QEMU was found doing when the host service came back. */
  enum Found {
    /** The process is gone. */
    DEAD,
    /** It waits for the stream or for the rest of it. */
    RECEIVING,
    /** Everything is loaded, the guest is paused. */
    LOADED,
    /** The guest runs. */
    RUNNING
  }

  /** Takes up a hand-off after a crash of the host service; {@link #resume} comes next. */
  static DestinationHandoff recover(HandoffRecord record) {
    DestinationHandoff handoff =
        new DestinationHandoff(
            record.handoff(),
            switch (record.phase()) {
              case COMMITTED -> State.STARTED;
              case RUNNING -> State.RUNNING;
              default -> State.RECEIVING;
            });
    handoff.linkUp = false;
    handoff.patience = LOST_LIMIT;
    handoff.startedBeforeCrash = record.phase() == Phase.COMMITTED;
    return handoff;
  }

  /** First actions after {@link #recover}. */
  List<HandoffAction> resume(HandoffRecord record, Found qemu) {
    if (record.phase() == Phase.COMMITTED || record.phase() == Phase.RUNNING) {
      if (qemu == Found.DEAD) {
        lose("the VM died while its host service was away");
      } else if (record.phase() == Phase.COMMITTED) {
        add(new Continue());
      }
      return take();
    }
    switch (qemu) {
      case DEAD -> abort("qemu died while its host service was away");
      case LOADED -> {
        state = State.LOADED;
        add(new Arm(patience));
      }
      case RECEIVING ->
          // what the pipe's address was is forgotten, so a source still preparing could not go on
          add(new Arm(patience));
      // only Continue makes it run, and the journal comes before that
      case RUNNING -> abort("qemu runs without permission");
    }
    return take();
  }

  State state() {
    return state;
  }

  /** Whether nothing is left to do or to remember. */
  boolean isOver() {
    return state == State.ABORTED || state == State.OVER;
  }

  /** Digests one event. */
  List<HandoffAction> on(HandoffEvent event) {
    if (event instanceof LinkUp) {
      linkUp = true;
      waitAtMost(SILENCE_LIMIT);
      onLinkUp();
    } else if (event instanceof LinkDown down) {
      linkUp = false;
      waitAtMost(down.peerIsGone() ? GONE_LIMIT : LOST_LIMIT);
    } else if (event instanceof Received received) {
      onMessage(received.message());
    } else if (event instanceof Waiting waiting) {
      if (state == State.STARTING) {
        address = waiting.address();
        state = State.RECEIVING;
        sendPrepared();
      }
    } else if (event instanceof NotWaiting notWaiting) {
      if (state == State.STARTING) {
        refuse(notWaiting.reason());
      }
    } else if (event instanceof Loaded) {
      onLoaded();
    } else if (event instanceof PipeFailed failed) {
      if (state == State.RECEIVING || state == State.STARTING) {
        abort(failed.reason());
      }
    } else if (event instanceof QemuDied died) {
      onQemuDied(died.reason());
    } else if (event instanceof Continued) {
      if (state == State.STARTED) {
        state = State.RUNNING;
        add(new Disarm());
        sendCommitted(true);
        // from here on the guest may be moved on, so this hand-off must never start it any more
        add(new Journal(Phase.RUNNING));
        add(new Report(Outcome.MOVED, ""));
      }
    } else if (event instanceof NotContinued not) {
      onNotContinued(not);
    } else if (event instanceof TimedOut) {
      if (mayGiveUp()) {
        abort(
            linkUp
                ? "nothing heard from the source for " + SILENCE_LIMIT.toMinutes() + " minutes"
                : "no connection to the source's host service for " + patience.toSeconds() + " s");
      }
    } else {
      throw new IllegalArgumentException("not an event of the destination: " + event);
    }
    return take();
  }

  private boolean mayGiveUp() {
    return state == State.STARTING || state == State.RECEIVING || state == State.LOADED;
  }

  /** Gives up after {@code limit}; with the permission at hand only if nothing comes at all. */
  private void waitAtMost(Duration limit) {
    patience = commitWanted ? SILENCE_LIMIT : limit;
    if (mayGiveUp()) {
      add(new Arm(patience));
    }
  }

  private void onLinkUp() {
    switch (state) {
      case LOADED -> send(message().setLoaded(io.xmig.control.host.v1.Loaded.newBuilder()));
      case RUNNING -> sendCommitted(true);
      case LOST -> sendCommitted(false);
      // the source has the word
      case STARTING, RECEIVING, STARTED, ABORTED, OVER -> {}
    }
  }

  private void onMessage(HandoffMessage message) {
    waitAtMost(SILENCE_LIMIT);
    switch (message.getBodyCase()) {
      case PREPARE -> {
        if (state == State.RECEIVING || state == State.LOADED) {
          if (address.isEmpty()) {
            abort("the destination's host service was restarted");
          } else {
            sendPrepared();
          }
        }
      }
      case COMMIT -> {
        switch (state) {
          case STARTING, RECEIVING -> commitWanted = true;
          case LOADED -> start();
          case STARTED -> {}
          case RUNNING -> sendCommitted(true);
          case LOST -> sendCommitted(false);
          case ABORTED, OVER -> sendAborted();
        }
      }
      case ABORT -> {
        switch (state) {
          case STARTING, RECEIVING, LOADED -> abort(message.getAbort().getReason());
          case STARTED -> {}
          case RUNNING -> sendCommitted(true);
          case LOST -> sendCommitted(false);
          case ABORTED, OVER -> sendAborted();
        }
      }
      case RELEASED -> {
        if (state == State.RUNNING) {
          state = State.OVER;
          add(new Forget());
        }
      }
      default -> {}
    }
  }

  private void onLoaded() {
    if (state == State.RECEIVING) {
      state = State.LOADED;
      if (commitWanted) {
        start();
      } else {
        send(message().setLoaded(io.xmig.control.host.v1.Loaded.newBuilder()));
      }
    }
  }

  private void onQemuDied(String why) {
    switch (state) {
      case STARTING, RECEIVING, LOADED -> abort(why);
      // in STARTED the answer to Continue is still to come, and says whether the guest may have run
      case RUNNING -> lose(why);
      case STARTED, ABORTED, LOST, OVER -> {}
    }
  }

  private void onNotContinued(NotContinued event) {
    if (state != State.STARTED) {
      return;
    }
    if (event.mayHaveRun() || startedBeforeCrash) {
      add(new EndQemu());
      lose(event.reason());
    } else {
      abort(event.reason());
    }
  }

  private void start() {
    state = State.STARTED;
    // from here on this guest may have run, whatever is found later
    add(new Journal(Phase.COMMITTED));
    add(new Continue());
  }

  private void refuse(String why) {
    reason = why;
    state = State.ABORTED;
    add(new Disarm());
    add(new EndQemu());
    add(new Forget());
    send(message().setRefused(Refused.newBuilder().setReason(why)));
    add(new Report(Outcome.STAYED, why));
  }

  private void abort(String why) {
    reason = why;
    state = State.ABORTED;
    add(new Disarm());
    add(new EndQemu());
    add(new Forget());
    sendAborted();
    add(new Report(Outcome.STAYED, why));
  }

  private void lose(String why) {
    reason = why;
    state = State.LOST;
    add(new Disarm());
    sendCommitted(false);
    add(new Report(Outcome.LOST, why));
  }

  private void sendPrepared() {
    send(message().setPrepared(Prepared.newBuilder().setAddress(address)));
  }

  private void sendAborted() {
    send(message().setAborted(Aborted.newBuilder().setReason(reason)));
  }

  private void sendCommitted(boolean running) {
    send(message().setCommitted(Committed.newBuilder().setRunning(running)));
  }

  private void send(HandoffMessage.Builder builder) {
    if (linkUp) {
      add(new Send(builder.build()));
    }
  }

  private HandoffMessage.Builder message() {
    return HandoffMessage.newBuilder().setHandoff(id);
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
