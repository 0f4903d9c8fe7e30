package io.xmig.adapt.agent;

/** Where an agent stands. The arrows between the states are drawn in docs/self-adaptation.md. */
public enum AgentState {
  /** No gateway is heard; it asks for one. */
  SEARCHING("waiting for a beacon of a gateway that may be believed"),
  /** Something hints at a move; it asks who is there before, or while, it acts. */
  CHECKING("asking which gateways are on this link"),
  /** The address is set; the gateway has not confirmed the registration. */
  REGISTERING("waiting for the gateway to confirm the registration"),
  /** Registered and confirmed. */
  ATTACHED("nothing");

  private final String waitingFor;

  AgentState(String waitingFor) {
    this.waitingFor = waitingFor;
  }

  /** What the agent is waiting for, for people. */
  public String waitingFor() {
    return waitingFor;
  }
}
