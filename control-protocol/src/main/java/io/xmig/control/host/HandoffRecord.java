package io.xmig.control.host;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

/**
 * What a host service must remember of a hand-off across a crash.
 *
 * @param handoff its id
 * @param role which side we are
 * @param phase how far it is
 * @param vm name of the VM
 * @param peer where the other host service is
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record HandoffRecord(String handoff, Role role, Phase phase, String vm, String peer) {
  enum Role {
    SOURCE,
    DESTINATION
  }

  enum Phase {
    /** Source: the destination was asked; nothing is sent yet. */
    PREPARING,
    /** Source: QEMU sends. The destination has no permission to run the VM. */
    TRANSFERRING,
    /** Source: the destination has, or may have, the permission to run the VM. */
    COMMITTING,
    /** Source: the permission was never given, or the destination declined it for good. */
    ABORTED,
    /** Source: the guest runs here again; only the destination must still hear of it. */
    STAYED,
    /** Destination: a QEMU was started for it; it runs only with the source's permission. */
    PREPARED,
    /** Destination: the permission was used; the guest may have run. */
    COMMITTED,
    /**
     * Destination: QEMU has confirmed that the guest runs; only the source must still hear of it.
     */
    RUNNING;

    /**
     * Whether this hand-off may still have to start or stop its guest. One that need not must not:
     * the guest may have gone on to another hand-off since.
     */
    boolean governsGuest() {
      return this != STAYED && this != RUNNING;
    }
  }

  HandoffRecord at(Phase next) {
    return new HandoffRecord(handoff, role, next, vm, peer);
  }
}
