package io.xmig.control.session;

import io.xmig.control.session.v1.Reason;

/**
 * How a session ended.
 *
 * @param success whether the whole stream was verified and delivered
 * @param reason why not; unspecified after a success
 * @param message one line for people: what happened, and what to try next where there is something
 * @param bytes length of the stream after a success, else the bytes acknowledged or written so far
 */
public record Outcome(boolean success, Reason reason, String message, long bytes) {
  static Outcome success(long bytes, String message) {
    return new Outcome(true, Reason.REASON_UNSPECIFIED, message, bytes);
  }

  static Outcome failure(Reason reason, String message, long bytes) {
    return new Outcome(false, reason, message, bytes);
  }
}
