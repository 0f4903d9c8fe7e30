package io.xmig.control.pipe;

import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.control.session.MessageFraming;
import io.xmig.control.session.SessionLimits;
import io.xmig.control.session.v1.ControlMessage;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Messages over one stream connection. An acknowledgement that waits to be sent is overtaken by the
 * next one, so a slow connection is not filled with old news.
 *
 * @threading the loop
 */
final class ControlChannel implements StreamHandler {
  /** What happens on the channel. */
  interface Events {
    void onMessage(ControlChannel channel, ControlMessage message);

    /** Bytes came that are no message. */
    void onMalformed(ControlChannel channel, String trouble);

    /**
     * The channel is useless from now on; called once, and not after {@link #close}.
     *
     * @param peerIsGone whether the peer's end was closed or reset rather than lost
     */
    void onLost(ControlChannel channel, boolean peerIsGone, String trouble);
  }

  private final EventLoop loop;
  private final Events events;
  private final MessageFraming<ControlMessage> framing =
      new MessageFraming<>(ControlMessage.parser(), SessionLimits.MAX_MESSAGE_BYTES);
  private final ArrayDeque<Outgoing> queue = new ArrayDeque<>();
  private @Nullable StreamConnection connection;
  private boolean closing;
  private boolean over;
  private boolean gone;

  ControlChannel(EventLoop loop, Events events) {
    this.loop = loop;
    this.events = events;
  }

  private record Outgoing(ByteBuffer frame, boolean isAck) {}

  /** The connection that this channel is on; its events must come to this channel. */
  void attach(StreamConnection opened) {
    connection = opened;
    if (over || closing) {
      opened.abort();
    }
  }

  void send(ControlMessage message) {
    if (over || closing) {
      return;
    }
    Outgoing last = queue.peekLast();
    if (message.hasAck() && last != null && last.isAck() && last.frame().position() == 0) {
      queue.removeLast();
    }
    queue.add(new Outgoing(frame(message), message.hasAck()));
    flush();
  }

  private static ByteBuffer frame(ControlMessage message) {
    return MessageFraming.frame(message, SessionLimits.MAX_MESSAGE_BYTES);
  }

  private void flush() {
    StreamConnection to = connection;
    if (to == null || over) {
      return;
    }
    try {
      while (!queue.isEmpty()) {
        ByteBuffer frame = queue.getFirst().frame();
        to.write(frame);
        if (frame.hasRemaining()) {
          return;
        }
        queue.removeFirst();
      }
      if (closing) {
        over = true;
        to.close();
      }
    } catch (XiaSocketException e) {
      // Not from within a call of the session: it hears of it in a turn of its own.
      loop.execute(() -> lost(isGone(e), String.valueOf(e.getMessage())));
    }
  }

  /** Closes once everything has been handed to the stack. */
  void close() {
    if (over || closing) {
      return;
    }
    closing = true;
    flush();
  }

  /** Drops the connection at once. */
  void abort() {
    if (over) {
      return;
    }
    over = true;
    if (connection != null) {
      connection.abort();
    }
  }

  /** Whether the peer has all that was sent, or never will. */
  boolean isSettled() {
    StreamConnection to = connection;
    return gone || to == null || (queue.isEmpty() && to.unacknowledged() == 0);
  }

  @Override
  public void onReadable(StreamConnection from) {
    try {
      while (!over && !closing) {
        int got = from.read(framing.buffer());
        if (got < 0) {
          from.close();
          lost(true, "the peer closed the connection");
          return;
        }
        if (got == 0) {
          return;
        }
        deliver();
      }
      drain(from);
    } catch (XiaSocketException e) {
      lost(isGone(e), String.valueOf(e.getMessage()));
    }
  }

  /** What comes after the end is read and dropped, so that the close is an orderly one. */
  private void drain(StreamConnection from) {
    ByteBuffer nowhere = framing.buffer();
    do {
      nowhere.clear();
    } while (from.read(nowhere) > 0);
    nowhere.clear();
  }

  private void deliver() {
    while (!over && !closing) {
      ControlMessage message;
      try {
        message = framing.next();
      } catch (InvalidProtocolBufferException e) {
        events.onMalformed(this, "malformed message: " + e.getMessage());
        close();
        return;
      }
      if (message == null) {
        return;
      }
      events.onMessage(this, message);
    }
  }

  @Override
  public void onWritable(StreamConnection to) {
    flush();
  }

  @Override
  public void onClosed(StreamConnection closed, @Nullable XiaSocketException cause) {
    lost(
        cause == null || isGone(cause),
        cause == null ? "the peer closed the connection" : String.valueOf(cause.getMessage()));
  }

  private void lost(boolean peerIsGone, String trouble) {
    gone = true;
    if (over) {
      return;
    }
    over = true;
    queue.clear();
    if (!closing) {
      events.onLost(this, peerIsGone, trouble);
    }
  }

  private static boolean isGone(XiaSocketException cause) {
    return cause.kind() == XiaSocketException.Kind.RESET
        || cause.kind() == XiaSocketException.Kind.CLOSED
        || cause.kind() == XiaSocketException.Kind.REFUSED;
  }
}
