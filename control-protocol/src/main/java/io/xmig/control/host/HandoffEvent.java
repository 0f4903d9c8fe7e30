package io.xmig.control.host;

import io.xmig.control.host.v1.HandoffMessage;

/** What happens to either side of a hand-off. */
sealed interface HandoffEvent {
  /** The other host service can be reached, for the first time or again. */
  record LinkUp() implements HandoffEvent {}

  /**
   * The connection to the other host service broke; messages on their way are lost.
   *
   * @param peerIsGone whether its end was closed or reset, as when its process ends, rather than
   *     lost
   */
  record LinkDown(boolean peerIsGone) implements HandoffEvent {}

  /** The other side said something. */
  record Received(HandoffMessage message) implements HandoffEvent {}

  /** Our QEMU process ended. */
  record QemuDied(String reason) implements HandoffEvent {}

  /** The time set by {@link HandoffAction.Arm} is over. */
  record TimedOut() implements HandoffEvent {}

  /** Source: somebody wants the VM to stay. */
  record CancelRequested(String reason) implements HandoffEvent {}

  /** Source: QEMU has written everything; the guest is stopped and only we can start it again. */
  record MigrationCompleted() implements HandoffEvent {}

  /** Source: QEMU gave up, or was made to; the guest runs. */
  record MigrationFailed(String reason) implements HandoffEvent {}

  /** Destination: QEMU waits for the stream, which is to be sent to {@code address}. */
  record Waiting(String address) implements HandoffEvent {}

  /** Destination: QEMU could not be set up. */
  record NotWaiting(String reason) implements HandoffEvent {}

  /** Destination: the stream was verified and loaded; the guest is paused. */
  record Loaded() implements HandoffEvent {}

  /** Destination: the receiving pipe ended without having delivered everything. */
  record PipeFailed(String reason) implements HandoffEvent {}

  /** QEMU confirmed that the guest runs. */
  record Continued() implements HandoffEvent {}

  /**
   * Destination: QEMU did not confirm that the guest runs.
   *
   * @param mayHaveRun whether it may have executed anything
   */
  record NotContinued(boolean mayHaveRun, String reason) implements HandoffEvent {}
}
