package io.xmig.xia.host;

import io.xmig.xia.link.Link;
import io.xmig.xia.link.LinkCounters;
import io.xmig.xia.node.FrameSink;
import java.nio.ByteBuffer;

/** A link whose two directions are shaped differently: one end sends, the other receives. */
record TwoWays(Link out, Link in) implements Link {
  @Override
  public String name() {
    return out.name();
  }

  @Override
  public int mtu() {
    return out.mtu();
  }

  @Override
  public void receiver(FrameSink receiver) {
    in.receiver(receiver);
  }

  @Override
  public LinkCounters counters() {
    return out.counters();
  }

  @Override
  public void frame(ByteBuffer frame) {
    out.frame(frame);
  }

  @Override
  public void close() {
    in.close();
    out.close();
  }
}
