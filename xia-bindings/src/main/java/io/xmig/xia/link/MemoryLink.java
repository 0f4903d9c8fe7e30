package io.xmig.xia.link;

import io.xmig.xia.node.FrameSink;
import io.xmig.xia.socket.EventLoop;
import java.nio.ByteBuffer;

/** One end of a link between two nodes on the same loop, real or simulated. */
public final class MemoryLink implements Link {
  /** Frames handed over before others get their turn. */
  private static final int FRAMES_PER_TURN = 256;

  private final EventLoop loop;
  private final String name;
  private final int mtu;
  private final FrameQueue queue;
  private final LinkCounters counters = new LinkCounters();
  private final Runnable deliver = this::deliver;
  private FrameSink receiver = frame -> {};
  private MemoryLink other;
  private boolean pending;
  private boolean closed;

  private MemoryLink(EventLoop loop, String name, LinkOptions options) {
    this.loop = loop;
    this.name = name;
    this.mtu = options.mtu();
    this.queue = new FrameQueue(16 << 10, options.queueBytes());
    this.other = this;
  }

  /** The two ends of a new link. */
  public static MemoryLink[] pair(EventLoop loop, String name, LinkOptions options) {
    MemoryLink a = new MemoryLink(loop, name + ".a", options);
    MemoryLink b = new MemoryLink(loop, name + ".b", options);
    a.other = b;
    b.other = a;
    return new MemoryLink[] {a, b};
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int mtu() {
    return mtu;
  }

  @Override
  public void receiver(FrameSink receiver) {
    this.receiver = receiver;
  }

  @Override
  public LinkCounters counters() {
    return counters;
  }

  @Override
  public void frame(ByteBuffer frame) {
    int length = frame.remaining();
    if (length < ETHERNET_HEADER_LENGTH || length > mtu + ETHERNET_HEADER_LENGTH) {
      counters.oversizeDrops++;
      return;
    }
    if (closed || other.closed) {
      counters.absentDrops++;
      return;
    }
    if (!queue.offer(frame)) {
      counters.queueDrops++;
      return;
    }
    counters.framesOut++;
    counters.bytesOut += length;
    if (!pending) {
      pending = true;
      loop.execute(deliver);
    }
  }

  private void deliver() {
    pending = false;
    for (int i = 0; i < FRAMES_PER_TURN && !queue.isEmpty(); i++) {
      if (other.closed) {
        queue.clear();
        return;
      }
      ByteBuffer frame = queue.frame(0);
      other.counters.framesIn++;
      other.counters.bytesIn += frame.remaining();
      other.receiver.frame(frame);
      if (!queue.isEmpty()) { // the receiver may have closed us
        queue.drop(1);
      }
    }
    if (!queue.isEmpty() && !pending) {
      pending = true;
      loop.execute(deliver);
    }
  }

  @Override
  public void close() {
    closed = true;
    queue.clear();
  }
}
