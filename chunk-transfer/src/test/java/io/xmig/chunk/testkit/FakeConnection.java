package io.xmig.chunk.testkit;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** One end of a stream. A partition delays it; one that lasts too long ends it. */
final class FakeConnection implements StreamConnection {
  private static final int SEND_BUFFER = 64 * 1024;

  private final FakeStack stack;
  private final FakeNetwork net;
  private final Dag remote;
  private @Nullable StreamHandler handler;
  private @Nullable FakeConnection peer;
  private final ArrayDeque<Runnable> inTransit = new ArrayDeque<>(); // towards the peer, in order
  private final ArrayDeque<ByteBuffer> received = new ArrayDeque<>();
  private long unacknowledged;
  private boolean wantsRoom;
  private boolean outputDone;
  private boolean inputDone;
  private boolean over;
  private boolean closedHere;

  FakeConnection(FakeStack stack, Dag remote, @Nullable StreamHandler handler) {
    this.stack = stack;
    this.net = stack.net;
    this.remote = remote;
    this.handler = handler;
  }

  void pair(FakeConnection other) {
    peer = other;
    other.peer = this;
  }

  void handler(StreamHandler events) {
    handler = events;
  }

  private void carry(Runnable event) {
    inTransit.add(event);
    net.loop.schedule(net.travelNs(), this::arriveNext);
    if (net.partitioned) {
      watchPartition();
    }
  }

  /** Delivers the oldest item, whichever was due; so order is kept under jitter. */
  private void arriveNext() {
    if (net.partitioned) {
      stalled++;
      watchPartition();
      return;
    }
    Runnable event = inTransit.poll();
    if (event != null) {
      event.run();
    }
  }

  private int stalled;
  private boolean watching;

  private void watchPartition() {
    if (watching || over) {
      return;
    }
    watching = true;
    net.loop.schedule(
        net.streamPatienceNs,
        () -> {
          watching = false;
          if (net.partitioned && !over) {
            end(new XiaSocketException(Kind.TIMED_OUT, "no acknowledgement for long"));
          }
        });
  }

  void onMended() {
    int waiting = stalled;
    stalled = 0;
    for (int i = 0; i < waiting; i++) {
      net.loop.schedule(net.travelNs(), this::arriveNext);
    }
  }

  @Override
  public Dag localDag() {
    return stack.localAddress().host();
  }

  @Override
  public Dag remoteDag() {
    return remote;
  }

  @Override
  public int write(ByteBuffer source) {
    if (over || outputDone || closedHere) {
      throw new XiaSocketException(Kind.CLOSED, "the connection is closed");
    }
    int room = (int) Math.max(0, SEND_BUFFER - unacknowledged);
    int count = Math.min(room, source.remaining());
    if (count < source.remaining()) {
      wantsRoom = true;
    }
    if (count == 0) {
      return 0;
    }
    ByteBuffer data = ByteBuffer.allocate(count);
    ByteBuffer part = source.slice(source.position(), count);
    data.put(part).flip();
    source.position(source.position() + count);
    unacknowledged += count;
    net.note(count);
    carry(
        () -> {
          FakeConnection to = peer;
          if (to != null) {
            to.arrive(data);
          }
          net.loop.schedule(net.travelNs(), () -> acknowledged(count));
        });
    return count;
  }

  private void acknowledged(int count) {
    unacknowledged -= count;
    if (wantsRoom && !over && handler != null && !stack.isDead()) {
      wantsRoom = false;
      handler.onWritable(this);
    }
  }

  private void arrive(ByteBuffer data) {
    if (over || closedHere || stack.isDead()) {
      return;
    }
    boolean wasEmpty = received.isEmpty();
    received.add(data);
    if (wasEmpty) {
      readable();
    }
  }

  private void readable() {
    net.loop.execute(
        () -> {
          if (handler != null && !over && !closedHere && !stack.isDead()) {
            handler.onReadable(this);
          }
        });
  }

  @Override
  public int read(ByteBuffer target) {
    int moved = 0;
    while (target.hasRemaining() && !received.isEmpty()) {
      ByteBuffer head = received.getFirst();
      int count = Math.min(head.remaining(), target.remaining());
      target.put(head.slice(head.position(), count));
      head.position(head.position() + count);
      moved += count;
      if (!head.hasRemaining()) {
        received.removeFirst();
      }
    }
    return moved == 0 && inputDone && received.isEmpty() && target.hasRemaining() ? -1 : moved;
  }

  @Override
  public long unacknowledged() {
    return unacknowledged;
  }

  @Override
  public void shutdownOutput() {
    if (outputDone) {
      return;
    }
    outputDone = true;
    carry(
        () -> {
          FakeConnection to = peer;
          if (to != null && !to.inputDone) {
            to.inputDone = true;
            to.readable();
            to.maybeDone();
          }
        });
  }

  private void maybeDone() {
    if (inputDone && outputDone && !over && closedHere) {
      over = true;
      stack.forget(this);
    }
  }

  @Override
  public void abort() {
    if (over) {
      return;
    }
    over = true;
    stack.forget(this);
    carry(this::resetPeer);
  }

  private void resetPeer() {
    FakeConnection to = peer;
    if (to != null) {
      to.end(new XiaSocketException(Kind.RESET, "reset by the peer"));
    }
  }

  private void end(XiaSocketException cause) {
    if (over) {
      return;
    }
    over = true;
    stack.forget(this);
    if (handler != null && !stack.isDead() && !closedHere) {
      handler.onClosed(this, cause);
    }
  }

  /** The process of this end has died; what it had sent before still arrives. */
  void die() {
    if (over) {
      return;
    }
    over = true;
    stack.forget(this);
    carry(this::resetPeer);
  }

  @Override
  public void close() {
    if (over || closedHere) {
      return;
    }
    shutdownOutput();
    closedHere = true;
    maybeDone();
  }
}
