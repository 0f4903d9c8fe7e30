package io.xmig.control.session;

import com.google.protobuf.ByteString;
import io.xmig.chunk.ChunkInfo;
import io.xmig.control.session.v1.Announce;
import io.xmig.control.session.v1.Capability;
import io.xmig.control.session.v1.ChunkData;
import io.xmig.control.session.v1.ControlMessage;
import io.xmig.control.session.v1.Done;
import io.xmig.control.session.v1.Hello;
import io.xmig.control.session.v1.Reason;
import io.xmig.control.session.v1.Resume;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.DagParseException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The destination's half of a migration session: a state machine without input, output or clock.
 *
 * <pre>
 *              start             Hello            Done             verified             written
 *   IDLE ───────────▶ LISTENING ──────▶ RECEIVING ─────▶ VERIFYING ────────▶ DELIVERING ───────▶ COMPLETE
 *                                          │  ▲             │  ▲                                 │
 *                              connection  │  │ Hello       │  │ Hello                a repeated Hello
 *                                    lost  ▼  │             ▼  │                      is answered
 *                                         (no connection, for a while only)
 *                                          │ too long
 *                                          ▼
 *                                        FAILED ◀── error, abort, from either side, before DELIVERING
 * </pre>
 *
 * The guest cannot run here before DELIVERING, since the byte that starts it is held back; in
 * FAILED that byte was never written, unless the reader itself was the one that failed. DELIVERING
 * is the point of no return: it ends when the output has taken the last bytes or has refused them.
 * A connection carries one session; a new connection that names the same session takes the place of
 * the one before.
 *
 * @threading one thread; time is an argument in nanoseconds
 * @source the paper's Fig. 3, pipelined; docs/protocol.md
 */
public final class ReceiverSession {
  /** Chunks announced and not acknowledged; bounds memory besides the bytes. */
  static final int MAX_CHUNKS = 16 * 1024;

  /** Connections that have not said hello. */
  static final int MAX_STRANGERS = 8;

  private static final int NOBODY = -1;

  /** Where the session stands. */
  public enum State {
    IDLE,
    LISTENING,
    RECEIVING,
    VERIFYING,
    DELIVERING,
    COMPLETE,
    FAILED
  }

  /**
   * What the session has done by its surroundings. Calls come from within its own methods.
   * Connections are numbers that the surroundings choose.
   */
  public interface Actions {
    /** Sends a message on a connection. */
    void send(int connection, ControlMessage message);

    /** Closes a connection after what was sent on it; not answered. */
    void close(int connection);

    /** The session begins: chunks are found at this address. Called once before any fetch. */
    void began(Dag origin, boolean raw, String peerSoftware);

    /** Chunks are found at another address from now on. */
    void moved(Dag origin);

    /** The connection was taken up again. */
    void resumed();

    /** The next chunk of the stream can be fetched. */
    void fetch(ChunkInfo chunk);

    /**
     * Part of a chunk that was asked for.
     *
     * @return false if it does not fit
     */
    boolean part(long sequence, int offset, ByteBuffer data);

    /** The source has sent everything: check and, if right, write the rest. */
    void verify(long lengthBytes, byte[] sha256);

    /** A round trip was measured. */
    void roundTrip(long ns);

    /** The last call but for repeated hellos: this is how it ended. */
    void finished(Outcome outcome);
  }

  private final Actions actions;
  private final SessionTimes times;
  private final int maxChunkBytes;
  private final long maxInFlightBytes;
  private final String software;

  private final Map<Integer, Long> strangers = new HashMap<>(); // by connection: since when
  private final Set<Long> republish = new LinkedHashSet<>(); // asked for and not come
  private State state = State.IDLE;
  private @Nullable ByteString sessionId;
  private int connection = NOBODY;
  private boolean zstd;
  private long announcedSequence;
  private long announcedEnd;
  private final java.util.ArrayDeque<Long> chunkEnds = new java.util.ArrayDeque<>();
  private long acknowledged;
  private long written;
  private long doneLength = -1;
  private long lastHeardNs;
  private long lastPingNs;
  private long giveUpNs = Long.MAX_VALUE; // while the connection is lost
  private long losses;
  private String lastTrouble = "";

  /**
   * @param maxChunkBytes largest chunk that this side can fetch
   * @param maxInFlightBytes most bytes announced and not acknowledged, at least 1 MiB
   */
  public ReceiverSession(
      Actions actions,
      SessionTimes times,
      int maxChunkBytes,
      long maxInFlightBytes,
      String software) {
    if (maxInFlightBytes < SessionLimits.LEAST_IN_FLIGHT) {
      throw new IllegalArgumentException("at least 1 MiB must be allowed in flight");
    }
    this.actions = actions;
    this.times = times;
    this.maxChunkBytes = maxChunkBytes;
    this.maxInFlightBytes = maxInFlightBytes;
    this.software = software;
  }

