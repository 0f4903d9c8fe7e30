package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.posix.Epoll;
import io.xmig.xia.link.posix.Errno;
import io.xmig.xia.link.posix.NativeBuffer;
import io.xmig.xia.link.posix.Pieces;
import io.xmig.xia.link.posix.PosixException;
import io.xmig.xia.link.posix.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Messages over a Unix-domain stream socket, the same at both ends.
 *
 * <p>In: small messages are handed on where they lie in the receive arena; chunks are received
 * straight into the buffer the receiver names for them. Out: small messages are written into
 * blocks, chunks stay where they are, and at the end of the loop's turn everything leaves with few
 * calls.
 */
final class IpcChannel {
  private static final Logger log = LoggerFactory.getLogger(IpcChannel.class);
  private static final int ARENA_BYTES = 128 << 10;
  private static final int BLOCK_BYTES = 64 << 10;
  private static final int MAX_FREE_BLOCKS = 8;
  private static final int PIECES_PER_CALL = 32;
  private static final int BYTES_PER_CALL = 1 << 20;
  private static final int HEAP_STAGING_BYTES = 128 << 10;
  private static final long BYTES_PER_TURN = 2 << 20;
  private static final int SOCKET_BUFFER_BYTES = 1 << 20;

  /** What is queued above this makes {@link #isCongested} true … */
  static final int HIGH_WATER = 1 << 20;

  /** … until it is below this. */
  static final int LOW_WATER = 256 << 10;

  /** With this much queued the other end's requests are not read: it must take answers first. */
  static final int PAUSE_READING = 4 << 20;

  /** Gets what arrives. */
  interface Receiver {
    /** A message; the body is valid during the call only. */
    void message(Op op, int handle, int tag, ByteBuffer body);

    /** Where a chunk of this length is to be put, or {@code null} to skip it. */
    @Nullable ByteBuffer bulkTarget(Op op, int handle, int tag, Xid cid, int length);

    /** The chunk is complete; {@code data} is {@code null} if it was skipped. */
    void bulk(Op op, int handle, int tag, Xid cid, @Nullable ByteBuffer data);

    /** What was queued has left, for the most part. */
    void drained();

    /** The connection is over; called once. */
    void closed(String why);
  }

  /** Memory into which small messages are written. */
  private static final class Block {
    final NativeBuffer memory;
    int filled;
    int segments;

    Block(int bytes) {
      memory = new NativeBuffer(bytes);
    }
  }

  /** Bytes that wait to be sent: part of a block, or a chunk that lies elsewhere. */
  private static final class Segment {
    final @Nullable Block block;
    final @Nullable NativeBuffer memory;
    final @Nullable ByteBuffer heap;
    final @Nullable ByteBuffer recycled;
    int start;
    int end;

    /** Messages in a block. */
    Segment(Block block) {
      this.block = block;
      this.memory = block.memory;
      this.heap = null;
      this.recycled = null;
      this.start = block.filled;
      this.end = block.filled;
      block.segments++;
    }

    /** A chunk; {@code memory} if it is outside the heap. */
    Segment(@Nullable NativeBuffer memory, ByteBuffer data, boolean recycle) {
      this.block = null;
      this.memory = memory;
      this.heap = memory == null ? data : null;
      this.recycled = recycle ? data : null;
      this.start = data.position();
      this.end = data.limit();
    }
  }

  private final NodeLoop loop;
  private final Socket socket;
  private final Receiver receiver;
  private final BufferPool pool;
  private final NodeLoop.Registration registration;

  private final NativeBuffer arena = new NativeBuffer(ARENA_BYTES);
  private final ByteBuffer view = arena.bytes().duplicate(); // big-endian
  private final Pieces incoming = new Pieces(2);
  private int filled;

  // the chunk or long message being received
  private @Nullable Op longOp;
  private int longHandle;
  private int longTag;
  private int longLength;
  private int longFilled;
  private @Nullable Xid longCid;
  private @Nullable ByteBuffer longBuffer;
  private @Nullable NativeBuffer longMemory;

