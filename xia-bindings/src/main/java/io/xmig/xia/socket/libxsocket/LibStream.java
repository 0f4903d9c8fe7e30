package io.xmig.xia.socket.libxsocket;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.ptr.IntByReference;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.SockaddrX;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * One connection of the library, with a thread that reads and one that writes, since both calls may
 * wait.
 */
final class LibStream implements StreamConnection, Endpoint {
  private static final int BUFFER = 1 << 20;

  /** What fits into one packet of the prototype's links. */
  private static final int PLAIN_PIECE = 1200;

  /**
   * Click of release 1.1 keeps 100 unacknowledged packets and sends again only after 300 ms without
   * a send: it gets such a pause before its ring could be overrun.
   *
   * @source docs/wire.md section 5
   */
  private static final int PLAIN_BURST = 64;

  private static final long PLAIN_PAUSE_MS = 350;

  /** Click acknowledges what it pushes, read or not: everything is taken, up to this much. */
  private static final int PLAIN_UNREAD = 64 << 20;

  private final LibXsocketStack stack;
  private final int fd;
  private final StreamHandler handler;
  private final boolean flowControl;
  private final Deque<ByteBuffer> out = new ArrayDeque<>();
  private final Deque<ByteBuffer> in = new ArrayDeque<>();
  private Dag local;
  private Dag remote;
  private int outBytes;
  private int inBytes;
  private boolean shortWrite;
  private boolean shut;
  private boolean ended;
  private volatile boolean closed;

  /** Must be started with {@link #start} once its handler may be called. */
  LibStream(LibXsocketStack stack, int fd, Dag local, Dag remote, StreamHandler handler) {
    this.stack = stack;
    this.fd = fd;
    this.local = local;
    this.remote = remote;
    this.handler = handler;
    this.flowControl = stack.hasFlowControl();
  }

  void start() {
    Worker.start("read-" + fd, this::read);
    Worker.start("write-" + fd, this::write);
  }

