package io.xmig.adapt.agent;

/** What made the agent suspect that the machine woke up elsewhere. */
public enum MobilitySign {
  /** The kernel was asked to announce the machine to its peers. */
  NOTIFY_PEERS,
  /** A gateway saw the hypervisor announce this machine's Ethernet address. */
  ARRIVAL,
  /** The hypervisor reported that the machine runs (QMP RESUME). */
  RESUME,
  /** A hypervisor's RARP was seen on the link. */
  RARP,
  /** The link came up. */
  LINK_UP,
  /** A host said that it speaks for the machine, a moment ago. */
  SPOKEN_FOR,
  /** Signs were passed over since they seemed to repeat the one before. */
  REPEATED
}
