package io.xmig.adapt.agent;

import java.time.Duration;

/**
 * The agent's times.
 *
 * @param solicitFirst pause before a solicitation is repeated the first time; doubles
 * @param solicitMax longest pause between solicitations
 * @param checkFor how long a gateway that was heard lately may take to answer before another is
 *     preferred
 * @param signHolds how long a sign of mobility counts
 * @param registerFirst pause before a registration is repeated the first time; doubles
 * @param registerMax longest pause between registrations that nobody confirms
 * @param nameFirst the same for names
 * @param nameMax the same for names
 * @param yieldFor how long the agent leaves the word to a host that speaks for the machine
 * @param yieldAgain after which time at the earliest it does so again: nobody signs that he speaks
 *     for the machine, and nobody shall keep the agent waiting
 * @param missedBeacons beacon periods without a beacon after which the gateway counts as lost
 */
public record AgentTiming(
    Duration solicitFirst,
    Duration solicitMax,
    Duration checkFor,
    Duration signHolds,
    Duration registerFirst,
    Duration registerMax,
    Duration nameFirst,
    Duration nameMax,
    Duration yieldFor,
    Duration yieldAgain,
    double missedBeacons) {
  /** Values that suit links of a few milliseconds and beacons every second. */
  public static AgentTiming standard() {
    return new AgentTiming(
        Duration.ofMillis(20),
        Duration.ofSeconds(1),
        Duration.ofMillis(150),
        Duration.ofSeconds(1),
        Duration.ofMillis(40),
        Duration.ofSeconds(1),
        Duration.ofMillis(100),
        Duration.ofSeconds(2),
        Duration.ofSeconds(1),
        Duration.ofSeconds(4),
        3.5);
  }
}
