package io.xmig.testbed.perf;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.DatagramHandler;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.XiaSocketException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/** One datagram socket of a client: sends at a rate and asks what came, or asks and waits. */
final class DatagramFlow implements PerfFlow, DatagramHandler {
  private static final int UNPACED_BURST = 32;
  private static final int MOST_AT_ONCE = 256;
  private static final long SHORTEST_PAUSE_NS = 200_000;
  private static final long REPORT_RETRY_NS = 200_000_000;
  private static final int REPORT_TRIES = 25;
  private static final long ECHO_PATIENCE_NS = 500_000_000;

  private final EventLoop loop;
  private final PerfOptions options;
  private final Dag server;
  private final long session;
  private final Histogram roundTrips;
  private final ByteBuffer out;
  private final CompletableFuture<Outcome> done = new CompletableFuture<>();
  private @Nullable DatagramSocket socket;
  private EventLoop.@Nullable Timer next;
  private boolean stopping;
  private long beganNs;
  private long sent;
  private long answered;
  private long askedNs;
  private int reportTries;

  /**
   * @param session at random, so that the server tells this one from others
   * @param roundTrips gets the round trips of DGRAM_RR in nanoseconds
   */
  DatagramFlow(
      EventLoop loop, PerfOptions options, Dag server, long session, Histogram roundTrips) {
    this.loop = loop;
    this.options = options;
    this.server = server;
    this.session = session;
    this.roundTrips = roundTrips;
    out = ByteBuffer.allocateDirect(Math.max(options.messageBytes(), PerfDatagram.REPORT_LENGTH));
  }

  PerfFlow opened(DatagramSocket open) {
    socket = open;
    return this;
  }

  @Override
  public void begin() {
    beganNs = loop.nanoTime();
    if (options.test().asksAndAnswers()) {
      ask();
    } else {
      sendDue();
    }
  }

  @Override
  public void stop() {
    stopping = true;
    if (next != null) {
      next.cancel();
    }
    if (options.test().asksAndAnswers()) {
      if (answered == sent) {
        finishAsking();
      } else {
        next = loop.schedule(ECHO_PATIENCE_NS, this::finishAsking);
      }
    } else {
      askForReport();
    }
  }

  private void send(PerfDatagram.Kind kind, long sequence, int length) {
    out.clear();
    new PerfDatagram(kind, session, sequence, loop.nanoTime()).write(out);
    try {
      if (socket != null) {
        socket.send(server, out.limit(length).position(0));
      }
    } catch (XiaSocketException e) {
      done.completeExceptionally(e);
    }
  }

  // ---------------------------------------------------------------- at a rate

  private void sendDue() {
    if (stopping || done.isDone()) {
      return;
    }
    double rate = (double) options.bytesPerSecond() / options.parallel() / options.messageBytes();
    long due = UNPACED_BURST;
    if (rate > 0) {
      due = (long) ((loop.nanoTime() - beganNs) * rate / 1e9) + 1 - sent;
    }
    for (long i = Math.min(due, MOST_AT_ONCE); i > 0 && !done.isDone(); i--) {
      send(PerfDatagram.Kind.DATA, sent++, options.messageBytes());
    }
    if (rate > 0) {
      long pause = beganNs + (long) (sent * 1e9 / rate) - loop.nanoTime();
      next = loop.schedule(Math.max(SHORTEST_PAUSE_NS, pause), this::sendDue);
    } else {
      loop.execute(this::sendDue);
    }
  }

  private void askForReport() {
    if (done.isDone()) {
      return;
    }
    if (reportTries++ == REPORT_TRIES) {
      done.completeExceptionally(
          new XiaSocketException(
              XiaSocketException.Kind.TIMED_OUT,
              "the server does not report what it received",
              Map.of("sent", sent, "hint", "does 'xmig perf server' run there?")));
      return;
    }
    send(PerfDatagram.Kind.END, sent, PerfDatagram.REPORT_LENGTH);
    next = loop.schedule(REPORT_RETRY_NS, this::askForReport);
  }

  // ---------------------------------------------------------------- question and answer

  private void ask() {
    if (done.isDone()) {
      return;
    }
    askedNs = loop.nanoTime();
    send(PerfDatagram.Kind.ECHO, sent++, options.messageBytes());
    next = loop.schedule(ECHO_PATIENCE_NS, this::ask);
  }

  private void finishAsking() {
    if (answered == 0) {
      done.completeExceptionally(
          new XiaSocketException(
              XiaSocketException.Kind.TIMED_OUT,
              "no answer to any datagram",
              Map.of("sent", sent, "hint", "does 'xmig perf server' run there?")));
    }
    done.complete(new Outcome(bytes(), sent, answered, 0, 0, 0));
  }

  @Override
  public void onDatagram(Dag source, ByteBuffer payload, int inPort) {
    PerfDatagram head = PerfDatagram.read(payload);
    if (head == null || head.session() != session || done.isDone()) {
      return;
    }
    if (head.kind() == PerfDatagram.Kind.ECHOED && head.sequence() == sent - 1) {
      answered++;
      roundTrips.recordValue(
          Math.min(roundTrips.getHighestTrackableValue(), loop.nanoTime() - askedNs));
      if (next != null) {
        next.cancel();
      }
      if (stopping) {
        finishAsking();
      } else {
        ask();
      }
    } else if (head.kind() == PerfDatagram.Kind.REPORT
        && payload.remaining() >= PerfDatagram.REPORT_LENGTH - PerfDatagram.LENGTH) {
      if (next != null) {
        next.cancel();
      }
      long received = payload.getLong();
      long bytes = payload.getLong();
      long reordered = payload.getLong();
      long duplicates = payload.getLong();
      done.complete(
          new Outcome(bytes, sent, received, reordered, duplicates, (double) payload.getLong()));
    }
  }

  @Override
  public long bytes() {
    return messages() * options.messageBytes() * (options.test().asksAndAnswers() ? 2 : 1);
  }

  @Override
  public long messages() {
    return options.test().asksAndAnswers() ? answered : sent;
  }

  @Override
  public CompletableFuture<Outcome> done() {
    return done;
  }

  @Override
  public void close() {
    if (next != null) {
      next.cancel();
    }
    if (socket != null) {
      socket.close();
    }
  }
}
