package io.xmig.adapt.agent;

import java.util.Map;

/**
 * One step on an agent's time line.
 *
 * @param name {@code sign}, {@code beacon.foreign}, {@code check}, {@code handoff}, {@code
 *     configured}, {@code register.sent}, {@code register.confirmed}, {@code register.refused},
 *     {@code name.sent}, {@code name.confirmed}, {@code redirected}, {@code handoff.complete},
 *     {@code gateway.lost}, {@code damped}
 * @param atNs on the clock of the agent's loop
 * @param facts what belongs to it
 */
public record AgentEvent(String name, long atNs, Map<String, String> facts) {
  public AgentEvent {
    facts = Map.copyOf(facts);
  }
}
