package io.xmig.xia.socket.ipc;

import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A client's stream connection, between the node and the channel. Credit in both directions keeps a
 * slow end from filling memory:
 *
 * <pre>
 *   client ── DATA, at most WINDOW not yet taken by the node ──▶ node's send buffer
 *   client ◀─ DATA, at most WINDOW not yet read by the application ── node's receive buffer
 * </pre>
 */
final class SessionStream implements StreamHandler, AutoCloseable {
  /** Bytes that may be on their way or waiting at the receiver, per direction. */
  static final int WINDOW = 256 << 10;

  /** How long an orderly closed connection may go on delivering after its client has gone. */
  static final long LINGER_NS = 30_000_000_000L;

  private static final int READ_BYTES = 32 << 10;
  private static final int CREDIT_STEP = WINDOW / 4;
  private static final long FIRST_LOOK_NS = 2_000_000;
  private static final long LAST_LOOK_NS = 64_000_000;

  private final Session session;
  private final int handle;
  private @Nullable StreamConnection connection;

  // from the client
  private final ByteRing pending = new ByteRing(WINDOW);
  private long receivedTotal;
  private int received; // taken from the client since credit was given last
  private boolean outputEnds;
  private boolean closing;

  // to the client
  private int credit = WINDOW;
  private boolean readable;
  private boolean endSent;
  private boolean over;
  private boolean causeKnown;
  private @Nullable XiaSocketException cause;

  // what the peer has acknowledged, told now and then
  private long toldAcknowledged;
  private long lookNs = FIRST_LOOK_NS;
  private EventLoop.@Nullable Timer look;

  SessionStream(Session session, int handle) {
    this.session = session;
    this.handle = handle;
  }

  void opened(StreamConnection opened) {
    connection = opened;
    readable = true;
    pump();
    push();
  }

  // ---------------------------------------------------------------- client to node

  void data(ByteBuffer body) {
    if (pending.size() + received + body.remaining() > WINDOW) {
      throw new IpcProtocolException(
          "client exceeds its stream window", Map.of("handle", handle, "window", WINDOW));
    }
    StreamConnection open = connection;
    if (open == null || over || outputEnds) {
      return;
    }
    int length = body.remaining();
    receivedTotal += length;
    try {
      if (pending.isEmpty()) {
        received += open.write(body);
      }
    } catch (XiaSocketException e) {
      received += length; // its end is reported by onClosed
      return;
    }
    pending.put(body);
    giveCredit();
    watchAcknowledgements();
  }

  private void push() {
    StreamConnection open = connection;
    if (open == null || over) {
      return;
    }
    try {
      while (!pending.isEmpty()) {
        ByteBuffer part = pending.readable();
        int taken = open.write(part);
        pending.skip(taken);
        received += taken;
        if (taken == 0) {
          break;
        }
      }
      if (pending.isEmpty()) {
        if (closing) {
          over = true;
          open.close();
          return;
        }
        if (outputEnds) {
          open.shutdownOutput();
        }
      }
    } catch (XiaSocketException e) {
      pending.clear();
    }
    giveCredit();
  }

  private void giveCredit() {
    if (received >= CREDIT_STEP && !session.isOver() && !closing) {
      sendCredit();
    }
  }

  private void sendCredit() {
    toldAcknowledged = acknowledgedTotal();
    ByteBuffer out = session.channel().begin(Op.CREDIT, handle, 0, 12);
    out.putInt(received).putLong(toldAcknowledged);
    session.channel().end();
    received = 0;
  }

  private long acknowledgedTotal() {
    StreamConnection open = connection;
    return receivedTotal - pending.size() - (open == null ? 0 : open.unacknowledged());
  }

  /** The API has no event for acknowledgements, so one looks while there is something to expect. */
  private void watchAcknowledgements() {
    if (look == null) {
      lookNs = FIRST_LOOK_NS;
      look = session.loop().schedule(lookNs, this::look);
    }
  }

  private void look() {
    look = null;
    StreamConnection open = connection;
    if (open == null || over || session.isOver()) {
      return;
    }
    long acknowledged = acknowledgedTotal();
    if (acknowledged != toldAcknowledged || received > 0) {
      sendCredit();
      lookNs = FIRST_LOOK_NS;
    } else {
      lookNs = Math.min(LAST_LOOK_NS, lookNs * 2);
    }
    if (acknowledged < receivedTotal) {
      look = session.loop().schedule(lookNs, this::look);
    }
  }

  void shutdown() {
    outputEnds = true;
    push();
  }

  void abort() {
    StreamConnection open = connection;
    if (open != null && !over) {
      over = true;
      open.abort();
    }
  }

  /** The client has closed: what it wrote is still handed to the node. */
  @Override
  public void close() {
    if (!closing && !over) {
      closing = true;
      push();
    }
  }

  /** Whether the client has closed and the node has not taken everything yet. */
  boolean isLingering() {
    return closing && !over;
  }

  /**
   * The client's process has gone.
   *
   * @return whether an orderly close is still under way
   */
  boolean clientGone() {
    if (look != null) {
      look.cancel();
    }
    if (over) {
      return false;
    }
    if (outputEnds && !pending.isEmpty()) {
      close();
      return true;
    }
    if (outputEnds) {
      close();
    } else {
      abort();
    }
    return false;
  }

  @Override
  public void onWritable(StreamConnection c) {
    push();
    watchAcknowledgements();
  }

  // ---------------------------------------------------------------- node to client

  void credit(int bytes) {
    if (bytes < 0 || credit + (long) bytes > WINDOW) {
      throw new IpcProtocolException(
          "bad stream credit", Map.of("handle", handle, "credit", bytes));
    }
    credit += bytes;
    pump();
  }

  @Override
  public void onReadable(StreamConnection c) {
    readable = true;
    pump();
  }

  /** Moves what has arrived to the client, as far as credit and the channel allow. */
  void pump() {
    StreamConnection open = connection;
    if (open == null || session.isOver() || closing || endSent) {
      return;
    }
    IpcChannel channel = session.channel();
    try {
      while (readable && !endSent && credit > 0 && !channel.isCongested()) {
        int most = Math.min(credit, READ_BYTES);
        ByteBuffer out = channel.begin(Op.DATA, handle, 0, most);
        int count = open.read(out);
        if (count > 0) {
          channel.end();
          credit -= count;
        } else {
          channel.abandon();
          readable = false;
          endSent = count < 0;
        }
      }
      if (endSent) {
        channel.send(Op.END, handle, 0);
      }
    } catch (XiaSocketException e) {
      channel.abandon();
      readable = false;
      endSent = true;
    }
    tellEnd();
  }

  @Override
  public void onAddressChange(StreamConnection c) {
    if (!session.isOver()) {
      session.dags(handle, c.localDag(), c.remoteDag());
    }
  }

  @Override
  public void onClosed(StreamConnection c, @Nullable XiaSocketException why) {
    causeKnown = true;
    cause = why;
    pump(); // after an orderly end there may be bytes that the client has not had yet
    tellEnd();
  }

  private void tellEnd() {
    boolean everythingRead = endSent || !readable;
    if (!causeKnown || over || (cause == null && !everythingRead)) {
      return;
    }
    over = true;
    if (look != null) {
      look.cancel();
    }
    if (!session.isOver()) {
      Body.putCause(session.channel().begin(Op.CLOSED, handle, 0, Op.Limits.MESSAGE), cause);
      session.channel().end();
      session.forget(handle);
    }
  }
}