  /** Where the session stands. */
  public State state() {
    return state;
  }

  /** Whether the source is connected. */
  public boolean isConnected() {
    return connection != NOBODY;
  }

  /** Whether the session has ended. */
  public boolean isOver() {
    return state == State.COMPLETE || state == State.FAILED;
  }

  /** How often the connection was lost. */
  public long losses() {
    return losses;
  }

  /** The service is bound. */
  public void listening() {
    state = State.LISTENING;
  }

  /** Somebody has connected. */
  public void connected(long nowNs, int newConnection) {
    if (strangers.size() >= MAX_STRANGERS) {
      actions.close(newConnection);
      return;
    }
    strangers.put(newConnection, nowNs);
  }

  /**
   * A connection is gone.
   *
   * @param peerIsGone whether the peer's end was closed or reset rather than lost
   */
  public void disconnected(long nowNs, int gone, boolean peerIsGone, String trouble) {
    strangers.remove(gone);
    if (gone == connection) {
      lose(nowNs, peerIsGone, trouble);
    }
  }

  private void lose(long nowNs, boolean peerIsGone, String trouble) {
    connection = NOBODY;
    if (!isOver()) {
      losses++;
      lastTrouble = trouble;
      giveUpNs = nowNs + (peerIsGone ? times.refusedNs() : times.resumeNs());
    }
  }

  /** A message has come. */
  public void message(long nowNs, int from, ControlMessage message) {
    if (strangers.containsKey(from)) {
      strangers.remove(from);
      if (message.hasHello()) {
        onHello(nowNs, from, message.getHello());
      } else {
        refuse(from, Reason.REASON_PROTOCOL, "expected a hello");
      }
      return;
    }
    if (from != connection || isOver()) {
      return;
    }
    lastHeardNs = nowNs;
    switch (message.getBodyCase()) {
      case ANNOUNCE -> onAnnounce(message.getAnnounce());
      case DONE -> onDone(message.getDone());
      case ERROR -> onPeerGaveUp(message.getError().getReason(), message.getError().getMessage());
      case ABORT -> onPeerGaveUp(message.getAbort().getReason(), message.getAbort().getMessage());
      case PING -> send(Messages.pong(message.getPing().getToken()));
      case PONG -> onPong(nowNs, message.getPong().getToken());
      case CHUNK_DATA -> onPart(message.getChunkData());
      case ORIGIN -> onOrigin(message.getOrigin().getOrigin());
      case HELLO, ACK, VERIFIED, REPUBLISH -> violation("the source sent " + message.getBodyCase());
      case BODY_NOT_SET -> {
        // A kind of message that a later version has added: not for us.
      }
    }
  }

  /** Bytes came that are no message; the connection is useless. */
  public void malformed(int from, String trouble) {
    if (strangers.remove(from) != null) {
      refuse(from, Reason.REASON_PROTOCOL, trouble);
    } else if (from == connection) {
      violation(trouble);
    }
  }

  private void refuse(int from, Reason reason, String message) {
    actions.send(from, Messages.error(reason, message));
    actions.close(from);
  }

  private void onHello(long nowNs, int from, Hello hello) {
    if (hello.getVersionMin() > Messages.VERSION_MAX
        || hello.getVersionMax() < Messages.VERSION_MIN) {
      refuse(
          from,
          Reason.REASON_VERSION,
          "this side speaks version "
              + Messages.VERSION_MAX
              + ", the source "
              + Integer.toUnsignedString(hello.getVersionMin())
              + " to "
              + Integer.toUnsignedString(hello.getVersionMax()));
      return;
    }
    if (hello.getSessionId().size() != Messages.SESSION_ID_BYTES) {
      refuse(from, Reason.REASON_PROTOCOL, "a session number of the wrong length");
      return;
    }
    Dag origin;
    try {
      origin = Dag.parse(hello.getOrigin());
    } catch (DagParseException e) {
      refuse(from, Reason.REASON_PROTOCOL, "origin: " + e.getMessage());
      return;
    }
    boolean known = hello.getSessionId().equals(sessionId);
    if (!known && hello.hasResume()) {
      refuse(from, Reason.REASON_UNKNOWN_SESSION, "this destination does not know the session");
    } else if (!known && state != State.LISTENING) {
      refuse(from, Reason.REASON_BUSY, "this destination serves another session");
    } else if (known && state == State.FAILED) {
      refuse(from, Reason.REASON_UNKNOWN_SESSION, "this session has failed");
    } else if (!known) {
      begin(nowNs, from, hello, origin);
    } else {
      takeUp(nowNs, from, hello, origin);
    }
  }

