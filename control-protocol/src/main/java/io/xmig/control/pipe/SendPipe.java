package io.xmig.control.pipe;

import io.xmig.chunk.ChunkException;
import io.xmig.chunk.ChunkInfo;
import io.xmig.chunk.compress.Compression;
import io.xmig.chunk.compress.CompressionPolicy;
import io.xmig.chunk.cut.ByteInput;
import io.xmig.chunk.cut.ChunkSizing;
import io.xmig.chunk.cut.Cutter;
import io.xmig.chunk.cut.InFlightBudget;
import io.xmig.chunk.cut.Piece;
import io.xmig.chunk.cut.SlabPool;
import io.xmig.chunk.publish.Publisher;
import io.xmig.chunk.verify.Lane;
import io.xmig.control.session.Outcome;
import io.xmig.control.session.QemuStream;
import io.xmig.control.session.SenderSession;
import io.xmig.control.session.SenderSession.Agreement;
import io.xmig.control.session.SenderSession.ConnectFailure;
import io.xmig.control.session.v1.ControlMessage;
import io.xmig.control.session.v1.Reason;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.CacheSlice;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.SliceOptions;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends one byte stream to one destination: the sender's session joined to a stack, to the cutting
 * and publishing of chunks, and to an input.
 *
 * @threading the stack's loop
 */
public final class SendPipe {
  private static final Xid ANY_CHUNK = Xid.of(XidType.CID, new byte[Xid.ID_LENGTH]);
  private static final Duration CONNECT_ATTEMPT = Duration.ofSeconds(5);

  private final XiaStack stack;
  private final EventLoop loop;
  private final Supplier<CompletableFuture<Dag>> destination;
  private final ByteInput input;
  private final Lane cidLane;
  private final Lane digestLane;
  private final LongSupplier nanoClock;
  private final SendOptions options;
  private final byte[] sessionId;
  private final PipeEvents events;
  private final QemuStream guard;
  private final InFlightBudget budget;
  private final CompletableFuture<Outcome> result = new CompletableFuture<>();
  private final ChannelEvents channelEvents = new ChannelEvents();

  private @Nullable CacheSlice slice;
  private @Nullable SenderSession session;
  private @Nullable ControlChannel channel;
  private @Nullable Cutter cutter;
  private @Nullable Publisher publisher;
  private @Nullable Runnable stopWatchingAddress;
  private @Nullable SessionTimer timer;
  private int attempt;
  private long written;
  private long chunks;
  private long payloadBytes;
  private boolean closed;

  /**
   * @param destination looks the address up, anew for every attempt
   * @param cidLane hashes chunks
   * @param digestLane hashes the stream
   * @param nanoClock measures compression
   * @param sessionId 16 random bytes
   */
  public SendPipe(
      XiaStack stack,
      Supplier<CompletableFuture<Dag>> destination,
      ByteInput input,
      Lane cidLane,
      Lane digestLane,
      LongSupplier nanoClock,
      SendOptions options,
      byte[] sessionId,
      PipeEvents events) {
    this.stack = stack;
    this.loop = stack.loop();
    this.destination = destination;
    this.input = input;
    this.cidLane = cidLane;
    this.digestLane = digestLane;
    this.nanoClock = nanoClock;
    this.options = options;
    this.sessionId = sessionId.clone();
    this.events = events;
    this.guard = new QemuStream(options.raw());
    this.budget =
        new InFlightBudget(
            options.inFlightBytes(),
            options.outageTargetNs(),
            options.downtimeLimitNs(),
            options.maxInFlightBytes());
  }

  /** Begins; completes on the loop when the transfer is over, never exceptionally. */
  public CompletableFuture<Outcome> start() {
    stack
        .allocateSlice(SliceOptions.unlimited())
        .whenComplete(
            (allocated, cause) -> {
              if (cause != null) {
                close();
                result.complete(
                    new Outcome(
                        false,
                        Reason.REASON_INTERNAL,
                        "the node gives no cache slice: " + root(cause).getMessage(),
                        0));
              } else if (closed) {
                allocated.close();
              } else {
                begin(allocated);
              }
            });
    return result;
  }

  private void begin(CacheSlice allocated) {
    slice = allocated;
    int maxChunk = stack.capabilities().maxChunkBytes();
    SenderSession created =
        new SenderSession(
            new Orders(),
            options.times(),
            sessionId,
            allocated.dagOf(ANY_CHUNK).toString(),
            maxChunk,
            options.compression() != Compression.OFF,
            options.raw(),
            options.software());
    session = created;
    timer =
        new SessionTimer(loop, created::nextDeadlineNs, () -> give(s -> s.tick(loop.nanoTime())));
    stopWatchingAddress =
        stack.onAddressChange(
            address -> {
              if (!closed) {
                budget.rate().onPathChange();
                created.moved(allocated.dagOf(ANY_CHUNK).toString());
                afterEvent();
              }
            });
    events.event("connecting", Map.of());
    created.start(loop.nanoTime());
    afterEvent();
  }