  private final ArrayDeque<Segment> queue = new ArrayDeque<>();
  private final ArrayDeque<Block> freeBlocks = new ArrayDeque<>();
  private final Pieces outgoing = new Pieces(PIECES_PER_CALL);
  private @Nullable NativeBuffer staging;
  private final Runnable flush = this::flush;
  private boolean flushPending;
  private boolean blocked;
  private boolean congested;
  private boolean paused;
  private long queued;
  private Block current = new Block(BLOCK_BYTES);
  private @Nullable ByteBuffer openBody;

  private boolean closeWhenSent;
  private boolean closed;

  /**
   * @param pool takes back the buffers of chunks that were sent
   */
  IpcChannel(NodeLoop loop, Socket socket, BufferPool pool, Receiver receiver) {
    this.loop = loop;
    this.socket = socket;
    this.pool = pool;
    this.receiver = receiver;
    socket.buffers(SOCKET_BUFFER_BYTES, SOCKET_BUFFER_BYTES);
    registration = loop.register(socket, Epoll.IN, this::ready);
  }

  /** Whether the other end does not keep up; {@link Receiver#drained} follows. */
  boolean isCongested() {
    if (queued > HIGH_WATER) {
      congested = true;
    }
    return congested;
  }

  long queuedBytes() {
    return queued;
  }

  boolean isClosed() {
    return closed;
  }

  // ---------------------------------------------------------------- sending

  /**
   * Begins a message whose body has at most {@code maxBody} bytes; put them into the result and
   * call {@link #end}.
   */
  ByteBuffer begin(Op op, int handle, int tag, int maxBody) {
    int needed = Op.HEADER_LENGTH + maxBody;
    if (current.memory.length() - current.filled < needed) {
      Block free = needed <= BLOCK_BYTES ? freeBlocks.pollLast() : null;
      current = free != null ? free : new Block(Math.max(BLOCK_BYTES, needed));
    }
    int start = current.filled;
    ByteBuffer body = current.memory.bytes().duplicate(); // big-endian
    body.limit(start + needed).position(start);
    body.putInt(0).put((byte) op.code).put((byte) 0).putShort((short) 0);
    body.putInt(handle).putInt(tag);
    openBody = body;
    return body;
  }

  /** Completes the message begun last. */
  void end() {
    end(0);
  }

  private void end(int further) {
    ByteBuffer body = openBody;
    if (body == null) {
      throw new IllegalStateException("no message has been begun");
    }
    openBody = null;
    int start = current.filled;
    int length = body.position() - start - Op.HEADER_LENGTH;
    body.putInt(start, length + further);
    Segment last = queue.peekLast();
    if (last == null || last.block != current || last.end != start) {
      last = new Segment(current);
      queue.add(last);
    }
    current.filled = body.position();
    last.end = current.filled;
    queued += Op.HEADER_LENGTH + length;
    flushLater();
  }

  /** Forgets the message begun last. */
  void abandon() {
    openBody = null;
  }

  /** A message without a body. */
  void send(Op op, int handle, int tag) {
    begin(op, handle, tag, 0);
    end();
  }

  /**
   * Queues a chunk; its bytes must not change until they have been sent.
   *
   * @param data the remaining bytes
   * @param recycle whether the buffer goes to the pool afterwards
   */
  void sendBulk(Op op, int handle, int tag, Xid cid, ByteBuffer data, boolean recycle) {
    int length = data.remaining();
    ByteBuffer body = begin(op, handle, tag, Op.PREFIX_LENGTH);
    Body.putXid(body, cid);
    end(length);
    if (length > 0) {
      NativeBuffer memory = data.isDirect() ? NativeBuffer.of(data) : null;
      queue.add(new Segment(memory, recycle ? data : data.duplicate(), recycle));
      queued += length;
    }
  }

  private void flushLater() {
    if (!flushPending && !blocked && !closed) {
      flushPending = true;
      loop.flushLater(flush);
    }
  }

  private void flush() {
    flushPending = false;
    while (!closed && !queue.isEmpty()) {
      int errno = sendSome();
      if (errno == Errno.EAGAIN) {
        blocked = true;
        afterProgress();
        return;
      }
      if (errno != 0 && errno != Errno.EINTR) {
        close(new PosixException("local API send", socket.name(), errno).getMessage());
        return;
      }
    }
    if (blocked) {
      blocked = false;
    }
    afterProgress();
    if (closeWhenSent && queue.isEmpty()) {
      close("closed");
    }
  }

