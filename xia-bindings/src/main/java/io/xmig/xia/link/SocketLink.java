package io.xmig.xia.link;

import io.xmig.xia.link.posix.Epoll;
import io.xmig.xia.link.posix.Errno;
import io.xmig.xia.link.posix.MessageBatch;
import io.xmig.xia.link.posix.NativeBuffer;
import io.xmig.xia.link.posix.Socket;
import io.xmig.xia.node.FrameSink;
import io.xmig.xia.node.UrgentSink;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A link over a socket that keeps message boundaries: batches of frames with one call each way,
 * received into one arena from which the frames are handed on without copying.
 */
abstract class SocketLink implements Link {
  /** Batches taken from the kernel before other links get their turn. */
  private static final int BATCHES_PER_TURN = 4;

  /** How long to wait when the kernel takes no more and will not say when it does. */
  private static final long RETRY_NS = 500_000;

  private static final int SEND_BATCH = 64;
  private static final int INITIAL_QUEUE_BYTES = 64 * 1024;

  private final NodeLoop loop;
  private final String name;
  private final int mtu;
  private final LinkCounters counters = new LinkCounters();
  private final Socket receiving;
  private final boolean canWait;
  private Socket sending;

  private final MessageBatch received;
  private final ByteBuffer[] slots;
  private FrameSink receiver = frame -> {};
  private @Nullable UrgentSink answersFirst;

  private final FrameQueue queue;
  private final MessageBatch sent = new MessageBatch(SEND_BATCH, false);
  private NativeBuffer queueMemory;
  private ByteBuffer queueArena;
  private final Runnable flushAtEnd = this::flushAtEnd;
  private boolean flushScheduled;
  private boolean flushPending;
  private boolean blocked;

  private NodeLoop.Registration receivingRegistration;
  private NodeLoop.Registration sendingRegistration;
  private boolean closed;