  private void begin(long nowNs, int from, Hello hello, Dag origin) {
    sessionId = hello.getSessionId();
    zstd = hello.getCapabilitiesList().contains(Capability.CAPABILITY_ZSTD);
    state = State.RECEIVING;
    attach(nowNs, from);
    actions.began(origin, hello.getRaw(), Messages.brief(hello.getSoftware()));
    if (state == State.RECEIVING) {
      answer(false);
    }
  }

  private void takeUp(long nowNs, int from, Hello hello, Dag origin) {
    if (connection != NOBODY) {
      losses++;
      actions.close(connection);
    }
    attach(nowNs, from);
    if (state != State.COMPLETE) {
      actions.moved(origin);
      actions.resumed();
    }
    answer(true);
    if (state == State.COMPLETE) {
      send(Messages.verified(doneLength));
      return;
    }
    republish.forEach(sequence -> send(Messages.republish(sequence)));
  }

  private void attach(long nowNs, int from) {
    connection = from;
    giveUpNs = Long.MAX_VALUE;
    lastHeardNs = nowNs;
    lastPingNs = nowNs;
  }

  private void answer(boolean resumed) {
    Hello.Builder hello =
        Hello.newBuilder()
            .setVersionMin(Messages.VERSION_MAX)
            .setVersionMax(Messages.VERSION_MAX)
            .addCapabilities(Capability.CAPABILITY_RESUME)
            .addCapabilities(Capability.CAPABILITY_REPUBLISH)
            .addCapabilities(Capability.CAPABILITY_ZSTD)
            .setMaxChunkBytes(maxChunkBytes)
            .setMaxInFlightBytes(maxInFlightBytes)
            .setSoftware(software);
    if (sessionId != null) {
      hello.setSessionId(sessionId);
    }
    if (resumed) {
      hello.setResume(
          Resume.newBuilder()
              .setNextSequence(announcedSequence)
              .setAcknowledgedBytes(acknowledged));
    }
    send(ControlMessage.newBuilder().setHello(hello).build());
  }

  private void onAnnounce(Announce announce) {
    if (state != State.RECEIVING) {
      violation("chunks after the end");
      return;
    }
    if (announce.getFirstSequence() != announcedSequence
        || announce.getFirstOffset() != announcedEnd) {
      violation(
          "chunk "
              + Long.toUnsignedString(announce.getFirstSequence())
              + " announced, "
              + announcedSequence
              + " is the next");
      return;
    }
    for (Announce.Chunk chunk : announce.getChunksList()) {
      @Nullable ChunkInfo info =
          Messages.info(chunk, announcedSequence, announcedEnd, maxChunkBytes, zstd);
      if (info == null) {
        violation("chunk " + announcedSequence + " has impossible properties");
        return;
      }
      if (info.end() - acknowledged > maxInFlightBytes || chunkEnds.size() >= MAX_CHUNKS) {
        fail(Reason.REASON_LIMIT, "more is announced than agreed");
        return;
      }
      chunkEnds.add(info.end());
      announcedSequence++;
      announcedEnd = info.end();
      actions.fetch(info);
      if (state != State.RECEIVING) {
        return;
      }
    }
  }

  private void onPart(ChunkData part) {
    if (!republish.contains(part.getSequence())) {
      return; // asked for once, meanwhile here
    }
    if (!actions.part(
        part.getSequence(), part.getOffset(), part.getData().asReadOnlyByteBuffer())) {
      violation("a part of chunk " + part.getSequence() + " does not fit");
    }
  }

  private void onOrigin(String text) {
    try {
      actions.moved(Dag.parse(text));
    } catch (DagParseException e) {
      violation("origin: " + e.getMessage());
    }
  }

  private void onDone(Done done) {
    long length = done.getLengthBytes();
    if ((state == State.VERIFYING || state == State.DELIVERING) && length == doneLength) {
      return; // repeated after a resumption
    }
    if (state != State.RECEIVING
        || length != announcedEnd
        || done.getSha256().size() != Messages.DIGEST_BYTES) {
      violation("end of the stream at " + length + " bytes, " + announcedEnd + " announced");
      return;
    }
    doneLength = length;
    state = State.VERIFYING;
    actions.verify(length, done.getSha256().toByteArray());
  }

  private void onPong(long nowNs, long token) {
    long rtt = nowNs - token;
    if (rtt >= 0 && rtt <= times.deadNs()) {
      actions.roundTrip(rtt);
    }
  }

