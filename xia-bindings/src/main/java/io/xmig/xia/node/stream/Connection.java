package io.xmig.xia.node.stream;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.node.TransportContext;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What both kinds of connection have in common: the two buffers, the application's side of the API
 * and when its handler is called.
 */
abstract class Connection implements StreamConnection {
  private static final System.Logger LOG = System.getLogger(Connection.class.getName());
  private static final StreamHandler SILENT = new StreamHandler() {};

  final StreamTransport transport;
  final TransportContext context;
  final Endpoint endpoint;
  final SendBuffer out;
  final ReceiveBuffer in;
  Dag remote;
  Dag local;
  StreamHandler handler = SILENT;

  private final Runnable callReadable = () -> handler.onReadable(this);
  private final Runnable callWritable = () -> handler.onWritable(this);
  private final Runnable callAddressChange = () -> handler.onAddressChange(this);
  private final Runnable laterReadable = this::tellReadable;
  private boolean writerWaits;
  private boolean readerWaits = true;
  private boolean readEnd;
  boolean outputClosed;
  boolean discards;
  private boolean over;
  private boolean toldOver;
  private @Nullable XiaSocketException cause;

  Connection(Endpoint endpoint, Dag local, Dag remote) {
    this.endpoint = endpoint;
    this.transport = endpoint.transport;
    this.context = transport.context;
    this.local = local;
    this.remote = remote;
    StreamOptions options = transport.options;
    this.out = new SendBuffer(transport.pool, options.bufferBytes(), options.maxBufferBytes());
    this.in = new ReceiveBuffer(transport.pool, options.bufferBytes(), options.maxBufferBytes());
  }

  /** Sends what may be sent now. */
  abstract void pump();

  /** There is more room in the receive buffer than before. */
  abstract void hasRead();

  /** Whether the peer has finished and all of its bytes are in the receive buffer or read. */
  abstract boolean inputComplete();

  /** Bytes per second times round trip, as far as known: what the send buffer should hold. */
  abstract long windowBytes();

  /** Tells the peer, if it can be told, that this end is gone. */
  abstract void sendReset(int reason);

  /** The application wants nothing more: what is left is to deliver what was written. */
  abstract void closing();

  /** The connection object may be forgotten; frees what is not free yet. */
  abstract void released();

  final boolean isOver() {
    return over;
  }

  @Override
  public Dag localDag() {
    return local;
  }

  @Override
  public Dag remoteDag() {
    return remote;
  }

  @Override
  public int write(ByteBuffer source) {
    if (over || outputClosed) {
      XiaSocketException reason = cause;
      throw reason != null
          ? new XiaSocketException(reason.kind(), "write to a broken stream", facts(), reason)
          : new XiaSocketException(Kind.CLOSED, "write to a closed stream", facts());
    }
    int written = out.put(source);
    while (source.hasRemaining() && windowBytes() * 2 > out.capacity() && out.grow()) {
      written += out.put(source);
    }
    if (source.hasRemaining()) {
      writerWaits = true;
    }
    if (written > 0) {
      pump();
    }
    return written;
  }

  @Override
  public int read(ByteBuffer target) {
    if (!target.hasRemaining()) {
      return 0;
    }
    if (in.readable() == 0) {
      if (inputComplete() && !discards) {
        readEnd = true;
        maybeDone();
        return -1;
      }
      if (over && !readEnd) {
        XiaSocketException reason = cause;
        if (reason != null) {
          throw new XiaSocketException(reason.kind(), "read from a broken stream", facts(), reason);
        }
        return -1;
      }
      readerWaits = true;
      return readEnd ? -1 : 0;
    }
    int n = in.take(target);
    if (in.readable() == 0) {
      readerWaits = true;
      if (inputComplete()) {
        context.schedule(0, laterReadable); // the end of the stream is an event of its own
      }
    }
    if (!over) {
      hasRead();
    }
    return n;
  }

  @Override
  public long unacknowledged() {
    return out.end() - out.base();
  }

  @Override
  public void shutdownOutput() {
    if (!outputClosed && !over) {
      outputClosed = true;
      pump();
    }
  }

  @Override
  public void abort() {
    if (!over) {
      sendReset(Reset.ABORTED);
      end(new XiaSocketException(Kind.CLOSED, "stream aborted by this end", facts()));
    }
  }

  @Override
  public void close() {
    if (over || discards) {
      return;
    }
    discards = true;
    in.discard();
    hasRead();
    shutdownOutput();
    if (!over) {
      closing();
    }
    maybeDone();
  }

  /** Tells the application of bytes or the end, if it is waiting for that. */
  final void tellReadable() {
    if (discards) {
      in.discard();
      maybeDone();
      return;
    }
    if (readerWaits && !toldOver && (in.readable() > 0 || (inputComplete() && !readEnd))) {
      readerWaits = false;
      guarded(callReadable);
    }
  }

  /** Tells the application that there is room again, if it is waiting for that. */
  final void tellWritable() {
    if (writerWaits
        && !over
        && !outputClosed
        && out.room() >= Math.min(out.capacity() / 4, 64 << 10)) {
      writerWaits = false;
      guarded(callWritable);
    }
  }

  final void tellAddressChange() {
    if (!over) {
      guarded(callAddressChange);
    }
  }

  private void guarded(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      LOG.log(
          System.Logger.Level.WARNING, "stream handler failed, connection aborted " + facts(), e);
      if (!over) {
        sendReset(Reset.ABORTED);
        end(new XiaSocketException(Kind.CLOSED, "stream handler failed", facts(), e));
      }
    }
  }

  /** Whether the protocol has nothing more to do for what the application wanted. */
  abstract boolean exchangeComplete();

  /** Ends the connection in good order once both directions are finished and read. */
  final void maybeDone() {
    if (!over && exchangeComplete() && (readEnd || discards)) {
      end(null);
    }
  }

  /** The one place where a connection ends; tells the application in a task of its own. */
  final void end(@Nullable XiaSocketException why) {
    if (over) {
      return;
    }
    over = true;
    cause = why;
    released();
    context.schedule(0, this::tellOver);
  }

  private void tellOver() {
    if (!toldOver) {
      toldOver = true;
      out.free();
      in.free();
      try {
        handler.onClosed(this, cause);
      } catch (RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, "stream handler failed in onClosed " + facts(), e);
      }
      handler = SILENT;
    }
  }

  /** What every error message about this connection says. */
  final Map<String, ?> facts() {
    return Map.of("local", local, "remote", remote);
  }

  @Override
  public String toString() {
    return "stream " + local + " - " + remote;
  }
}
