package io.xmig.xia.node;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.EventLoop;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** A host on a link, its Ethernet address if known, and the packets that wait for it. */
final class Neighbour {
  /** A packet that waits, with the Ethernet header's room in front. */
  record Waiting(byte[] frame, long sinceNs) {}

  final Xid xid;
  final XarpTable table;
  final ArrayDeque<Waiting> waiting = new ArrayDeque<>(4);

  /** Ethernet address; meaningful if {@link #known}. */
  long mac;

  boolean known;
  long learnedNs;

  /** Asked at its address since {@link #probingSinceNs}, no answer yet. */
  boolean probing;

  long probingSinceNs;

  /** More than one reply named {@link #mac}, or it was entered by hand. */
  boolean confirmed;

  /** What the last reply said, believed or not; meaningful if {@link #claimed}. */
  long claimedMac;

  boolean claimed;

  /** When it was last asked for, meaningful if {@link #asked}. */
  long askedNs;

  boolean asked;

  /** Pause before the next question of the running series. */
  long retryDelayNs;

  EventLoop.@Nullable Timer retry;

  /** Taken out of its table; routes that remember it look it up again. */
  boolean removed;

  Neighbour(Xid xid, XarpTable table) {
    this.xid = xid;
    this.table = table;
  }
}
