package io.xmig.testbed.perf;

import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connection of the server: reads the hello, then does what it asks for. */
final class ServedConnection implements StreamHandler {
  /** Magic, zeroes, bytes, messages, nanoseconds from the first byte to the last. */
  static final int REPORT_LENGTH = 32;

  private static final int READ_BYTES = 64 << 10;
  private static final Logger LOG = LoggerFactory.getLogger(ServedConnection.class);

  private final EventLoop loop;
  private final Consumer<ServedConnection> over;
  private final ByteBuffer in = ByteBuffer.allocateDirect(READ_BYTES);
  private final ByteBuffer out = ByteBuffer.allocateDirect(REPORT_LENGTH).limit(0);
  private @Nullable StreamConnection connection;
  private @Nullable PerfHello hello;
  private @Nullable MessageReader reader;
  private @Nullable MessageWriter writer;
  private long startedNs;
  private boolean stirred;
  private boolean reported;
  private boolean ended;
  private int silent;

  ServedConnection(EventLoop loop, Consumer<ServedConnection> over) {
    this.loop = loop;
    this.over = over;
    in.limit(PerfHello.LENGTH);
  }

  /** A connection that there is no place for. */
  static StreamHandler refused() {
    return new StreamHandler() {
      @Override
      public void onReadable(StreamConnection refused) {
        refused.abort();
      }
    };
  }

  @Override
  public void onReadable(StreamConnection from) {
    connection = from;
    stirred = true;
    try {
      if (!ended && (hello != null || readHello(from))) {
        go(from);
      }
    } catch (XiaSocketException e) {
      end(); // the client has gone without a farewell
    }
  }

  @Override
  public void onWritable(StreamConnection to) {
    stirred = true;
    try {
      go(to);
    } catch (XiaSocketException e) {
      end();
    }
  }

  @Override
  public void onClosed(StreamConnection closed, @Nullable XiaSocketException cause) {
    over.accept(this);
  }

  /**
   * Called now and then; ends the connection after so many calls between which nothing happened.
   */
  void endIfSilent(int calls) {
    silent = stirred ? 0 : silent + 1;
    stirred = false;
    if (silent >= calls) {
      end();
    }
  }

  /** Drops the connection. */
  void end() {
    ended = true;
    over.accept(this);
    if (connection != null) {
      connection.abort();
    }
  }

  /** False as long as, or if, there is no hello. */
  private boolean readHello(StreamConnection from) {
    while (in.hasRemaining()) {
      int read = from.read(in);
      if (read < 0) {
        ended = true;
        from.close();
      }
      if (read <= 0) {
        return false;
      }
    }
    PerfHello read = PerfHello.read(in.flip());
    if (read == null) {
      LOG.info("perf: dropping a client that says no proper hello");
      end();
      return false;
    }
    hello = read;
    reader = new MessageReader(read.messageBytes());
    startedNs = loop.nanoTime();
    in.clear().limit(0);
    if (read.test() == PerfTest.REVERSE) {
      writer = new MessageWriter(read.messageBytes());
      writer.begin(false);
    } else if (read.test() == PerfTest.RR) {
      writer = new MessageWriter(read.responseBytes());
    }
    return true;
  }

  private void go(StreamConnection with) {
    PerfHello wanted = hello;
    if (wanted == null || ended) {
      return;
    }
    switch (wanted.test()) {
      case REVERSE -> send(with, wanted);
      case RR -> answer(with);
      default -> take(with);
    }
  }

  private void take(StreamConnection from) {
    MessageReader counted = reader;
    if (counted == null) {
      return;
    }
    while (fill(from)) {
      if (counted.bytes() == 0) {
        startedNs = loop.nanoTime();
      }
      while (in.hasRemaining()) {
        counted.take(in);
      }
    }
    if (ended) {
      return;
    }
    if (counted.isComplete() && !reported) {
      reported = true;
      out.clear();
      out.putInt(PerfHello.MAGIC).putInt(0).putLong(counted.bytes()).putLong(counted.messages());
      out.putLong(loop.nanoTime() - startedNs).flip();
    }
    if (out.hasRemaining()) {
      from.write(out);
    }
  }

  private void send(StreamConnection to, PerfHello wanted) {
    while (fill(to)) {
      in.position(in.limit()); // there is nothing to say
    }
    MessageWriter messages = writer;
    if (messages == null || ended) {
      return;
    }
    while (messages.write(to)) {
      if (messages.lastBegun()) {
        to.shutdownOutput();
        writer = null;
        return;
      }
      messages.begin(loop.nanoTime() - startedNs >= wanted.durationNs());
    }
  }

  private void answer(StreamConnection with) {
    MessageReader requests = reader;
    MessageWriter responses = writer;
    if (requests == null || responses == null) {
      return;
    }
    while (responses.write(with) && (in.hasRemaining() || fill(with))) {
      if (requests.take(in)) {
        responses.begin(false);
      }
    }
  }

  /** Reads more once everything read has been used; closes when the client has. */
  private boolean fill(StreamConnection from) {
    in.clear();
    int read = from.read(in);
    in.flip();
    if (read < 0) {
      ended = true;
      from.close();
    }
    return read > 0;
  }
}
