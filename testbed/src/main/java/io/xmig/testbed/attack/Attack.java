package io.xmig.testbed.attack;

import java.util.Locale;

/** What an attacker tries. */
public enum Attack {
  /** A recorded frame, as it was, where it was heard or on another segment. */
  REPLAY,
  /** A recorded frame with some bits changed. */
  ALTERED_REPLAY,
  /** "The VM is here", signed by the attacker's key, with or without a delegation to itself. */
  FORGED_REGISTRATION,
  /** "The VM is here" as v1.1 hosts say it. */
  UNSIGNED_REGISTRATION,
  /** "The VM has moved here, point its route to me", and the withdrawal of such a route. */
  FORGED_REPOINT,
  /** "I am the router to that domain", signed and unsigned. */
  FORGED_ROUTING,
  /** "You are in that domain now, I am your gateway", signed and unsigned. */
  FORGED_BEACON,
  /** "The VM's name leads to me", signed and unsigned. */
  FORGED_NAME,
  /** "Your peer has moved to me", to the ends of connections with the VM. */
  FORGED_MOVE;

  /** As results call it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
