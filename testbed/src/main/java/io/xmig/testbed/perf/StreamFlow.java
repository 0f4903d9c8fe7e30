package io.xmig.testbed.perf;

import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** One connection of a client: says hello, then sends, receives, or asks and waits. */
final class StreamFlow implements PerfFlow, StreamHandler {
  private static final int READ_BYTES = 64 << 10;

  private final EventLoop loop;
  private final PerfOptions options;
  private final Histogram roundTrips;
  private final ByteBuffer hello = ByteBuffer.allocateDirect(PerfHello.LENGTH);
  private final ByteBuffer in = ByteBuffer.allocateDirect(READ_BYTES).limit(0);
  private final ByteBuffer report = ByteBuffer.allocate(ServedConnection.REPORT_LENGTH);
  private final MessageWriter writer;
  private final MessageReader reader;
  private final CompletableFuture<Outcome> done = new CompletableFuture<>();
  private @Nullable StreamConnection connection;
  private boolean begun;
  private boolean stopping;
  private boolean sentAll;
  private long askedNs;

  /**
   * @param roundTrips gets the round trips of RR in nanoseconds
   */
  StreamFlow(EventLoop loop, PerfOptions options, Histogram roundTrips) {
    this.loop = loop;
    this.options = options;
    this.roundTrips = roundTrips;
    writer = new MessageWriter(options.messageBytes());
    reader =
        new MessageReader(
            options.test() == PerfTest.RR ? options.responseBytes() : options.messageBytes());
    new PerfHello(
            options.test(),
            options.messageBytes(),
            options.responseBytes(),
            options.duration().toNanos())
        .write(hello);
    hello.flip();
  }

  PerfFlow connected(StreamConnection opened) {
    connection = opened;
    return this;
  }

  @Override
  public void begin() {
    begun = true;
    if (options.test() != PerfTest.REVERSE) {
      beginMessage();
    }
    askedNs = loop.nanoTime();
    turn();
  }

  @Override
  public void stop() {
    stopping = true;
    if (options.test() == PerfTest.STREAM) {
      turn();
    }
  }

  @Override
  public void onReadable(StreamConnection readable) {
    turn();
  }

  @Override
  public void onWritable(StreamConnection writable) {
    turn();
  }

  @Override
  public void onClosed(StreamConnection closed, @Nullable XiaSocketException cause) {
    fail(cause != null ? cause : closed());
  }

  private void turn() {
    StreamConnection open = connection;
    if (!begun || open == null || done.isDone()) {
      return;
    }
    try {
      if (hello.hasRemaining()) {
        open.write(hello);
        if (hello.hasRemaining()) {
          return;
        }
      }
      switch (options.test()) {
        case STREAM -> upload(open);
        case RR -> ask(open);
        default -> download(open);
      }
    } catch (XiaSocketException e) {
      fail(e);
    }
  }

  private void upload(StreamConnection to) {
    while (!sentAll && writer.write(to)) {
      if (writer.lastBegun()) {
        sentAll = true;
      } else {
        beginMessage();
      }
    }
    while (report.hasRemaining()) {
      int read = to.read(report);
      if (read < 0) {
        throw closed();
      }
      if (read == 0) {
        return;
      }
    }
    confirm(report.flip());
  }

  /** The last message of an upload is that which reaches the limit, or follows {@link #stop}. */
  private void beginMessage() {
    boolean enough =
        options.maxBytes() > 0 && writer.bytes() + options.messageBytes() >= options.maxBytes();
    writer.begin(options.test() == PerfTest.STREAM && (stopping || enough));
  }

  private void confirm(ByteBuffer said) {
    if (said.getInt() != PerfHello.MAGIC || !sentAll) {
      fail(
          new XiaSocketException(
              XiaSocketException.Kind.RESET,
              "the server answers something else; is it xmig perf?"));
      return;
    }
    said.getInt();
    long bytes = said.getLong();
    long messages = said.getLong();
    done.complete(new Outcome(bytes, writer.messages(), messages, 0, 0, 0));
  }

  private void download(StreamConnection from) {
    while (!reader.isComplete() && (in.hasRemaining() || fill(from))) {
      reader.take(in);
    }
    if (reader.isComplete()) {
      done.complete(new Outcome(reader.bytes(), reader.messages(), reader.messages(), 0, 0, 0));
    }
  }

  private void ask(StreamConnection with) {
    while (writer.write(with) && (in.hasRemaining() || fill(with))) {
      if (!reader.take(in)) {
        continue;
      }
      long now = loop.nanoTime();
      roundTrips.recordValue(Math.min(roundTrips.getHighestTrackableValue(), now - askedNs));
      if (stopping) {
        done.complete(
            new Outcome(
                writer.bytes() + reader.bytes(), writer.messages(), reader.messages(), 0, 0, 0));
        return;
      }
      askedNs = now;
      writer.begin(false);
    }
  }

  private boolean fill(StreamConnection from) {
    in.clear();
    int read = from.read(in);
    in.flip();
    if (read < 0) {
      throw closed();
    }
    return read > 0;
  }

  private static XiaSocketException closed() {
    return new XiaSocketException(
        XiaSocketException.Kind.CLOSED, "the server closed the connection");
  }

  private void fail(XiaSocketException cause) {
    done.completeExceptionally(cause);
  }

  @Override
  public long bytes() {
    StreamConnection open = connection;
    return switch (options.test()) {
      case STREAM ->
          open == null || done.isDone()
              ? writer.bytes()
              : Math.max(0, writer.bytes() - open.unacknowledged());
      case RR -> writer.bytes() + reader.bytes();
      default -> reader.bytes();
    };
  }

  @Override
  public long messages() {
    return options.test() == PerfTest.STREAM ? bytes() / options.messageBytes() : reader.messages();
  }

  @Override
  public CompletableFuture<Outcome> done() {
    return done;
  }

  @Override
  public void close() {
    if (connection != null) {
      connection.close();
    }
  }
}
