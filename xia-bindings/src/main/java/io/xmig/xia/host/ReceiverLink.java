package io.xmig.xia.host;

import io.xmig.xia.link.Link;
import io.xmig.xia.link.LinkCounters;
import io.xmig.xia.node.FrameSink;
import java.nio.ByteBuffer;

/**
 * The end of a way in: what is sent by it goes to a receiver in this process. Makes it possible to
 * shape what arrives as what leaves is shaped.
 */
final class ReceiverLink implements Link {
  private final Link outside;
  private final LinkCounters counters = new LinkCounters();
  private FrameSink receiver = frame -> {};

  ReceiverLink(Link outside) {
    this.outside = outside;
  }

  @Override
  public String name() {
    return outside.name() + ".in";
  }

  @Override
  public int mtu() {
    return outside.mtu();
  }

  @Override
  public void receiver(FrameSink to) {
    this.receiver = to;
  }

  @Override
  public LinkCounters counters() {
    return counters;
  }

  @Override
  public void frame(ByteBuffer frame) {
    receiver.frame(frame);
  }

  @Override
  public void close() {
    receiver = frame -> {};
  }
}