  /**
   * @param receiving bound socket
   * @param sending the same or another one
   * @param senders whether the subclass looks at who sent a frame
   * @param canWait whether the kernel holds what comes for some milliseconds at full rate
   */
  SocketLink(
      NodeLoop loop,
      String name,
      LinkOptions options,
      Socket receiving,
      Socket sending,
      boolean senders,
      boolean canWait) {
    this.loop = loop;
    this.name = name;
    this.mtu = options.mtu();
    this.receiving = receiving;
    this.canWait = canWait;
    this.sending = sending;
    int slotBytes = (mtu + ETHERNET_HEADER_LENGTH + 4 + 63) & -64; // room for a VLAN tag
    int batch = Math.max(1, Math.min(64, options.receiveArenaBytes() / slotBytes));
    this.received = new MessageBatch(batch, senders);
    this.slots = new ByteBuffer[batch];
    NativeBuffer arena = new NativeBuffer(batch * slotBytes);
    for (int i = 0; i < batch; i++) {
      received.set(i, arena, i * slotBytes, slotBytes);
      slots[i] = arena.bytes().slice(i * slotBytes, slotBytes); // big-endian again
    }
    this.queue = new FrameQueue(INITIAL_QUEUE_BYTES, options.queueBytes());
    this.queueArena = queue.arena();
    this.queueMemory = NativeBuffer.of(queueArena);
    receivingRegistration =
        canWait
            ? loop.registerBulk(receiving, Epoll.IN, this::receivingReady)
            : loop.register(receiving, Epoll.IN, this::receivingReady);
    sendingRegistration =
        sending == receiving
            ? receivingRegistration
            : loop.register(sending, 0, this::sendingReady);
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final int mtu() {
    return mtu;
  }

  @Override
  public final void receiver(FrameSink receiver) {
    this.receiver = receiver;
    this.answersFirst = receiver instanceof UrgentSink first ? first : null;
  }

  @Override
  public final LinkCounters counters() {
    return counters;
  }

  final NodeLoop loop() {
    return loop;
  }

  final Socket sending() {
    return sending;
  }

  final boolean isClosed() {
    return closed;
  }

  final boolean hasQueued() {
    return !queue.isEmpty();
  }

  /** All frames of this link go to one address. */
  final void sendTo(io.xmig.xia.link.posix.SocketAddress destination) {
    sent.to(destination);
  }

  /** Whether received message {@code i} is to be handed on. */
  boolean accepts(MessageBatch batch, int i) {
    return true;
  }

  /**
   * Sending failed because of {@code errno}, which is none of the common reasons.
   *
   * @return whether the cause has gone and sending may be tried again
   */
  boolean recovered(int errno) {
    return false;
  }

  /** Whether the kernel says when there is room again after it took no more. */
  boolean announcesRoom() {
    return true;
  }

  /** Whether {@code errno} says that nobody is at the other end. */
  boolean meansAbsent(int errno) {
    return switch (errno) {
      case Errno.ECONNREFUSED,
          Errno.ENOTCONN,
          Errno.EDESTADDRREQ,
          Errno.ECONNRESET,
          Errno.EPIPE,
          Errno.ENOENT,
          Errno.ENETDOWN,
          Errno.ENETUNREACH,
          Errno.EHOSTUNREACH ->
          true;
      default -> false;
    };
  }

  @Override
  public final void frame(ByteBuffer frame) {
    int length = frame.remaining();
    if (length < ETHERNET_HEADER_LENGTH || length > mtu + ETHERNET_HEADER_LENGTH) {
      counters.oversizeDrops++;
      return;
    }
    if (closed || !queue.offer(frame)) {
      counters.queueDrops++;
      return;
    }
    if (!blocked) {
      flushPending = true;
      if (!flushScheduled) {
        flushScheduled = true;
        loop.flushLater(flushAtEnd);
      }
    }
    if (queue.size() >= SEND_BATCH && !blocked) {
      sendQueued();
    }
  }

  private void flushAtEnd() {
    flushScheduled = false;
    flush();
  }

  private void flush() {
    flushPending = false;
    if (!closed && !blocked) {
      sendQueued();
    }
  }

  /** Sends what is queued until it is gone or the kernel takes no more. */
  private void sendQueued() {
    boolean triedToRecover = false;
    while (!queue.isEmpty()) {
      int count = Math.min(queue.size(), SEND_BATCH);
      gather(count);
      int result = sending.send(sent, 0, count);
      if (result > 0) {
        counters.framesOut += result;
        int before = queue.bytes();
        queue.drop(result);
        counters.bytesOut += before - queue.bytes();
        continue;
      }
      int errno = -result;
      if (errno == Errno.EAGAIN && announcesRoom()) {
        block();
        return;
      }
      if (errno == Errno.EAGAIN || errno == Errno.ENOBUFS || errno == Errno.ENOMEM) {
        blocked = true;
        loop.schedule(RETRY_NS, this::unblock);
        return;
      }
      if (errno == Errno.EMSGSIZE) {
        counters.oversizeDrops++;
        queue.drop(1);
      } else if (!triedToRecover && recovered(errno)) {
        triedToRecover = true;
      } else if (meansAbsent(errno)) {
        counters.absentDrops += queue.size();
        queue.clear();
      } else if (errno != Errno.EINTR) {
        counters.errors++;
        queue.drop(1);
      }
    }
  }

  private void gather(int count) {
    if (queueArena != queue.arena()) {
      queueArena = queue.arena();
      queueMemory = NativeBuffer.of(queueArena);
    }
    for (int i = 0; i < count; i++) {
      sent.set(i, queueMemory, queue.offset(i), queue.length(i));
    }
  }

  private void block() {
    blocked = true;
    sendingRegistration.interest(sending == receiving ? Epoll.IN | Epoll.OUT : Epoll.OUT);
  }

  private void unblock() {
    if (closed || !blocked) {
      return;
    }
    blocked = false;
    sendingRegistration.interest(sending == receiving ? Epoll.IN : 0);
    sendQueued();
  }

  private void sendingReady(int events) {
    if ((events & (Epoll.ERROR | Epoll.HANGUP)) != 0) {
      sending.takeError();
    }
    unblock();
  }

  private void receivingReady(int events) {
    if ((events & Epoll.ERROR) != 0) {
      receiving.takeError();
      counters.errors++;
    }
    if ((events & Epoll.IN) != 0) {
      receiveBatches();
    }
    if ((events & (Epoll.OUT | Epoll.ERROR)) != 0 && sending == receiving) {
      unblock();
    }
  }

  private void receiveBatches() {
    for (int round = 0; round < BATCHES_PER_TURN && !closed; round++) {
      int count = receiving.receive(received, received.capacity());
      if (count <= 0) {
        if (count != -Errno.EAGAIN && count != -Errno.EINTR && count != 0) {
          counters.errors++;
        }
        return;
      }
      loop.readClock(); // what is here now came before this moment, also where this turn was
      // interrupted
      int large = 0;
      UrgentSink first = answersFirst;
      long taken = first != null && count > 1 ? takeUrgent(first, count) : 0;
      for (int i = 0; i < count && !closed; i++) {
        if (received.length(i) >= InterruptModeration.LARGE_FRAME) {
          large++;
        }
        if ((taken >>> i & 1) == 0) {
          deliver(i);
        }
      }
      if (canWait) {
        loop.receivedLarge(large);
      }
      if (flushPending) {
        flush(); // answers do not wait for what else this turn has to do
      }
      if (count < received.capacity()) {
        return;
      }
    }
  }

  /** Lets the receiver answer first what cannot wait; the result has a bit for each such frame. */
  private long takeUrgent(UrgentSink by, int count) {
    long taken = 0;
    for (int i = 0; i < count && !closed; i++) {
      int length = received.length(i);
      if (length >= ETHERNET_HEADER_LENGTH
          && !received.isTruncated(i)
          && accepts(received, i)
          && by.urgent(slots[i].clear().limit(length))) {
        counters.framesIn++;
        counters.bytesIn += length;
        taken |= 1L << i;
      }
    }
    if (taken != 0 && flushPending) {
      flush();
    }
    return taken;
  }

  private void deliver(int i) {
    int length = received.length(i);
    if (length == 0) {
      return; // a sign of life
    }
    if (received.isTruncated(i) || length < ETHERNET_HEADER_LENGTH) {
      counters.oversizeDrops++;
      return;
    }
    if (!accepts(received, i)) {
      return;
    }
    receive(slots[i].clear().limit(length));
  }

  /** Hands a frame on that has come. */
  final void receive(ByteBuffer frame) {
    counters.framesIn++;
    counters.bytesIn += frame.remaining();
    receiver.frame(frame);
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    sendQueued();
    closed = true;
    receivingRegistration.cancel();
    receiving.close();
    if (sending != receiving) {
      sendingRegistration.cancel();
      sending.close();
    }
  }
}