  /** Sends up to {@value #BYTES_PER_CALL} bytes; 0 or an errno. */
  private int sendSome() {
    outgoing.clear();
    for (Segment segment : queue) {
      int length = (int) Math.min(segment.end - segment.start, BYTES_PER_CALL - outgoing.bytes());
      if (segment.memory != null) {
        outgoing.add(segment.memory, segment.start, length);
      } else if (outgoing.bytes() == 0 && segment.heap != null) {
        outgoing.add(
            stage(segment.heap, segment.start, length), 0, Math.min(length, HEAP_STAGING_BYTES));
        break;
      } else {
        break;
      }
      if (outgoing.isFull() || outgoing.bytes() >= BYTES_PER_CALL) {
        break;
      }
    }
    int sent = socket.send(outgoing);
    if (sent < 0) {
      return -sent;
    }
    sent(sent);
    return 0;
  }

  private NativeBuffer stage(ByteBuffer heap, int start, int length) {
    NativeBuffer memory = staging;
    if (memory == null) {
      memory = new NativeBuffer(HEAP_STAGING_BYTES);
      staging = memory;
    }
    memory.bytes().put(0, heap, start, Math.min(length, HEAP_STAGING_BYTES));
    return memory;
  }

  private void sent(int bytes) {
    queued -= bytes;
    int left = bytes;
    while (left > 0) {
      Segment first = queue.element();
      int part = Math.min(left, first.end - first.start);
      first.start += part;
      left -= part;
      if (first.start == first.end) {
        queue.remove();
        finished(first);
      }
    }
  }

  private void finished(Segment segment) {
    if (segment.recycled != null) {
      pool.release(segment.recycled);
    }
    Block block = segment.block;
    if (block != null && --block.segments == 0) {
      block.filled = 0;
      if (block != current
          && block.memory.length() == BLOCK_BYTES
          && freeBlocks.size() < MAX_FREE_BLOCKS) {
        freeBlocks.add(block);
      }
    }
  }

  private void afterProgress() {
    updateInterest();
    if (congested && queued < LOW_WATER) {
      congested = false;
      receiver.drained();
    }
  }

  private void updateInterest() {
    if (closed) {
      return;
    }
    paused = queued > (paused ? HIGH_WATER : PAUSE_READING);
    registration.interest((paused ? 0 : Epoll.IN) | (blocked ? Epoll.OUT : 0));
  }

  // ---------------------------------------------------------------- receiving

  private void ready(int events) {
    if ((events & (Epoll.IN | Epoll.HANGUP | Epoll.ERROR)) != 0 && !paused) {
      try {
        receive();
      } catch (IpcProtocolException e) {
        close(e.getMessage());
      } catch (RuntimeException e) { // the place in the stream of messages is lost
        log.error("message handler of the local API failed", e);
        close("internal error: " + e);
      }
    } else if ((events & (Epoll.HANGUP | Epoll.ERROR)) != 0) {
      close("the other process has gone");
    }
    if ((events & Epoll.OUT) != 0 && !closed) {
      flush();
    }
  }

  private void receive() {
    long budget = BYTES_PER_TURN;
    while (budget > 0 && !closed && !paused) {
      incoming.clear();
      ByteBuffer target = longBuffer;
      NativeBuffer targetMemory = longMemory;
      if (target != null && targetMemory != null && longFilled < longLength) {
        incoming.add(targetMemory, target.position() + longFilled, longLength - longFilled);
      }
      incoming.add(arena, filled, ARENA_BYTES - filled);
      int wanted = (int) Math.min(Integer.MAX_VALUE, incoming.bytes());
      int count = socket.receive(incoming);
      if (count == 0) {
        close("the other process has gone");
        return;
      }
      if (count < 0) {
        if (count != -Errno.EAGAIN && count != -Errno.EINTR) {
          close(new PosixException("local API receive", socket.name(), -count).getMessage());
        }
        return;
      }
      budget -= count;
      int intoLong = 0;
      if (target != null) {
        intoLong = Math.min(count, longLength - longFilled);
        longFilled += intoLong;
      }
      filled += count - intoLong;
      parse();
      updatePause();
      if (count < wanted) {
        return;
      }
    }
  }

