package io.xmig.xia.socket.api;

import com.google.protobuf.UnsafeByteOperations;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.api.proto.XSocketMsg;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream connection on its way to and from a program: bytes wait here when either side is not
 * ready.
 */
final class StreamBridge implements StreamHandler {
  /** Largest payload of one message to a program. */
  static final int MAX_PIECE = 15_000;

  /** Largest message that the prototype's library reads whole, and what is around DAG and bytes. */
  private static final int MAX_MESSAGE = 15_599;

  private static final int OVERHEAD = 24;
  private static final int ECONNRESET = 104;

  /**
   * What may wait for the network per socket when the program knows no flow control; more is
   * dropped.
   */
  private static final int MAX_QUEUED = 8 << 20;

  /**
   * Bytes that may lie unread in the program's socket before the node waits (without flow control).
   */
  private static final int MAX_UNREAD = 48 * 1024;

  private static final long UNREAD_RETRY_NS = 2_000_000;
  private static final Logger LOG = LoggerFactory.getLogger(StreamBridge.class);

  private final LocalApi api;
  private final Deque<ByteBuffer> toNetwork = new ArrayDeque<>();
  private final ByteBuffer piece = ByteBuffer.allocate(MAX_PIECE);
  private @Nullable StreamConnection connection;
  private @Nullable ApiSocket socket;
  private EventLoop.@Nullable Timer retry;
  private int queued;
  private int sinceCheck = MAX_UNREAD;
  private boolean closed;
  private boolean finished;
  private boolean endTold;

  StreamBridge(LocalApi api) {
    this.api = api;
  }

  /** Joins the two sides; what has arrived meanwhile is pushed to the program. */
  void join(ApiSocket program, StreamConnection stream) {
    socket = program;
    connection = stream;
    pushToProgram();
  }

  void connection(StreamConnection stream) {
    connection = stream;
  }

  @Nullable StreamConnection connection() {
    return connection;
  }

  Dag remoteDag() {
    if (connection == null) {
      throw new IllegalStateException("not connected");
    }
    return connection.remoteDag();
  }

  boolean isClosed() {
    return closed;
  }

  /**
   * A piece that the program sent after this one did not arrive: the local socket lost it. Rather
   * than leave bytes out the connection is broken.
   */
  void lostPiece() {
    LOG.warn(
        "local api: a message of a stream was lost between program and node; it is broken off");
    abort();
    tellEnd(ECONNRESET);
  }

  /** Bytes from the program. */
  void send(ByteBuffer bytes) {
    if (connection == null || closed) {
      LOG.info("local api: dropped {} bytes for a connection that is not there", bytes.remaining());
      return;
    }
    int length = bytes.remaining();
    if (toNetwork.isEmpty()) {
      consumed(connection.write(bytes));
    }
    if (bytes.hasRemaining()) {
      if (queued + bytes.remaining() > MAX_QUEUED) {
        LOG.warn(
            "local api: a program without flow control outran its connection; {} bytes lost",
            length);
        return;
      }
      ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
      toNetwork.add(copy);
      queued += copy.remaining();
    }
  }

  private void consumed(int bytes) {
    if (socket != null) {
      socket.consumed(bytes);
    }
  }

  @Override
  public void onWritable(StreamConnection stream) {
    while (!toNetwork.isEmpty()) {
      ByteBuffer first = toNetwork.peek();
      int written = stream.write(first);
      queued -= written;
      consumed(written);
      if (first.hasRemaining()) {
        return;
      }
      toNetwork.poll();
    }
    if (finished) {
      stream.close();
    }
  }

  @Override
  public void onReadable(StreamConnection stream) {
    connection = stream;
    pushToProgram();
  }

  /** Pushes received bytes to the program as far as it has shown that it reads them. */
  void pushToProgram() {
    if (socket == null || connection == null || endTold) {
      return;
    }
    while (programHasRoom()) {
      String from = connection.remoteDag().toString();
      piece.clear().limit(Math.min(MAX_PIECE, MAX_MESSAGE - OVERHEAD - from.length()));
      int read;
      try {
        read = connection.read(piece);
      } catch (XiaSocketException e) {
        tellEnd(ECONNRESET);
        return;
      }
      if (read < 0) {
        tellEnd(0);
      }
      if (read <= 0) {
        return;
      }
      socket.credit().pushed(read);
      sinceCheck += read;
      api.recv(socket.port(), from, UnsafeByteOperations.unsafeWrap(piece.flip()));
    }
  }

  /** The prototype has no way to tell a program that its peer has finished; our library has. */
  private void tellEnd(int why) {
    if (socket == null || endTold || !socket.credit().isOn()) {
      return;
    }
    endTold = true;
    api.reply(socket.port(), Credit.end(XSocketMsg.MsgType.XRECV, why));
    if (why != 0) {
      api.reply(
          socket.credit().reportPort(socket.port()), Credit.end(XSocketMsg.MsgType.XSEND, why));
    }
  }

  private boolean programHasRoom() {
    if (socket == null) {
      return false;
    }
    if (socket.credit().isOn()) {
      return socket.credit().room() >= MAX_PIECE; // the program's next report comes back here
    }
    if (sinceCheck < MAX_UNREAD) {
      return true;
    }
    if (api.unread(socket.port()) < MAX_UNREAD) {
      sinceCheck = 0;
      return true;
    }
    if (retry == null) {
      retry =
          api.stack()
              .loop()
              .schedule(
                  UNREAD_RETRY_NS,
                  () -> {
                    retry = null;
                    pushToProgram();
                  });
    }
    return false;
  }

  @Override
  public void onClosed(StreamConnection stream, @Nullable XiaSocketException cause) {
    closed = true;
    if (cause != null && socket != null && socket.credit().isOn()) {
      api.reply( // a program that waits to send need not wait longer
          socket.credit().reportPort(socket.port()),
          Credit.end(XSocketMsg.MsgType.XSEND, ECONNRESET));
    }
    pushToProgram();
  }

  private void stopRetrying() {
    if (retry != null) {
      retry.cancel();
      retry = null;
    }
  }

  /** The program closed its socket: what it sent is still delivered. */
  void close() {
    stopRetrying();
    socket = null;
    finished = true;
    if (connection != null && !closed && toNetwork.isEmpty()) {
      connection.close();
    }
  }

  void abort() {
    stopRetrying();
    if (connection != null && !closed) {
      connection.abort();
    }
    closed = true;
  }
}
