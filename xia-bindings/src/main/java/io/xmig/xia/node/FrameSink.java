package io.xmig.xia.node;

import java.nio.ByteBuffer;

/** Where frames go: a link, or in the other direction a port of a node. */
@FunctionalInterface
public interface FrameSink {
  /**
   * Takes one frame, big-endian, the bytes from position to limit: an Ethernet frame, or an IPv4
   * packet on a port made for them. The buffer belongs to the caller and is reused after the call;
   * a callee that needs the frame later copies it. During the call the callee may change bytes,
   * position and limit.
   *
   * <p>A link does not hand frames to its node from within this call but in a later task: the node
   * is in the middle of its work.
   */
  void frame(ByteBuffer frame);
}