  private void updatePause() {
    if (queued > PAUSE_READING && !paused) {
      updateInterest();
    }
  }

  private void parse() {
    int at = 0;
    while (!closed) {
      if (longOp != null) {
        at += feedLong(at);
        if (longFilled < longLength) {
          break;
        }
        finishLong();
        continue;
      }
      if (filled - at < Op.HEADER_LENGTH) {
        break;
      }
      int length = view.getInt(at);
      int code = view.get(at + 4);
      Op op = Op.of(code);
      if (op == null || length < 0 || length > op.maxBody) {
        throw new IpcProtocolException(
            "bad message on the local API", Map.of("op", code, "length", length));
      }
      int handle = view.getInt(at + 8);
      int tag = view.getInt(at + 12);
      int body = at + Op.HEADER_LENGTH;
      if (op.isBulk()) {
        if (length < Op.PREFIX_LENGTH) {
          throw new IpcProtocolException("chunk without CID", Map.of("length", length));
        }
        if (filled - body < Op.PREFIX_LENGTH) {
          break;
        }
        beginBulk(op, handle, tag, Xid.read(view, body), length - Op.PREFIX_LENGTH);
        at = body + Op.PREFIX_LENGTH;
      } else if (length > ARENA_BYTES - Op.HEADER_LENGTH) {
        beginLong(op, handle, tag, length);
        at = body;
      } else if (filled - body < length) {
        break;
      } else {
        at = body + length;
        ByteBuffer message = view.duplicate();
        message.limit(at).position(body);
        receiver.message(op, handle, tag, message);
      }
    }
    if (!closed && at > 0) {
      filled -= at;
      if (filled > 0) {
        view.put(0, view.duplicate(), at, filled);
      }
    }
  }

  private void beginBulk(Op op, int handle, int tag, Xid cid, int length) {
    ByteBuffer target = receiver.bulkTarget(op, handle, tag, cid, length);
    startLong(op, handle, tag, length, cid, target);
  }

  private void beginLong(Op op, int handle, int tag, int length) {
    startLong(op, handle, tag, length, null, ByteBuffer.allocateDirect(length));
  }

  private void startLong(
      Op op, int handle, int tag, int length, @Nullable Xid cid, @Nullable ByteBuffer target) {
    if (target != null && (!target.isDirect() || target.remaining() < length)) {
      throw new IllegalStateException("a chunk's buffer is direct and large enough");
    }
    longOp = op;
    longHandle = handle;
    longTag = tag;
    longLength = length;
    longFilled = 0;
    longCid = cid;
    longBuffer = target;
    longMemory = target == null ? null : NativeBuffer.of(target);
  }

  /** Moves what the arena holds of the chunk to its place; bytes used. */
  private int feedLong(int at) {
    int part = Math.min(filled - at, longLength - longFilled);
    if (part > 0) {
      if (longBuffer != null) {
        longBuffer.put(longBuffer.position() + longFilled, view, at, part);
      }
      longFilled += part;
    }
    return Math.max(0, part);
  }

  private void finishLong() {
    Op op = longOp;
    ByteBuffer data = longBuffer;
    Xid cid = longCid;
    longOp = null;
    longBuffer = null;
    longMemory = null;
    longCid = null;
    if (op == null) {
      throw new AssertionError("no long message");
    }
    if (data != null) {
      data.limit(data.position() + longLength);
    }
    if (cid != null) {
      receiver.bulk(op, longHandle, longTag, cid, data);
    } else if (data != null) {
      receiver.message(op, longHandle, longTag, data);
    }
  }

  // ---------------------------------------------------------------- ending

  /** Closes once everything queued has been sent. */
  void closeWhenSent() {
    closeWhenSent = true;
    if (queue.isEmpty()) {
      close("closed");
    } else {
      flushLater();
    }
  }

  /** Closes at once; the receiver is told why. */
  void close(@Nullable String why) {
    if (closed) {
      return;
    }
    closed = true;
    registration.cancel();
    socket.close();
    queue.clear();
    queued = 0;
    receiver.closed(why == null ? "closed" : why);
  }
}
