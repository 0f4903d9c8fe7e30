package io.xmig.control.pipe;

import io.xmig.chunk.ChunkException;
import io.xmig.chunk.ChunkInfo;
import io.xmig.chunk.order.ByteOutput;
import io.xmig.chunk.order.OrderedWriter;
import io.xmig.chunk.request.Requester;
import io.xmig.chunk.store.ChunkStore;
import io.xmig.chunk.verify.Lane;
import io.xmig.control.session.Outcome;
import io.xmig.control.session.QemuStream;
import io.xmig.control.session.ReceiverSession;
import io.xmig.control.session.v1.ControlMessage;
import io.xmig.control.session.v1.Reason;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.ChunkSocket;
import io.xmig.xia.socket.EventLoop;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.commons.codec.binary.Hex;
import org.jspecify.annotations.Nullable;

/**
 * Receives one byte stream at a service: the receiver's session joined to a stack, to the fetching
 * and ordering of chunks, and to an output.
 *
 * @threading the stack's loop
 */
public final class ReceivePipe {
  private static final int BACKLOG = 8;
  private static final long NODE_CHECK_NS = 2_000_000_000L;

  private final XiaStack stack;
  private final EventLoop loop;
  private final Xid service;
  private final ByteOutput output;
  private final Lane cidLane;
  private final Lane digestLane;
  private final ChunkStore store;
  private final ReceiveOptions options;
  private final PipeEvents events;
  private final ReceiverSession session;
  private final CompletableFuture<Outcome> result = new CompletableFuture<>();
  private final ChannelEvents channelEvents = new ChannelEvents();

  private final Map<Integer, ControlChannel> channels = new HashMap<>();
  private final Map<ControlChannel, Integer> numbers = new HashMap<>();
  private int lastNumber;
  private @Nullable ControlChannel spokeLast;
  private @Nullable StreamListener listener;
  private @Nullable ChunkSocket chunkSocket;
  private @Nullable Requester requester;
  private @Nullable OrderedWriter writer;
  private final SessionTimer timer;
  private long doneLength = -1;
  private byte @Nullable [] doneDigest;
  private long announced;
  private long acknowledged;
  private long chunks;
  private long payloadBytes;
  private long rttNs;
  private boolean finishing;
  private boolean closed;

  /**
   * @param service SID to listen at
   * @param cidLane checks chunks
   * @param digestLane hashes the stream and decodes
   * @param store chunks that need not be fetched
   */
  public ReceivePipe(
      XiaStack stack,
      Xid service,
      ByteOutput output,
      Lane cidLane,
      Lane digestLane,
      ChunkStore store,
      ReceiveOptions options,
      PipeEvents events) {
    this.stack = stack;
    this.loop = stack.loop();
    this.service = service;
    this.output = output;
    this.cidLane = cidLane;
    this.digestLane = digestLane;
    this.store = store;
    this.options = options;
    this.events = events;
    this.session =
        new ReceiverSession(
            new Orders(),
            options.times(),
            stack.capabilities().maxChunkBytes(),
            options.maxInFlightBytes(),
            options.software());
    this.timer =
        new SessionTimer(loop, session::nextDeadlineNs, () -> give(s -> s.tick(loop.nanoTime())));
  }

  /** Begins to listen; completes on the loop when the transfer is over, never exceptionally. */
  public CompletableFuture<Outcome> start() {
    stack
        .openChunks()
        .thenCompose(
            socket -> {
              chunkSocket = socket;
              return stack.listen(service, BACKLOG, this::accept);
            })
        .whenComplete(
            (bound, cause) -> {
              if (cause != null) {
                give(
                    s ->
                        s.fail(
                            Reason.REASON_INTERNAL,
                            "cannot listen at "
                                + service
                                + ": "
                                + SendPipe.root(cause).getMessage()));
              } else if (closed) {
                bound.close();
              } else {
                listener = bound;
                session.listening();
                watchNode();
                if (options.acceptNs() > 0) {
                  loop.schedule(options.acceptNs(), this::onAcceptLimit);
                }
                events.event("listening", Map.of("dag", bound.localDag().toString()));
              }
            });
    return result;
  }