  /** Stops the transfer; the peer is told. */
  public void abort(String reason) {
    SenderSession current = session;
    if (current != null) {
      current.abort(Reason.REASON_STOPPED, reason);
      afterEvent();
    } else if (!closed) {
      close();
      result.complete(new Outcome(false, Reason.REASON_STOPPED, reason, 0));
    }
  }

  /** How far it is. */
  public Progress progress() {
    SenderSession current = session;
    Cutter cut = cutter;
    return new Progress(
        current == null ? "starting" : current.state().name().toLowerCase(Locale.ROOT),
        cut == null ? 0 : cut.takenBytes(),
        current == null ? 0 : current.acknowledgedBytes(),
        written,
        chunks,
        payloadBytes,
        budget.rate().bytesPerSecond(),
        budget.minRttNs(),
        cut == null ? 0 : cut.inFlightBytes(),
        cut == null ? 0 : cut.budgetBytes(),
        cut == null ? 0 : budget.downtimeLimitNs(loop.nanoTime(), cut.targetBytes()),
        cut == null ? 0 : cut.targetBytes(),
        current == null ? 0 : current.losses(),
        0);
  }

  /** What the session wants done. */
  private final class Orders implements SenderSession.Actions {
    @Override
    public void connect() {
      open();
    }

    @Override
    public void disconnect() {
      attempt++;
      ControlChannel current = channel;
      channel = null;
      if (current != null) {
        current.abort();
      }
    }

    @Override
    public void send(ControlMessage message) {
      ControlChannel current = channel;
      if (current != null) {
        current.send(message);
      }
    }

    @Override
    public void agreed(Agreement agreement) {
      events.event(
          "connected",
          Map.of(
              "peer", agreement.peerSoftware(),
              "maxChunkBytes", agreement.maxChunkBytes(),
              "maxInFlightBytes", agreement.maxInFlightBytes(),
              "zstd", agreement.zstd()));
      stream(agreement);
    }

    @Override
    public void acknowledged(long bytes, long writtenBytes) {
      written = Math.max(written, writtenBytes);
      Publisher from = publisher;
      Cutter cut = cutter;
      if (from != null && cut != null) {
        cut.onAcknowledged(bytes, from.acknowledged(bytes));
      }
    }

    @Override
    public void wantPayload(ChunkInfo chunk) {
      Publisher from = publisher;
      SenderSession current = session;
      ByteBuffer payload = from == null ? null : from.payload(chunk.sequence());
      if (payload != null && current != null) {
        events.event("republished", Map.of("chunk", chunk.sequence()));
        current.payload(chunk.sequence(), payload);
      }
    }

    @Override
    public void roundTrip(long ns) {
      budget.onRtt(ns);
    }

    @Override
    public void finished(Outcome outcome) {
      over(outcome);
    }
  }

  private void stream(Agreement agreement) {
    CacheSlice into = slice;
    if (into == null) {
      return;
    }
    budget.capAt(agreement.maxInFlightBytes());
    ChunkSizing sizing =
        options.chunkBytes() > 0
            ? ChunkSizing.fixed(Math.min(options.chunkBytes(), agreement.maxChunkBytes()))
            : ChunkSizing.forStack(agreement.maxChunkBytes());
    Compression compression = agreement.zstd() ? options.compression() : Compression.OFF;
    SlabPool pool = Cutter.poolFor(sizing);
    Publisher publishing =
        new Publisher(
            loop,
            into,
            cidLane,
            digestLane,
            guard,
            new CompressionPolicy(compression),
            () -> budget.rate().bytesPerSecond(),
            nanoClock,
            pool,
            new Published());
    publisher = publishing;
    Cutter cutting = new Cutter(loop, input, budget, sizing, pool, new CutPieces(publishing));
    cutter = cutting;
    cutting.start();
  }

  private final class CutPieces implements Cutter.Output {
    private final Publisher publishing;

    CutPieces(Publisher publishing) {
      this.publishing = publishing;
    }

    @Override
    public void onPiece(Piece piece) {
      publishing.piece(piece);
    }

    @Override
    public void onEnd(long lengthBytes) {
      publishing.end(lengthBytes);
      // Whoever waits for this process to end, after a cancel, is a running VM: do not drain first.
      digestLane.run(
          () -> guard.isComplete() ? "" : guard.describeEnd(),
          trouble -> {
            if (!trouble.isEmpty()) {
              give(
                  s ->
                      s.abort(
                          Reason.REASON_INCOMPLETE,
                          trouble
                              + " has no end: QEMU cancelled or failed, and its VM runs on at the"
                              + " source"));
            } else {
              events.event("ended", Map.of("bytes", lengthBytes, "raw", guard.isRaw()));
            }
          },
          cause -> give(s -> s.abort(Reason.REASON_INTERNAL, String.valueOf(cause.getMessage()))));
    }

    @Override
    public void onInputFailed(IOException cause) {
      give(
          s ->
              s.abort(
                  Reason.REASON_INPUT,
                  "cannot read the input: " + String.valueOf(cause.getMessage())));
    }
  }

