package io.xmig.control.host;

import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.HostEvent;
import io.xmig.control.host.v1.Refused;
import io.xmig.control.host.v1.Result;
import io.xmig.control.qemu.QmpEvent;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives one side of a hand-off: brings events to its state machine and does what that asks for.
 *
 * @threading one thread of its own does everything; events may come from any
 */
abstract class HandoffRun implements HandoffTransport.Listener {
  private static final Logger log = LoggerFactory.getLogger(HandoffRun.class);

  private final ScheduledExecutorService thread;
  private final HandoffJournal journal;
  private final HostEvents events;
  private final HandoffRecord record;
  private @Nullable ScheduledFuture<?> timer;
  private String linkTrouble = "";
  private @Nullable List<HandoffEvent> held;
  private volatile HandoffTransport.@Nullable Link link;

  HandoffRun(HandoffRecord record, HandoffJournal journal, HostEvents events) {
    this.record = record;
    this.journal = journal;
    this.events = events;
    this.thread =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread made = new Thread(task, "handoff-" + record.handoff());
              made.setDaemon(true);
              return made;
            });
  }

  final String id() {
    return record.handoff();
  }

  final HandoffRecord record() {
    return record;
  }

  /** Whether the fate of the VM is still open. */
  abstract boolean isUndecided();

  /** Whether nothing is left to do. */
  abstract boolean isOver();

  /** Gives the event to the state machine. */
  abstract List<HandoffAction> digest(HandoffEvent event);

  /** Does what only this side does. */
  abstract void perform(HandoffAction action);

  /** What the machine should hear when its journal cannot be written. */
  abstract HandoffEvent journalFailed(HandoffRecord.Phase phase, String reason);

  /** Called on the thread once {@link #isOver}. */
  abstract void over();

  /** An event of QEMU's control connection. */
  abstract void qmpEvent(QmpEvent event);

  final void qemuDied() {
    post(new HandoffEvent.QemuDied("qemu ended"));
  }

  final void useLink(HandoffTransport.Link newLink) {
    link = newLink;
  }

  final HandoffTransport.@Nullable Link link() {
    return link;
  }

  @Override
  public final void up() {
    execute(() -> linkTrouble = "");
    post(new HandoffEvent.LinkUp());
  }

  @Override
  public final void down(boolean peerIsGone) {
    post(new HandoffEvent.LinkDown(peerIsGone));
  }

  @Override
  public final void received(HandoffMessage message) {
    publish(HostEvents.event("received", vm(), id()).setDetail(name(message)));
    post(new HandoffEvent.Received(message));
  }

  @Override
  public final void unreachable(String why) {
    execute(
        () -> {
          if (!why.equals(linkTrouble)) {
            linkTrouble = why;
            publish(HostEvents.event("unreachable", vm(), id()).setDetail(why));
          }
        });
  }

  /** Nothing is at stake before the destination has agreed, so this ends a hand-off only then. */
  @Override
  public final void refused(String why) {
    publish(HostEvents.event("refused", vm(), id()).setDetail(why));
    post(
        new HandoffEvent.Received(
            HandoffMessage.newBuilder()
                .setHandoff(id())
                .setRefused(Refused.newBuilder().setReason(why))
                .build()));
  }

  final String vm() {
    return record.vm();
  }

  /** Hands an event to the run's thread. */
  final void post(HandoffEvent event) {
    execute(
        () -> {
          List<HandoffEvent> waiting = held;
          if (waiting != null) {
            waiting.add(event);
          } else {
            act(digest(event));
          }
        });
  }

  /** Keeps every event back until {@link #takenUp}: what QEMU does must be known first. */
  final void takingUp() {
    execute(() -> held = new ArrayList<>());
  }

  /** Does the first actions after a restart, then digests what was kept back. */
  final void takenUp(List<HandoffAction> first) {
    List<HandoffEvent> waiting = held;
    held = null;
    act(first);
    if (waiting != null) {
      waiting.forEach(event -> act(digest(event)));
    }
  }

  final void execute(Runnable task) {
    try {
      thread.execute(guarded(task));
    } catch (RejectedExecutionException e) {
      log.debug("hand-off {} is over, too late for {}", id(), task);
    }
  }

  /** Repeats a task until the run is over. */
  final void every(long millis, Runnable task) {
    thread.scheduleWithFixedDelay(guarded(task), millis, millis, TimeUnit.MILLISECONDS);
  }

  final void later(long millis, Runnable task) {
    thread.schedule(guarded(task), millis, TimeUnit.MILLISECONDS);
  }

  private Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException e) {
        log.error("hand-off {} of {}", id(), vm(), e);
        publish(HostEvents.event("error", vm(), id()).setDetail(String.valueOf(e.getMessage())));
      }
    };
  }

  /** Does the machine's actions in order; on the run's thread. */
  final void act(List<HandoffAction> actions) {
    for (HandoffAction action : actions) {
      if (action instanceof HandoffAction.Journal entry) {
        try {
          journal.write(record.at(entry.phase()));
        } catch (UncheckedIOException e) {
          log.error("hand-off {}: {}", id(), e.getMessage());
          if (entry.phase() != HandoffRecord.Phase.ABORTED) {
            // the rest was to happen only after this was safe
            act(digest(journalFailed(entry.phase(), String.valueOf(e.getMessage()))));
            return;
          }
        }
      } else if (action instanceof HandoffAction.Forget) {
        journal.remove(id());
      } else if (action instanceof HandoffAction.Send send) {
        HandoffTransport.Link to = link;
        if (to != null) {
          to.send(send.message());
          publish(HostEvents.event("send", vm(), id()).setDetail(name(send.message())));
        }
      } else if (action instanceof HandoffAction.Arm arm) {
        disarm();
        timer =
            thread.schedule(
                guarded(() -> act(digest(new HandoffEvent.TimedOut()))),
                arm.delay().toMillis(),
                TimeUnit.MILLISECONDS);
      } else if (action instanceof HandoffAction.Disarm) {
        disarm();
      } else if (action instanceof HandoffAction.Report report) {
        report(report);
      } else {
        perform(action);
      }
    }
    if (isOver()) {
      over();
    }
  }

  private void disarm() {
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
  }

  private void report(HandoffAction.Report report) {
    String reason =
        report.outcome() == HandoffAction.Outcome.MOVED || linkTrouble.isEmpty()
            ? report.reason()
            : report.reason() + "; no connection to the other host service: " + linkTrouble;
    Result.Builder result = Result.newBuilder().setReason(reason);
    result.setOutcome(
        switch (report.outcome()) {
          case MOVED -> Result.Outcome.OUTCOME_MOVED;
          case STAYED -> Result.Outcome.OUTCOME_STAYED;
          case LOST -> Result.Outcome.OUTCOME_LOST;
        });
    complete(result);
    String name = report.outcome().name().toLowerCase(java.util.Locale.ROOT);
    publish(HostEvents.event(name, vm(), id()).setDetail(report.reason()).setResult(result));
  }

  /** Adds this side's numbers to a result. */
  abstract void complete(Result.Builder result);

  final void publish(HostEvent.Builder event) {
    events.publish(event.build());
  }

  private static String name(HandoffMessage message) {
    return message.getBodyCase().name().toLowerCase(java.util.Locale.ROOT);
  }

  /** Ends the connection, if it is ours; what was sent is still delivered. */
  final void closeLink() {
    HandoffTransport.Link open = link;
    if (open != null) {
      open.close();
    }
  }

  /** Ends the thread; what runs ends first. */
  final void dispose() {
    thread.shutdown();
  }
}
