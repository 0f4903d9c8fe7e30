package io.xmig.xia.testkit;

import io.xmig.xia.node.FrameSink;
import io.xmig.xia.node.XiaNode;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Something with ports that links are plugged into: a node, a switch, a test's probe. */
public interface SimStation {
  /** How traces call it. */
  String name();

  /** Takes a frame, position to limit; the buffer is the caller's again after the call. */
  void receive(int port, ByteBuffer frame);

  /** Tells the station where frames of a port go; {@code null} when it is unplugged. */
  void plug(int port, @Nullable FrameSink out);

  /** A node as a station. */
  static SimStation of(XiaNode node) {
    return new SimStation() {
      @Override
      public String name() {
        return node.name();
      }

      @Override
      public void receive(int port, ByteBuffer frame) {
        node.receive(port, frame);
      }

      @Override
      public void plug(int port, @Nullable FrameSink out) {
        if (out == null) {
          node.detach(port);
        } else {
          node.attach(port, out);
        }
      }
    };
  }
}
