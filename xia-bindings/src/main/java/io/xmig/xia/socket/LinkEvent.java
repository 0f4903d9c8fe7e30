package io.xmig.xia.socket;

/**
 * Something that a link of the node noticed and that may mean a host has moved.
 *
 * @param kind what was noticed
 * @param port port of the node
 * @param mac the Ethernet address concerned as 48 bits, 0 if none
 */
public record LinkEvent(Kind kind, int port, long mac) {
  /** What was noticed. */
  public enum Kind {
    /**
     * A RARP broadcast: a hypervisor announces that the machine with this address now runs behind
     * this port.
     */
    RARP,
    /**
     * The kernel asks this machine to announce itself (NOTIFY_PEERS): it was just resumed
     * elsewhere.
     */
    NOTIFY_PEERS,
    /** The link has come up. */
    UP,
    /** The link has gone down. */
    DOWN
  }
}
