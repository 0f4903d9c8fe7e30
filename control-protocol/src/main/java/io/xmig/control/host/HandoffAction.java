package io.xmig.control.host;

import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.Prepare;
import java.time.Duration;

/** What a side of a hand-off wants done, in this order, each finished before the next begins. */
sealed interface HandoffAction {
  /** Make {@code phase} survive a crash of this process. */
  record Journal(HandoffRecord.Phase phase) implements HandoffAction {}

  /** The hand-off needs no memory any more. */
  record Forget() implements HandoffAction {}

  /** Tell the other side; if the link is down the message is lost. */
  record Send(HandoffMessage message) implements HandoffAction {}

  /** Send {@link HandoffEvent.TimedOut} then, unless armed anew or disarmed before. */
  record Arm(Duration delay) implements HandoffAction {}

  /** No {@link HandoffEvent.TimedOut} any more. */
  record Disarm() implements HandoffAction {}

  /** Source: let QEMU send to this address. */
  record StartMigration(String address) implements HandoffAction {}

  /** Source: make QEMU give up, and kill its pipe if that blocks it. */
  record CancelMigration() implements HandoffAction {}

  /** Destination: start a QEMU that waits, paused, and its receiving pipe. */
  record StartIncoming(Prepare prepare) implements HandoffAction {}

  /** Run the guest; harmless where it runs. */
  record Continue() implements HandoffAction {}

  /** End our QEMU: the guest lives elsewhere, or this copy must not live. */
  record EndQemu() implements HandoffAction {}

  /** How it ended, for people and programs. */
  record Report(Outcome outcome, String reason) implements HandoffAction {}

  /** Ways in which a hand-off ends. */
  enum Outcome {
    /** The VM runs at the destination. */
    MOVED,
    /** The VM runs at the source, as before. */
    STAYED,
    /**
     * The VM died. Where the source still holds its paused memory it is kept for a person to
     * decide.
     */
    LOST
  }
}