  /** While nobody talks to this side, nothing else would show that its node has gone. */
  private void watchNode() {
    loop.schedule(
        NODE_CHECK_NS,
        () -> {
          if (closed) {
            return;
          }
          stack
              .nameServer()
              .whenComplete(
                  (known, cause) -> {
                    if (cause != null && isNodeGone(SendPipe.root(cause))) {
                      give(
                          s ->
                              s.fail(
                                  Reason.REASON_INTERNAL,
                                  String.valueOf(SendPipe.root(cause).getMessage())));
                    } else {
                      watchNode();
                    }
                  });
        });
  }

  private static boolean isNodeGone(Throwable cause) {
    return cause instanceof XiaSocketException x
        && (x.kind() == XiaSocketException.Kind.NODE || x.kind() == XiaSocketException.Kind.CLOSED);
  }

  private void onAcceptLimit() {
    if (session.state() == ReceiverSession.State.LISTENING) {
      give(s -> s.fail(Reason.REASON_LOST, "no source has connected in time"));
    }
  }

  /** Where the service is reached, once it listens. */
  public @Nullable Dag localDag() {
    return listener == null ? null : listener.localDag();
  }

  /** Stops the transfer; the peer is told, and the output ends without its end. */
  public void abort(String reason) {
    give(s -> s.abort(reason));
  }

  /** How far it is. */
  public Progress progress() {
    return new Progress(
        session.state().name().toLowerCase(Locale.ROOT),
        announced,
        acknowledged,
        writer == null ? 0 : writer.writtenBytes(),
        chunks,
        payloadBytes,
        0,
        rttNs,
        announced - acknowledged,
        0,
        0,
        0,
        session.losses(),
        requester == null ? 0 : requester.refetched());
  }

  private StreamHandler accept(StreamConnection connection) {
    ControlChannel channel = new ControlChannel(loop, channelEvents);
    channel.attach(connection);
    int number = ++lastNumber;
    channels.put(number, channel);
    numbers.put(channel, number);
    session.connected(loop.nanoTime(), number);
    afterEvent();
    return channel;
  }

  /** What the session wants done. */
  private final class Orders implements ReceiverSession.Actions {
    @Override
    public void send(int connection, ControlMessage message) {
      ControlChannel to = channels.get(connection);
      if (to != null) {
        spokeLast = to;
        to.send(message);
      }
    }

    @Override
    public void close(int connection) {
      ControlChannel channel = channels.remove(connection);
      if (channel != null) {
        numbers.remove(channel);
        channel.close();
      }
    }

    @Override
    public void began(Dag origin, boolean raw, String peerSoftware) {
      events.event("connected", Map.of("peer", peerSoftware, "origin", origin.toString()));
      ChunkSocket from = chunkSocket;
      if (from == null) {
        throw new IllegalStateException("a session began before the chunk socket was open");
      }
      Requester fetching =
          new Requester(loop, from, cidLane, store, options.maxInFlightBytes(), new Fetched());
      fetching.origin(origin);
      requester = fetching;
      QemuStream guard = new QemuStream(raw || options.raw());
      writer = new OrderedWriter(output, digestLane, guard, fetching::recycle, new Written());
    }

    @Override
    public void moved(Dag origin) {
      if (requester != null) {
        requester.origin(origin);
      }
    }

    @Override
    public void resumed() {
      events.event("resumed", Map.of("acknowledged", acknowledged));
    }

    @Override
    public void fetch(ChunkInfo chunk) {
      announced = chunk.end();
      chunks++;
      payloadBytes += chunk.length();
      if (requester != null) {
        requester.announce(chunk);
      }
    }

    @Override
    public boolean part(long sequence, int offset, ByteBuffer data) {
      return requester != null && requester.inline(sequence, offset, data);
    }

    @Override
    public void verify(long lengthBytes, byte[] sha256) {
      doneLength = lengthBytes;
      doneDigest = sha256;
      finishWhenAllIsHere();
    }

    @Override
    public void roundTrip(long ns) {
      rttNs = rttNs == 0 ? ns : Math.min(rttNs, ns);
    }

    @Override
    public void finished(Outcome outcome) {
      over(outcome);
    }
  }

