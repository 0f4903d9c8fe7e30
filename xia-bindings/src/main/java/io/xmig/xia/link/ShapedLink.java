package io.xmig.xia.link;

import io.xmig.xia.node.FrameSink;
import io.xmig.xia.socket.EventLoop;
import java.nio.ByteBuffer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Gives the frames that leave by another link a rate, a delay, and chance; what arrives passes
 * untouched. Two such ends make a link that is shaped in both directions.
 *
 * <pre>
 *   frame ─▶ waits for the transmitter ─▶ on the wire: bytes ÷ rate ─▶ delay + jitter ─▶ inner link
 *              full: dropped                 lost frames use it too     some are overtaken
 * </pre>
 *
 * Every frame's arrival is computed when it comes, so the rate is exact however late the loop
 * wakes. On a link that is busy, frames leave together as a network card would deliver them that
 * moderates its interrupts: up to {@value #LATEST_NS} ns late, and up to an eighth of the delay, at
 * most {@value #EARLIEST_NS} ns, early. A frame that is alone on the link is on time.
 *
 * @source Click's LinkUnqueue; jitter, loss and reordering are local choices
 */
public final class ShapedLink implements Link {
  private static final long LATEST_NS = 100_000;
  private static final long EARLIEST_NS = 100_000;
  private static final long MIN_OVERTAKE_NS = 1_000_000;
  private static final int MAX_MEMORY_BYTES = 24 << 20;
  private static final int UNLIMITED_RATE_MEMORY_BYTES = 8 << 20;

  private final EventLoop loop;
  private final Link inner;
  private final RandomGenerator random;
  private final LinkCounters counters = new LinkCounters();
  private final Runnable wake = this::wake;
  private final Lane inOrder;
  private final Lane overtaken;
  private LinkShape shape;
  private int queueBytes;
  private long transmitterFreeNs;
  private EventLoop.@Nullable Timer timer;
  private long timerDueNs;
  private long notBeforeNs;
  private boolean closed;

  /**
   * @param inner where the frames go; closed with this
   * @param random seeded in a simulation
   */
  public ShapedLink(EventLoop loop, Link inner, LinkShape shape, RandomGenerator random) {
    this.loop = loop;
    this.inner = inner;
    this.random = random;
    this.shape = shape;
    this.queueBytes = queueBytes(shape, inner.mtu());
    this.transmitterFreeNs = loop.nanoTime();
    this.notBeforeNs = transmitterFreeNs;
    int memory = memoryBytes(shape, queueBytes);
    this.inOrder = new Lane(memory);
    this.overtaken = new Lane(Math.max(2 * MAX_MTU, memory / 8));
  }

  private static int queueBytes(LinkShape shape, int mtu) {
    if (shape.queueBytes() > 0) {
      return Math.max(shape.queueBytes(), mtu + ETHERNET_HEADER_LENGTH);
    }
    return Math.max(64 << 10, Math.min(4 << 20, 200 * (mtu + ETHERNET_HEADER_LENGTH)));
  }

  /** What waits plus what is on the wire, and a little for the circle's seam. */
  private static int memoryBytes(LinkShape shape, int queueBytes) {
    if (shape.bytesPerSecond() == 0) {
      return UNLIMITED_RATE_MEMORY_BYTES;
    }
    double onTheWire = shape.bytesPerSecond() / 1e9 * (shape.delayNs() + shape.jitterNs());
    double bytes = (queueBytes + onTheWire) * 1.25 + 4 * MAX_MTU;
    return (int) Math.max(queueBytes, Math.min(MAX_MEMORY_BYTES, bytes));
  }

  /** Changes the shape for the frames that come from now on; memory limits stay. */
  public void shape(LinkShape shape) {
    this.shape = shape;
    this.queueBytes = queueBytes(shape, inner.mtu());
  }

  /** The shape now. */
  public LinkShape shape() {
    return shape;
  }

  /** Frames on the way. */
  public int size() {
    return inOrder.frames.size() + overtaken.frames.size();
  }

  @Override
  public String name() {
    return inner.name();
  }

  @Override
  public int mtu() {
    return inner.mtu();
  }

  @Override
  public void receiver(FrameSink receiver) {
    inner.receiver(receiver);
  }

  /** Counts of this element; what passes on is counted by the inner link as well. */
  @Override
  public LinkCounters counters() {
    return counters;
  }

  @Override
  public void frame(ByteBuffer frame) {
    int length = frame.remaining();
    if (length < ETHERNET_HEADER_LENGTH || length > mtu() + ETHERNET_HEADER_LENGTH) {
      counters.oversizeDrops++;
      return;
    }
    if (closed) {
      counters.absentDrops++;
      return;
    }
    long now = loop.nanoTime();
    long sentNs = now;
    if (shape.bytesPerSecond() > 0) {
      long backlogNs = Math.max(0, transmitterFreeNs - now);
      double backlogBytes = backlogNs / 1e9 * shape.bytesPerSecond();
      if (backlogBytes > queueBytes) {
        counters.queueDrops++;
        return;
      }
      sentNs = now + backlogNs + Math.round(length * 1e9 / shape.bytesPerSecond());
      transmitterFreeNs = sentNs;
    }
    if (shape.loss() > 0 && random.nextDouble() < shape.loss()) {
      counters.lossDrops++;
      return;
    }
    long due = sentNs + shape.delayNs();
    if (shape.jitterNs() > 0) {
      due += random.nextLong(shape.jitterNs() + 1);
    }
    boolean overtake = shape.reorder() > 0 && random.nextDouble() < shape.reorder();
    Lane lane = overtake ? overtaken : inOrder;
    if (overtake) {
      due += Math.max(MIN_OVERTAKE_NS, shape.delayNs() / 4);
    }
    if (due - now <= 0 && size() == 0) {
      pass(frame, length);
    } else if (lane.offer(frame, due)) {
      if (lane.frames.size() == 1) {
        wakeAt(lane.firstDueNs(), now);
      }
    } else {
      counters.queueDrops++;
    }
  }

  private void pass(ByteBuffer frame, int length) {
    counters.framesOut++;
    counters.bytesOut += length;
    inner.frame(frame);
  }

  private void wakeAt(long firstDue, long now) {
    long due = firstDue - notBeforeNs < 0 ? notBeforeNs : firstDue;
    if (timer != null) {
      if (due - timerDueNs >= 0) {
        return;
      }
      timer.cancel();
    }
    timerDueNs = due;
    timer = loop.schedule(due - now, wake);
  }

  private void wake() {
    timer = null;
    long now = loop.nanoTime();
    long last = now + Math.min(EARLIEST_NS, shape.delayNs() / 8);
    notBeforeNs = last + LATEST_NS; // not for every frame of a fast link
    while (!closed) {
      Lane lane = next();
      if (lane == null || lane.firstDueNs() - last > 0) {
        break;
      }
      ByteBuffer frame = lane.frames.frame(0);
      pass(frame, frame.remaining());
      lane.drop();
    }
    Lane lane = next();
    if (lane != null) {
      wakeAt(lane.firstDueNs(), now);
    }
  }

  private @Nullable Lane next() {
    if (inOrder.frames.isEmpty()) {
      return overtaken.frames.isEmpty() ? null : overtaken;
    }
    if (overtaken.frames.isEmpty()) {
      return inOrder;
    }
    return overtaken.firstDueNs() - inOrder.firstDueNs() < 0 ? overtaken : inOrder;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (timer != null) {
      timer.cancel();
    }
    inOrder.frames.clear();
    overtaken.frames.clear();
    inner.close();
  }

  /** Frames on the way that keep their order, each with its arrival time. */
  private static final class Lane {
    final FrameQueue frames;
    private long[] dueNs = new long[64];
    private int head;
    private long lastDueNs;

    Lane(int maxBytes) {
      frames = new FrameQueue(16 << 10, maxBytes);
    }

    boolean offer(ByteBuffer frame, long due) {
      int count = frames.size();
      if (!frames.offer(frame)) {
        return false;
      }
      if (count == dueNs.length) {
        long[] larger = new long[count * 2];
        for (int i = 0; i < count; i++) {
          larger[i] = dueNs[(head + i) & (count - 1)];
        }
        dueNs = larger;
        head = 0;
      }
      long notBefore = count == 0 || due - lastDueNs > 0 ? due : lastDueNs;
      dueNs[(head + count) & (dueNs.length - 1)] = notBefore;
      lastDueNs = notBefore;
      return true;
    }

    long firstDueNs() {
      return dueNs[head];
    }

    void drop() {
      frames.drop(1);
      head = (head + 1) & (dueNs.length - 1);
    }
  }
}
