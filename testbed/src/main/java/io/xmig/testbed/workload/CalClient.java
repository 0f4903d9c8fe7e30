package io.xmig.testbed.workload;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Asks the calculation service at a fixed rhythm and verifies every answer, over one connection or
 * by datagrams.
 *
 * @threading on the stack's loop
 * @source paper, section 3.2
 */
public final class CalClient implements AutoCloseable {
  private static final long FIRST_NUMBER = 1_000_000;
  private static final long NUMBERS = 1_000_000;

  private final EventLoop loop;
  private final WallClock clock;
  private final long intervalNs;
  private final List<Question> questions = new ArrayList<>();
  private final ByteBuffer out = ByteBuffer.allocateDirect(256 * CalMessage.LENGTH);
  private final ByteBuffer in = ByteBuffer.allocateDirect(64 * CalMessage.LENGTH);
  private @Nullable StreamConnection connection;
  private @Nullable DatagramSocket socket;
  private @Nullable Dag server;
  private EventLoop.@Nullable Timer next;
  private long nextAtNs;
  private boolean running = true;
  private long wrong;
  private @Nullable XiaSocketException broken;
  private boolean finished;

  private static final class Question {
    final long sentUs;
    final long number;
    long rttUs = Sample.LOST;

    Question(long sentUs, long number) {
      this.sentUs = sentUs;
      this.number = number;
    }
  }

  /**
   * What a client saw.
   *
   * @param socket {@code stream} or {@code dgram}
   * @param log one sample per question
   * @param wrong answers that were not two primes adding up to the number asked for
   * @param broken why the connection was lost, or {@code null}
   */
  public record Outcome(String socket, ProbeLog log, long wrong, @Nullable String broken) {
    /** Every answer right and the connection never lost. */
    public boolean good() {
      return wrong == 0 && broken == null && log.answered() > 0;
    }
  }

  private CalClient(EventLoop loop, Duration interval) {
    this.loop = loop;
    this.clock = new WallClock(loop);
    this.intervalNs = interval.toNanos();
  }

  /** Connects to the service and starts asking; call it on the stack's loop. */
  public static CompletableFuture<CalClient> stream(
      XiaStack stack, Dag service, Duration interval, Duration timeout) {
    CalClient client = new CalClient(stack.loop(), interval);
    return stack
        .connect(service, timeout, client.new Events())
        .thenApply(
            connected -> {
              client.connection = connected;
              return client.begin();
            });
  }

  /** Starts asking by datagrams; call it on the stack's loop. */
  public static CompletableFuture<CalClient> dgram(XiaStack stack, Dag service, Duration interval) {
    CalClient client = new CalClient(stack.loop(), interval);
    client.server = service;
    return stack
        .openDatagram(null, (source, payload, inPort) -> client.onAnswer(CalMessage.read(payload)))
        .thenApply(
            opened -> {
              client.socket = opened;
              return client.begin();
            });
  }

  private CalClient begin() {
    nextAtNs = loop.nanoTime();
    ask();
    return this;
  }

  private void ask() {
    if (!running || broken != null) {
      return;
    }
    long sequence = questions.size();
    long number = FIRST_NUMBER + 2 * (sequence % NUMBERS);
    CalMessage question = new CalMessage(sequence, number, 0, 0);
    if (connection != null) {
      if (out.remaining() >= CalMessage.LENGTH) {
        questions.add(new Question(clock.nowUs(), number));
        question.write(out);
        flush();
      }
    } else if (socket != null && server != null) {
      questions.add(new Question(clock.nowUs(), number));
      out.clear();
      question.write(out);
      socket.send(server, out.flip());
    }
    nextAtNs += intervalNs;
    next = loop.schedule(nextAtNs - loop.nanoTime(), this::ask);
  }

  private void flush() {
    if (connection == null || broken != null) {
      return;
    }
    out.flip();
    connection.write(out);
    out.compact();
  }

  private void onAnswer(@Nullable CalMessage answer) {
    if (answer == null || answer.sequence() < 0 || answer.sequence() >= questions.size()) {
      wrong++;
      return;
    }
    Question question = questions.get((int) answer.sequence());
    if (answer.number() != question.number || !answer.isRight()) {
      wrong++;
    } else if (question.rttUs == Sample.LOST) {
      question.rttUs = Math.max(0, clock.nowUs() - question.sentUs);
    }
  }

  private final class Events implements StreamHandler {
    @Override
    public void onReadable(StreamConnection readable) {
      int read;
      while ((read = readable.read(in)) > 0) {
        in.flip();
        while (in.remaining() >= CalMessage.LENGTH) {
          onAnswer(CalMessage.read(in));
        }
        in.compact();
      }
      if (read < 0 && !finished) {
        broken =
            new XiaSocketException(
                XiaSocketException.Kind.CLOSED, "the server closed the connection");
      }
    }

    @Override
    public void onWritable(StreamConnection writable) {
      flush();
    }

    @Override
    public void onClosed(StreamConnection closed, @Nullable XiaSocketException cause) {
      if (!finished && broken == null) {
        broken =
            cause != null
                ? cause
                : new XiaSocketException(XiaSocketException.Kind.CLOSED, "connection closed");
      }
    }
  }

  /** Answers received so far that were right. */
  public long answered() {
    return questions.stream().filter(q -> q.rttUs != Sample.LOST).count();
  }

  /** Stops asking but still takes answers, until {@link #close}. */
  public void stopAsking() {
    running = false;
    if (next != null) {
      next.cancel();
    }
  }

  /** What has been seen up to now. */
  public Outcome outcome() {
    ProbeLog log =
        new ProbeLog(
            intervalNs / 1000, questions.stream().map(q -> new Sample(q.sentUs, q.rttUs)).toList());
    return new Outcome(
        connection != null ? "stream" : "dgram",
        log,
        wrong,
        broken == null ? null : broken.getMessage());
  }

  @Override
  public void close() {
    stopAsking();
    finished = true;
    if (connection != null) {
      connection.close();
    }
    if (socket != null) {
      socket.close();
    }
  }
}