  private void onPeerGaveUp(Reason reason, String message) {
    if (state == State.DELIVERING) {
      return; // too late: the guest may run here
    }
    String text = Messages.brief(message);
    end(
        Outcome.failure(
            reason,
            "the source gave up ("
                + Messages.describe(reason)
                + ")"
                + (text.isEmpty() ? "" : ": " + text),
            written));
  }

  /**
   * Progress of the output.
   *
   * @param writtenBytes given to the output
   * @param safeBytes written, or held back until the end is verified
   */
  public void progress(long writtenBytes, long safeBytes) {
    written = writtenBytes;
    if (isOver() || safeBytes <= acknowledged) {
      return;
    }
    acknowledged = safeBytes;
    while (!chunkEnds.isEmpty() && chunkEnds.getFirst() <= safeBytes) {
      chunkEnds.removeFirst();
    }
    if (connection != NOBODY) {
      send(Messages.ack(acknowledged, written));
    }
  }

  /** The network does not deliver this chunk. */
  public void unobtainable(long sequence) {
    if (isOver()) {
      return;
    }
    republish.add(sequence);
    if (connection != NOBODY) {
      send(Messages.republish(sequence));
    }
  }

  /** A chunk that {@link #unobtainable} was said of is here. */
  public void obtained(long sequence) {
    republish.remove(sequence);
  }

  /** Length and digest were right; the end is being written. */
  public void verified() {
    if (state == State.VERIFYING) {
      state = State.DELIVERING;
    }
  }

  /** Everything is in the output. */
  public void delivered(long lengthBytes) {
    if (isOver()) {
      return;
    }
    written = lengthBytes;
    acknowledged = lengthBytes;
    if (connection != NOBODY) {
      send(Messages.verified(lengthBytes));
    }
    end(Outcome.success(lengthBytes, "delivered and verified"));
  }

  /** This side cannot go on; the peer is told. Too late while the end is being written. */
  public void fail(Reason reason, String message) {
    if (isOver() || (state == State.DELIVERING && reason != Reason.REASON_OUTPUT)) {
      return;
    }
    String text =
        state == State.DELIVERING
            ? message
                + "; the end was being written, so look whether the VM runs at the destination"
            : message;
    if (connection != NOBODY) {
      send(Messages.error(reason, text));
    }
    end(Outcome.failure(reason, text, written));
  }

  /**
   * This side does not want to go on; the peer is told. Too late while the end is being written.
   */
  public void abort(String message) {
    if (isOver() || state == State.DELIVERING) {
      return;
    }
    if (connection != NOBODY) {
      send(Messages.abort(Reason.REASON_STOPPED, message));
    }
    end(Outcome.failure(Reason.REASON_STOPPED, message, written));
  }

  /** Does what is due by now. */
  public void tick(long nowNs) {
    strangers
        .entrySet()
        .removeIf(
            s -> {
              boolean mute = nowNs - s.getValue() >= times.greetingNs();
              if (mute) {
                actions.close(s.getKey());
              }
              return mute;
            });
    if (isOver() || state == State.LISTENING || state == State.IDLE) {
      return;
    }
    if (connection == NOBODY) {
      if (nowNs >= giveUpNs && state != State.DELIVERING) {
        end(
            Outcome.failure(
                Reason.REASON_LOST,
                "the source was lost and did not come back: " + lastTrouble,
                written));
      }
    } else if (nowNs - lastHeardNs >= times.deadNs()) {
      actions.close(connection);
      lose(nowNs, false, "silent for " + times.deadNs() / 1_000_000_000L + " s");
    } else if (nowNs - lastPingNs >= times.keepAliveNs()) {
      lastPingNs = nowNs;
      send(Messages.ping(nowNs));
    }
  }

  /** When {@link #tick} is needed next, {@link Long#MAX_VALUE} for never. */
  public long nextDeadlineNs() {
    long next = Long.MAX_VALUE;
    for (long since : strangers.values()) {
      next = Math.min(next, since + times.greetingNs());
    }
    if (isOver() || state == State.LISTENING || state == State.IDLE) {
      return next;
    }
    if (connection == NOBODY) {
      return state == State.DELIVERING ? next : Math.min(next, giveUpNs);
    }
    return Math.min(next, Math.min(lastHeardNs + times.deadNs(), lastPingNs + times.keepAliveNs()));
  }

  private void send(ControlMessage message) {
    actions.send(connection, message);
  }

  private void violation(String what) {
    fail(Reason.REASON_PROTOCOL, Messages.describe(Reason.REASON_PROTOCOL) + ": " + what);
  }

  private void end(Outcome outcome) {
    state = outcome.success() ? State.COMPLETE : State.FAILED;
    actions.finished(outcome);
  }
}
