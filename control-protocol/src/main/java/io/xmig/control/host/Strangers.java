package io.xmig.control.host;

import io.xmig.control.host.v1.Abort;
import io.xmig.control.host.v1.Aborted;
import io.xmig.control.host.v1.HandoffMessage;
import io.xmig.control.host.v1.Refused;
import io.xmig.control.host.v1.Released;
import java.util.Optional;

/**
 * Answers to messages about hand-offs that nobody here remembers.
 *
 * <p>A source forgets only what is decided and a destination only what did not run here or was
 * released, so an unknown hand-off has exactly one truthful answer to each question.
 */
final class Strangers {
  private Strangers() {}

  /** Declines a {@code Prepare}; nothing for anything else. */
  static Optional<HandoffMessage> refusal(HandoffMessage message, String reason) {
    return message.hasPrepare()
        ? Optional.of(
            HandoffMessage.newBuilder()
                .setHandoff(message.getHandoff())
                .setRefused(Refused.newBuilder().setReason(reason))
                .build())
        : Optional.empty();
  }

  /** The answer, or nothing if none is due; to a {@code Prepare} if the hand-off has ended here. */
  static Optional<HandoffMessage> answer(HandoffMessage message) {
    HandoffMessage.Builder answer = HandoffMessage.newBuilder().setHandoff(message.getHandoff());
    return switch (message.getBodyCase()) {
      // to a destination
      case PREPARE, COMMIT, ABORT, BODY_NOT_SET ->
          Optional.of(
              answer
                  .setAborted(Aborted.newBuilder().setReason("the destination does not know it"))
                  .build());
      // to a source
      case PREPARED, LOADED ->
          Optional.of(
              answer.setAbort(Abort.newBuilder().setReason("the source does not know it")).build());
      case COMMITTED -> Optional.of(answer.setReleased(Released.getDefaultInstance()).build());
      default -> Optional.empty();
    };
  }
}
