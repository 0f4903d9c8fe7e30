package io.xmig.testbed.vm;

import io.xmig.xia.node.UrgentSink;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.wire.EthernetFlyweight;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Lets the guest answer whoever talks to it before it listens to what is said to everybody. Beacons
 * and solicitations concern the agent, and can wait a moment where a host has already said where
 * the guest is; what they run is cold when the guest has just been resumed, and would take the
 * processor from the first answers.
 *
 * @threading on the loop
 */
final class ClientsFirst implements UrgentSink {
  /** A broadcast waits this long; several times what the first answer takes. */
  static final long PATIENCE_NS = 100_000_000;

  /** Broadcasts that wait at a time; further ones are not kept waiting. */
  static final int MOST_WAITING = 64;

  /** No beacon is longer; a longer broadcast is not kept waiting. */
  private static final int LONGEST = 2048;

  private final EventLoop loop;
  private final UrgentSink node;
  private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();

  ClientsFirst(EventLoop loop, UrgentSink node) {
    this.loop = loop;
    this.node = node;
    for (int i = 0; i < MOST_WAITING; i++) {
      free.add(ByteBuffer.allocateDirect(LONGEST)); // here: making one is cold code, too
    }
  }

  @Override
  public boolean urgent(ByteBuffer frame) {
    return node.urgent(frame);
  }

  @Override
  public void frame(ByteBuffer frame) {
    if (node.urgent(frame)) {
      return;
    }
    int start = frame.position();
    if (!EthernetFlyweight.fits(frame, start, frame.limit())
        || !EthernetFlyweight.isGroup(EthernetFlyweight.destination(frame, start))
        || frame.remaining() > LONGEST
        || free.isEmpty()) {
      node.frame(frame);
      return;
    }
    ByteBuffer copy = free.remove().clear().put(frame).flip();
    loop.schedule(PATIENCE_NS, () -> handOn(copy));
  }

  private void handOn(ByteBuffer copy) {
    node.frame(copy);
    free.add(copy);
  }
}