  private final class Published implements Publisher.Listener {
    @Override
    public void onPublished(ChunkInfo chunk) {
      chunks++;
      payloadBytes += chunk.length();
      give(s -> s.published(chunk));
    }

    @Override
    public void onEnd(long lengthBytes, byte[] sha256) {
      if (guard.isComplete()) {
        give(s -> s.inputEnded(lengthBytes, sha256));
      }
    }

    @Override
    public void onFailed(ChunkException cause) {
      give(s -> s.abort(Reason.REASON_INTERNAL, String.valueOf(cause.getMessage())));
    }
  }

  private void open() {
    int mine = ++attempt;
    CompletableFuture<Dag> lookup;
    try {
      lookup = destination.get();
    } catch (XiaSocketException e) {
      lookup = CompletableFuture.failedFuture(e);
    }
    lookup.whenComplete(
        (dag, cause) ->
            inLoop(
                () -> {
                  if (mine != attempt || closed) {
                    return;
                  }
                  if (cause != null) {
                    connectFailed(root(cause));
                  } else {
                    connectTo(dag, mine);
                  }
                }));
  }

  private void connectTo(Dag dag, int mine) {
    ControlChannel opening = new ControlChannel(loop, channelEvents);
    stack
        .connect(dag, CONNECT_ATTEMPT, opening)
        .whenComplete(
            (connection, cause) -> {
              if (mine != attempt || closed) {
                if (connection != null) {
                  connection.abort();
                }
              } else if (cause != null) {
                connectFailed(root(cause));
              } else {
                connected(opening, connection);
              }
            });
  }

  private void connected(ControlChannel opened, StreamConnection connection) {
    channel = opened;
    opened.attach(connection);
    give(s -> s.connected(loop.nanoTime()));
    opened.onReadable(connection); // what came before this turn
  }

  private void connectFailed(Throwable cause) {
    ConnectFailure kind = ConnectFailure.UNREACHABLE;
    if (cause instanceof XiaSocketException x) {
      kind =
          switch (x.kind()) {
            case REFUSED, NOT_FOUND -> ConnectFailure.REFUSED;
            case UNSUPPORTED, NODE, CLOSED -> ConnectFailure.HOPELESS;
            default -> ConnectFailure.UNREACHABLE;
          };
    }
    ConnectFailure failure = kind;
    give(s -> s.connectFailed(loop.nanoTime(), failure, String.valueOf(cause.getMessage())));
  }

  private final class ChannelEvents implements ControlChannel.Events {
    @Override
    public void onMessage(ControlChannel from, ControlMessage message) {
      if (from == channel) {
        give(
            s -> {
              boolean wasGreeting = s.state() == SenderSession.State.GREETING && s.losses() > 0;
              s.message(loop.nanoTime(), message);
              if (wasGreeting && s.state() == SenderSession.State.STREAMING) {
                events.event("resumed", Map.of("acknowledged", s.acknowledgedBytes()));
              }
            });
      }
    }

    @Override
    public void onMalformed(ControlChannel from, String trouble) {
      if (from == channel) {
        give(s -> s.abort(Reason.REASON_PROTOCOL, trouble));
      }
    }

    @Override
    public void onLost(ControlChannel lost, boolean peerIsGone, String trouble) {
      if (lost == channel) {
        channel = null;
        events.event("lost", Map.of("reason", trouble));
        budget.rate().onPathChange();
        give(s -> s.disconnected(loop.nanoTime(), trouble));
      }
    }
  }

  private interface Event {
    void on(SenderSession session);
  }

  private void give(Event event) {
    SenderSession current = session;
    if (current != null && !closed) {
      event.on(current);
      afterEvent();
    }
  }

  private void afterEvent() {
    if (timer != null && !closed) {
      timer.update();
    }
  }

  private void inLoop(Runnable task) {
    if (loop.inLoop()) {
      task.run();
    } else {
      loop.execute(task);
    }
  }

  private void over(Outcome outcome) {
    events.event(
        outcome.success() ? "verified" : "failed",
        Map.of("bytes", outcome.bytes(), "reason", outcome.message()));
    ControlChannel last = channel;
    channel = null;
    close();
    Settling.close(loop, last, options.settleNs(), () -> result.complete(outcome));
  }

  private void close() {
    if (closed) {
      return;
    }
    closed = true;
    attempt++;
    if (timer != null) {
      timer.cancel();
    }
    if (stopWatchingAddress != null) {
      stopWatchingAddress.run();
    }
    Cutter cutting = cutter;
    if (cutting != null) {
      cutting.close();
    } else {
      input.close();
    }
    if (publisher != null) {
      publisher.close();
    }
    if (channel != null) {
      channel.close();
    }
    if (slice != null) {
      slice.close();
    }
  }

  static Throwable root(Throwable cause) {
    return cause instanceof CompletionException && cause.getCause() != null
        ? cause.getCause()
        : cause;
  }
}