  private void read() {
    Memory pollfd = new Memory(8);
    ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
    try {
      while (!closed) {
        synchronized (in) {
          while (flowControl && inBytes >= BUFFER && !closed) {
            in.wait();
          }
          if (inBytes >= PLAIN_UNREAD) {
            fail(
                new XiaSocketException(
                    XiaSocketException.Kind.NO_SPACE,
                    "the peer sends faster than this program reads, and Click cannot slow it",
                    Map.of("unread", inBytes)));
            return;
          }
        }
        if (closed || !Worker.readable(fd, pollfd)) {
          continue;
        }
        int length = Xsocket.Xrecv(fd, buffer, buffer.capacity(), 0);
        if (length == 0) { // our library says so when the peer has finished
          synchronized (in) {
            ended = true;
          }
          stack.loop().execute(this::readable);
          return;
        }
        ByteBuffer piece = ByteBuffer.allocate(length).put(0, buffer, 0, length);
        synchronized (in) {
          in.add(piece);
          inBytes += length;
        }
        stack.loop().execute(this::readable);
      }
    } catch (LastErrorException e) {
      fail(Worker.failure("Xrecv", e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void readable() {
    if (!closed) {
      handler.onReadable(this);
    }
  }

  private void write() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(Xsocket.XIA_MAXBUF);
    int limit = flowControl ? Xsocket.XIA_MAXBUF : PLAIN_PIECE;
    int burst = 0;
    long lastNs = stack.loop().nanoTime();
    try {
      while (true) {
        int length = gather(buffer, limit);
        if (length < 0) {
          return;
        }
        if (!flowControl) {
          long nowNs = stack.loop().nanoTime();
          burst = nowNs - lastNs > PLAIN_PAUSE_MS * 1_000_000 ? 1 : burst + 1;
          if (burst > PLAIN_BURST) {
            Thread.sleep(PLAIN_PAUSE_MS);
            burst = 1;
          }
          lastNs = stack.loop().nanoTime();
        }
        Xsocket.Xsend(fd, buffer.position(0), length, 0);
        boolean tell;
        synchronized (out) {
          outBytes -= length;
          tell = shortWrite && outBytes <= BUFFER / 2;
          shortWrite = shortWrite && !tell;
        }
        if (tell) {
          stack.loop().execute(this::writable);
        }
      }
    } catch (LastErrorException e) {
      fail(Worker.failure("Xsend", e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void writable() {
    if (!closed) {
      handler.onWritable(this);
    }
  }

  /** Collects the next piece to send; −1 when the connection is closed and everything was sent. */
  private int gather(ByteBuffer buffer, int limit) throws InterruptedException {
    synchronized (out) {
      while (out.isEmpty() && !closed && !shut) {
        out.wait();
      }
      if (out.isEmpty()) {
        return -1;
      }
      buffer.clear().limit(limit);
      while (!out.isEmpty() && buffer.hasRemaining()) {
        ByteBuffer first = out.peek();
        int count = Math.min(first.remaining(), buffer.remaining());
        buffer.put(buffer.position(), first, first.position(), count);
        buffer.position(buffer.position() + count);
        first.position(first.position() + count);
        if (!first.hasRemaining()) {
          out.poll();
        }
      }
      return buffer.position();
    }
  }

  private void fail(XiaSocketException cause) {
    if (!closed) {
      stack
          .loop()
          .execute(
              () -> {
                if (!closed) {
                  release();
                  handler.onClosed(this, cause);
                }
              });
    }
  }

  @Override
  public void lost(XiaSocketException cause) {
    fail(cause);
  }

  @Override
  public void reopen() {
    // a connection ends with the Click that knew it
  }

  private void release() {
    closed = true;
    synchronized (out) {
      out.notifyAll();
    }
    synchronized (in) {
      in.notifyAll();
    }
    stack.forget(this);
    stack.calls().closeSocket(fd);
  }

  @Override
  public Dag localDag() {
    local = nameOr(local, false);
    return local;
  }

  @Override
  public Dag remoteDag() {
    remote = nameOr(remote, true);
    return remote;
  }

  private Dag nameOr(Dag known, boolean peer) {
    if (closed || !flowControl) {
      // the prototype's library takes data that arrives now for the answer, and loses it
      return known;
    }
    SockaddrMemory name = new SockaddrMemory();
    IntByReference length = new IntByReference(SockaddrX.LENGTH);
    try {
      if (peer) {
        Xsocket.Xgetpeername(fd, name.pointer(), length);
      } else {
        Xsocket.Xgetsockname(fd, name.pointer(), length);
      }
      return name.dag();
    } catch (LastErrorException | IllegalArgumentException e) {
      return known;
    }
  }

  @Override
  public int write(ByteBuffer source) {
    if (closed || shut) {
      throw new XiaSocketException(
          XiaSocketException.Kind.CLOSED, "the connection is closed for writing", Map.of("fd", fd));
    }
    synchronized (out) {
      int count = Math.min(source.remaining(), BUFFER - outBytes);
      if (count > 0) {
        ByteBuffer copy = ByteBuffer.allocate(count).put(0, source, source.position(), count);
        source.position(source.position() + count);
        out.add(copy);
        outBytes += count;
        out.notifyAll();
      }
      shortWrite |= source.hasRemaining();
      return Math.max(0, count);
    }
  }

  @Override
  public int read(ByteBuffer target) {
    synchronized (in) {
      int moved = 0;
      while (!in.isEmpty() && target.hasRemaining()) {
        ByteBuffer first = in.peek();
        int count = Math.min(first.remaining(), target.remaining());
        target.put(first.slice().limit(count));
        first.position(first.position() + count);
        moved += count;
        if (!first.hasRemaining()) {
          in.poll();
        }
      }
      inBytes -= moved;
      in.notifyAll();
      return moved == 0 && ended && in.isEmpty() && target.hasRemaining() ? -1 : moved;
    }
  }

  @Override
  public long unacknowledged() {
    synchronized (out) {
      return outBytes;
    }
  }

  @Override
  public void shutdownOutput() {
    shut = true;
    synchronized (out) {
      out.notifyAll();
    }
  }

  @Override
  public void abort() {
    if (!closed) {
      release();
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    shutdownOutput();
    drainThenClose();
  }

  private void drainThenClose() {
    if (unacknowledged() == 0) {
      abort();
    } else {
      stack.loop().schedule(5_000_000L, this::drainThenClose);
    }
  }
}