  private final class Fetched implements Requester.Output {
    @Override
    public void onChunk(ChunkInfo chunk, ByteBuffer payload, boolean exclusive) {
      session.obtained(chunk.sequence());
      if (writer != null) {
        writer.chunk(chunk, payload, exclusive);
      }
      finishWhenAllIsHere();
    }

    @Override
    public void onUnobtainable(ChunkInfo chunk) {
      events.event("unobtainable", Map.of("chunk", chunk.sequence()));
      give(s -> s.unobtainable(chunk.sequence()));
    }

    @Override
    public void onFailed(ChunkException cause) {
      give(s -> s.fail(Reason.REASON_CHUNK, String.valueOf(cause.getMessage())));
    }
  }

  private void finishWhenAllIsHere() {
    byte[] sha256 = doneDigest;
    if (sha256 != null
        && !finishing
        && writer != null
        && requester != null
        && requester.outstanding() == 0) {
      finishing = true;
      writer.finish(doneLength, sha256);
    }
  }

  private final class Written implements OrderedWriter.Listener {
    @Override
    public void onWritten(long writtenBytes, long safeBytes) {
      acknowledged = safeBytes;
      give(s -> s.progress(writtenBytes, safeBytes));
    }

    @Override
    public void onVerified() {
      give(ReceiverSession::verified);
    }

    @Override
    public void onDelivered(long lengthBytes) {
      give(s -> s.delivered(lengthBytes));
    }

    @Override
    public void onCorrupt(ChunkException cause) {
      give(s -> s.fail(Reason.REASON_CORRUPT, String.valueOf(cause.getMessage())));
    }

    @Override
    public void onOutputFailed(IOException cause) {
      give(
          s ->
              s.fail(
                  Reason.REASON_OUTPUT,
                  "cannot write the output"
                      + (String.valueOf(cause.getMessage()).contains("Broken pipe")
                          ? ", its reader (QEMU) is gone: "
                          : ": ")
                      + cause.getMessage()));
    }
  }

  private final class ChannelEvents implements ControlChannel.Events {
    @Override
    public void onMessage(ControlChannel from, ControlMessage message) {
      Integer number = numbers.get(from);
      if (number != null) {
        give(s -> s.message(loop.nanoTime(), number, message));
      }
    }

    @Override
    public void onMalformed(ControlChannel from, String trouble) {
      Integer number = numbers.get(from);
      if (number != null) {
        give(s -> s.malformed(number, trouble));
      }
    }

    @Override
    public void onLost(ControlChannel lost, boolean peerIsGone, String trouble) {
      Integer number = numbers.remove(lost);
      if (number != null) {
        channels.remove(number);
        if (!closed && session.isConnected()) {
          events.event("lost", Map.of("reason", trouble));
        }
        give(s -> s.disconnected(loop.nanoTime(), number, peerIsGone, trouble));
      }
    }
  }

  private interface Event {
    void on(ReceiverSession session);
  }

  private void give(Event event) {
    if (!closed) {
      event.on(session);
      afterEvent();
    }
  }

  private void afterEvent() {
    if (!closed) {
      timer.update();
    }
  }

  private void over(Outcome outcome) {
    closed = true;
    events.event(
        outcome.success() ? "verified" : "failed",
        Map.of(
            "bytes",
            outcome.bytes(),
            "reason",
            outcome.message(),
            "sha256",
            doneDigest == null ? "" : Hex.encodeHexString(doneDigest)));
    timer.cancel();
    if (requester != null) {
      requester.close();
    }
    if (chunkSocket != null) {
      chunkSocket.close();
    }
    if (listener != null) {
      listener.close();
    }
    boolean untouched = writer == null || !writer.hasBegunToWrite();
    if (writer != null) {
      writer.abandon();
    }
    ControlChannel last = spokeLast;
    channels.values().stream().filter(other -> other != last).forEach(ControlChannel::close);
    Runnable settle =
        () -> Settling.close(loop, last, options.settleNs(), () -> result.complete(outcome));
    if (outcome.success()) {
      settle.run();
    } else if (untouched && options.markFailure() && !options.raw()) {
      FailureMark.write(loop, output, settle);
    } else {
      output.close();
      settle.run();
    }
  }
}
