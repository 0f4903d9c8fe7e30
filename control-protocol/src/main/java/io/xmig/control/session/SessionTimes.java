package io.xmig.control.session;

import java.time.Duration;

/**
 * The waiting times of a session, in nanoseconds.
 *
 * @param connectNs how long the source tries to reach the destination for the first time
 * @param resumeNs how long a lost connection may stay lost
 * @param refusedNs how long the other end may be missing while its host answers
 * @param keepAliveNs silence after which a ping is sent
 * @param deadNs silence after which a connection counts as lost
 * @param greetingNs how long a connection may take to say hello
 */
public record SessionTimes(
    long connectNs, long resumeNs, long refusedNs, long keepAliveNs, long deadNs, long greetingNs) {
  /** How long a lost connection may stay lost unless told otherwise. */
  public static final Duration DEFAULT_RESUME = Duration.ofSeconds(60);

  /** How long the first connection may take unless told otherwise. */
  public static final Duration DEFAULT_CONNECT = Duration.ofSeconds(10);

  /** The usual times with these two. */
  public static SessionTimes of(Duration connect, Duration resume) {
    long second = 1_000_000_000L;
    long refused = Math.min(3 * second, resume.toNanos());
    return new SessionTimes(
        connect.toNanos(), resume.toNanos(), refused, second, 10 * second, 5 * second);
  }
}
