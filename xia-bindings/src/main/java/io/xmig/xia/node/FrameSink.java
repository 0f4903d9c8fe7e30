package io.xmig.xia.node;

import java.nio.ByteBuffer;

/** Where frames go: a link, or in the other direction a port of a node. */
@FunctionalInterface
public interface FrameSink {
  /**
   * Takes one Ethernet frame: the bytes from position to limit. The buffer belongs to the caller
   * and is reused after the call; a callee that needs the frame later copies it. During the call
   * the callee may change the bytes.
   */
  void frame(ByteBuffer frame);
}
