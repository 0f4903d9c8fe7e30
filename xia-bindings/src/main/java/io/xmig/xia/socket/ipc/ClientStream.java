package io.xmig.xia.socket.ipc;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The application's end of a stream connection; {@link SessionStream} is the node's. */
final class ClientStream extends ClientHandle implements StreamConnection {
  private static final int PART_BYTES = 32 << 10;
  private static final int CREDIT_STEP = SessionStream.WINDOW / 4;

  private StreamHandler handler = new StreamHandler() {};
  private @Nullable Dag local;
  private @Nullable Dag remote;

  private int credit = SessionStream.WINDOW;
  private long writtenTotal;
  private long acknowledgedTotal;
  private boolean outputEnded;
  private boolean wantsToWrite;

  private final ByteRing input = new ByteRing(SessionStream.WINDOW);
  private int consumed; // since credit was given last
  private boolean inputEnded;
  private boolean emptied = true;

  private boolean closedByNode;
  private boolean closedTold;
  private @Nullable XiaSocketException cause;

  ClientStream(IpcStack stack, int handle) {
    super(stack, handle);
  }

  void handler(StreamHandler handler) {
    this.handler = handler;
  }

  @Override
  void opened(ByteBuffer body) {
    local = Body.dag(body);
    remote = Body.dag(body);
  }

  @Override
  public Dag localDag() {
    return Objects.requireNonNull(local);
  }

  @Override
  public Dag remoteDag() {
    return Objects.requireNonNull(remote);
  }

  // ---------------------------------------------------------------- writing

  @Override
  public int write(ByteBuffer source) {
    needWritable();
    int total = 0;
    while (source.hasRemaining() && credit > 0) {
      int part = Math.min(Math.min(source.remaining(), credit), PART_BYTES);
      ByteBuffer out = stack.channel().begin(Op.DATA, handle, 0, part);
      out.put(source.duplicate().limit(source.position() + part));
      stack.channel().end();
      source.position(source.position() + part);
      credit -= part;
      total += part;
    }
    writtenTotal += total;
    wantsToWrite |= source.hasRemaining();
    return total;
  }

  private void needWritable() {
    if (cause != null) {
      throw cause;
    }
    needOpen();
    if (outputEnded || closedByNode) {
      throw new XiaSocketException(
          XiaSocketException.Kind.CLOSED, "the connection is closed for writing");
    }
  }

  @Override
  public long unacknowledged() {
    return writtenTotal - acknowledgedTotal;
  }

  @Override
  public void shutdownOutput() {
    if (!outputEnded && !closed && !closedByNode) {
      outputEnded = true;
      stack.channel().send(Op.SHUTDOWN, handle, 0);
    }
  }

  @Override
  public void abort() {
    if (!closed) {
      closed = true;
      stack.forget(handle);
      if (!closedByNode && !stack.isGone()) {
        stack.channel().send(Op.ABORT, handle, 0);
      }
    }
  }

  @Override
  public void close() {
    if (closedByNode) {
      closed = true;
      stack.forget(handle);
    } else {
      super.close();
    }
  }

  // ---------------------------------------------------------------- reading

  @Override
  public int read(ByteBuffer target) {
    if (closed) {
      throw new XiaSocketException(XiaSocketException.Kind.CLOSED, "the connection is closed");
    }
    int count = input.get(target);
    if (count > 0) {
      consumed += count;
      if (consumed >= CREDIT_STEP && !closedByNode && !inputEnded && !stack.isGone()) {
        stack.channel().begin(Op.CREDIT, handle, 0, 4).putInt(consumed);
        stack.channel().end();
        consumed = 0;
      }
      emptied = input.isEmpty();
      tellClosedLater();
      return count;
    }
    emptied = true;
    if (!target.hasRemaining()) {
      return 0;
    }
    if (cause != null) {
      throw cause;
    }
    if (inputEnded) {
      tellClosedLater();
      return -1;
    }
    return 0;
  }

  /** An orderly end is told once everything has been read. */
  private void tellClosedLater() {
    if (closedByNode && cause == null && input.isEmpty() && !closedTold) {
      closedTold = true;
      stack.forget(handle);
      stack.loop().execute(() -> handler.onClosed(this, null));
    }
  }

  // ---------------------------------------------------------------- what the node says

  @Override
  void message(Op op, ByteBuffer body) {
    switch (op) {
      case DATA -> {
        if (body.remaining() > input.room()) {
          throw new IpcProtocolException(
              "node exceeds its stream window", java.util.Map.of("handle", handle));
        }
        input.put(body);
        readable();
      }
      case END -> {
        inputEnded = true;
        readable();
      }
      case CREDIT -> {
        credit += Body.int32(body);
        acknowledgedTotal = Body.int64(body);
        if (wantsToWrite && credit > 0) {
          wantsToWrite = false;
          handler.onWritable(this);
        }
      }
      case DAGS -> {
        local = Body.dag(body);
        Dag peer = Body.dagOrNull(body);
        if (peer != null) {
          remote = peer;
        }
        handler.onAddressChange(this);
      }
      case CLOSED -> over(Body.causeOrNull(body));
      default -> super.message(op, body);
    }
  }

  private void readable() {
    if (emptied) {
      emptied = false;
      handler.onReadable(this);
    }
  }

  private void over(@Nullable XiaSocketException why) {
    closedByNode = true;
    inputEnded = true;
    cause = why;
    if (why != null) {
      closedTold = true;
      stack.forget(handle);
      handler.onClosed(this, why);
    } else {
      acknowledgedTotal = writtenTotal;
      tellClosedLater();
    }
  }

  @Override
  void nodeGone(XiaSocketException why) {
    if (!closed && !closedTold) {
      over(why);
    }
    closed = true;
  }
}
