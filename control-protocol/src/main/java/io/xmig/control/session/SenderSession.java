package io.xmig.control.session;

import com.google.protobuf.ByteString;
import io.xmig.chunk.ChunkInfo;
import io.xmig.control.session.v1.Capability;
import io.xmig.control.session.v1.ControlMessage;
import io.xmig.control.session.v1.Hello;
import io.xmig.control.session.v1.Origin;
import io.xmig.control.session.v1.Reason;
import io.xmig.control.session.v1.Resume;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The source's half of a migration session: a state machine without input, output or clock.
 *
 * <pre>
 *              start              connected          Hello answered
 *   IDLE ───────────▶ CONNECTING ──────────▶ GREETING ─────────────▶ STREAMING
 *                      ▲    │ failed            │ lost                 │     │
 *                      │    ▼                   │                 lost │     │ input ended
 *         time to try  └── LOST ◀───────────────┴──────────────────────┤     ▼
 *                           │                                          └ FINISHING
 *                           │ too long                                       │ Verified
 *                           ▼                                                ▼
 *                         FAILED ◀── error, abort, from either side       COMPLETE
 * </pre>
 *
 * The guest runs on the source in every state; QEMU stops it while the last bytes pass, in
 * STREAMING or FINISHING, and runs it on there if the outcome is FAILED. After COMPLETE it belongs
 * to the destination.
 *
 * @threading one thread; time is an argument in nanoseconds
 * @source the paper's Fig. 3, pipelined; docs/protocol.md
 */
public final class SenderSession {
  private static final long FIRST_RETRY_NS = 100_000_000L;
  private static final long LAST_RETRY_NS = 2_000_000_000L;

  /** Where the session stands. */
  public enum State {
    IDLE,
    CONNECTING,
    GREETING,
    STREAMING,
    FINISHING,
    LOST,
    COMPLETE,
    FAILED
  }

  /** Why a connection could not be opened. */
  public enum ConnectFailure {
    /** Somebody answers that there is nobody: no listener, no such name. */
    REFUSED,
    /** No answer, no way, no address yet. */
    UNREACHABLE,
    /** It makes no sense to try again. */
    HOPELESS
  }

  /** What the session has done by its surroundings. Calls come from within its own methods. */
  public interface Actions {
    /**
     * Opens a connection, looking the name up again; answered by {@link #connected} or {@link
     * #connectFailed}.
     */
    void connect();

    /** Drops the connection or the attempt; not answered. */
    void disconnect();

    /** Sends a message on the connection. */
    void send(ControlMessage message);

    /** The peer is there and these are the limits; the first bytes may be taken. Called once. */
    void agreed(Agreement agreement);

    /**
     * Bytes up to here are at the destination for good; they need not be kept.
     *
     * @param written of these, given to the destination's output
     */
    void acknowledged(long bytes, long written);

    /** The network does not deliver this chunk: its payload goes to {@link #payload}. */
    void wantPayload(ChunkInfo chunk);

    /** A round trip was measured. */
    void roundTrip(long ns);

    /** The last call: this is how it ended. Messages sent before are still to be delivered. */
    void finished(Outcome outcome);
  }

  /**
   * What both sides can do.
   *
   * @param maxChunkBytes largest chunk
   * @param maxInFlightBytes most bytes announced and not acknowledged
   * @param zstd whether chunks may be compressed
   * @param peerSoftware what the peer calls itself
   */
  public record Agreement(
      int maxChunkBytes, long maxInFlightBytes, boolean zstd, String peerSoftware) {}

  private final Actions actions;
  private final SessionTimes times;
  private final Hello greeting;
  private final Announcements chunks = new Announcements();

  private State state = State.IDLE;
  private @Nullable Agreement agreement;
  private String origin;
  private long acknowledged;
  private long doneLength = -1;
  private byte @Nullable [] doneDigest;
  private long lastHeardNs;
  private long lastPingNs;
  private long helloSentNs;
  private long giveUpNs; // while there is no connection
  private long retryNs;
  private long pauseNs;
  private long refusedSinceNs = Long.MIN_VALUE;
  private long losses;
  private String lastTrouble = "";

  /**
   * @param sessionId 16 random bytes
   * @param origin DAG of any chunk of this source
   * @param maxChunkBytes largest chunk that this side publishes
   * @param zstd whether this side may compress
   * @param raw whether the user says that these are arbitrary bytes
   */
  public SenderSession(
      Actions actions,
      SessionTimes times,
      byte[] sessionId,
      String origin,
      int maxChunkBytes,
      boolean zstd,
      boolean raw,
      String software) {
    this.actions = actions;
    this.times = times;
    this.origin = origin;
    Hello.Builder hello =
        Hello.newBuilder()
            .setVersionMin(Messages.VERSION_MIN)
            .setVersionMax(Messages.VERSION_MAX)
            .addCapabilities(Capability.CAPABILITY_RESUME)
            .addCapabilities(Capability.CAPABILITY_REPUBLISH)
            .setSessionId(ByteString.copyFrom(sessionId))
            .setMaxChunkBytes(maxChunkBytes)
            .setSoftware(software)
            .setRaw(raw);
    if (zstd) {
      hello.addCapabilities(Capability.CAPABILITY_ZSTD);
    }
    this.greeting = hello.build();
  }

  /** Where the session stands. */
  public State state() {
    return state;
  }

  /** Bytes the destination has for good. */
  public long acknowledgedBytes() {
    return acknowledged;
  }

  /** How often the connection was lost. */
  public long losses() {
    return losses;
  }

  /** Begins to connect. */
  public void start(long nowNs) {
    giveUpNs = nowNs + times.connectNs();
    pauseNs = FIRST_RETRY_NS;
    state = State.CONNECTING;
    actions.connect();
  }

  /** The connection asked for is open. */
  public void connected(long nowNs) {
    if (state != State.CONNECTING) {
      return;
    }
    state = State.GREETING;
    refusedSinceNs = Long.MIN_VALUE;
    lastHeardNs = nowNs;
    helloSentNs = nowNs;
    lastPingNs = nowNs;
    Hello.Builder hello = greeting.toBuilder().setOrigin(origin);
    if (agreement != null) {
      hello.setResume(
          Resume.newBuilder()
              .setNextSequence(chunks.firstUnacknowledged())
              .setAcknowledgedBytes(acknowledged));
    }
    send(ControlMessage.newBuilder().setHello(hello).build());
  }

  /** The connection asked for could not be had. */
  public void connectFailed(long nowNs, ConnectFailure failure, String trouble) {
    if (state != State.CONNECTING) {
      return;
    }
    lastTrouble = trouble;
    switch (failure) {
      case HOPELESS -> {
        end(Outcome.failure(Reason.REASON_LOST, trouble, acknowledged));
        return;
      }
      case REFUSED -> {
        if (refusedSinceNs == Long.MIN_VALUE) {
          refusedSinceNs = nowNs;
        } else if (nowNs - refusedSinceNs >= times.refusedNs()) {
          giveUp();
          return;
        }
      }
      case UNREACHABLE -> refusedSinceNs = Long.MIN_VALUE;
    }
    tryAgainLater(nowNs);
  }

  private void tryAgainLater(long nowNs) {
    state = State.LOST;
    if (nowNs >= giveUpNs) {
      giveUp();
      return;
    }
    retryNs = Math.min(giveUpNs, nowNs + pauseNs);
    pauseNs = Math.min(LAST_RETRY_NS, 2 * pauseNs);
  }

  private void giveUp() {
    String what =
        agreement == null
            ? "cannot reach the destination: " + lastTrouble
            : doneDigest == null
                ? "the destination was lost and did not come back: " + lastTrouble
                : "the destination was lost after the end of the stream was sent and before it"
                    + " said that it has it: "
                    + lastTrouble
                    + "; look there whether the VM runs before continuing it here";
    end(Outcome.failure(Reason.REASON_LOST, what, acknowledged));
  }

  /** The connection is gone. */
  public void disconnected(long nowNs, String trouble) {
    if (state != State.GREETING && state != State.STREAMING && state != State.FINISHING) {
      return;
    }
    lose(nowNs, trouble);
  }

  private void lose(long nowNs, String trouble) {
    lastTrouble = trouble;
    if (state != State.GREETING) {
      losses++;
      giveUpNs = nowNs + times.resumeNs();
      pauseNs = FIRST_RETRY_NS;
    }
    tryAgainLater(nowNs);
  }

  /** A chunk can be requested now. */
  public void published(ChunkInfo chunk) {
    if (isOver()) {
      return;
    }
    chunks.published(chunk);
    if (state == State.STREAMING) {
      announceNew();
    }
  }

  private void announceNew() {
    chunks.announceNew(announce -> send(ControlMessage.newBuilder().setAnnounce(announce).build()));
  }

  /** The input ended where a stream may end, and everything was published. */
  public void inputEnded(long lengthBytes, byte[] sha256) {
    if (isOver()) {
      return;
    }
    if (lengthBytes != chunks.endBytes()) {
      throw new IllegalArgumentException(
          "stream of " + lengthBytes + " bytes, published " + chunks.endBytes());
    }
    doneLength = lengthBytes;
    doneDigest = sha256;
    if (state == State.STREAMING) {
      finishing(sha256);
    }
  }

  private void finishing(byte[] sha256) {
    state = State.FINISHING;
    send(Messages.done(doneLength, sha256));
  }

  /** Chunks are found at another address from now on. */
  public void moved(String newOrigin) {
    if (origin.equals(newOrigin) || isOver()) {
      return;
    }
    origin = newOrigin;
    if (state == State.STREAMING || state == State.FINISHING) {
      send(ControlMessage.newBuilder().setOrigin(Origin.newBuilder().setOrigin(newOrigin)).build());
    }
  }

  /** The payload that {@link Actions#wantPayload} asked for. */
  public void payload(long sequence, ByteBuffer payload) {
    if (state != State.STREAMING && state != State.FINISHING) {
      return;
    }
    int offset = 0;
    while (payload.hasRemaining()) {
      int part = Math.min(payload.remaining(), SessionLimits.PART_BYTES);
      ByteBuffer data = payload.slice(payload.position(), part);
      payload.position(payload.position() + part);
      send(Messages.chunkData(sequence, offset, data));
      offset += part;
    }
  }

  /** This side cannot or does not want to go on; the peer is told. */
  public void abort(Reason reason, String message) {
    if (isOver()) {
      return;
    }
    if (isConnected()) {
      send(Messages.abort(reason, message));
    }
    String doubt =
        state == State.FINISHING
            ? "; the end of the stream had been sent, look at the destination whether the VM runs"
                + " there before continuing it here"
            : "";
    end(Outcome.failure(reason, message + doubt, acknowledged));
  }

  /** A message has come. */
  public void message(long nowNs, ControlMessage message) {
    if (!isConnected()) {
      return;
    }
    lastHeardNs = nowNs;
    switch (message.getBodyCase()) {
      case HELLO -> onHello(nowNs, message.getHello());
      case ACK ->
          onAck(message.getAck().getAcknowledgedBytes(), message.getAck().getWrittenBytes());
      case VERIFIED -> onVerified(message.getVerified().getLengthBytes());
      case ERROR -> onPeerGaveUp(message.getError().getReason(), message.getError().getMessage());
      case ABORT -> onPeerGaveUp(message.getAbort().getReason(), message.getAbort().getMessage());
      case PING -> send(Messages.pong(message.getPing().getToken()));
      case PONG -> onPong(nowNs, message.getPong().getToken());
      case REPUBLISH -> onRepublish(message.getRepublish().getSequence());
      case ANNOUNCE, DONE, CHUNK_DATA, ORIGIN ->
          violation("the destination sent " + message.getBodyCase());
      case BODY_NOT_SET -> {
        // A kind of message that a later version has added: not for us.
      }
    }
  }

  private void onHello(long nowNs, Hello hello) {
    if (state != State.GREETING) {
      violation("a second hello");
      return;
    }
    if (hello.getVersionMin() < Messages.VERSION_MIN
        || hello.getVersionMax() > Messages.VERSION_MAX
        || hello.getVersionMin() != hello.getVersionMax()) {
      fail(Reason.REASON_VERSION, "the destination chose version " + hello.getVersionMax());
      return;
    }
    if (!hello.getSessionId().equals(greeting.getSessionId())) {
      violation("the destination answered for another session");
      return;
    }
    actions.roundTrip(nowNs - helloSentNs);
    if (agreement == null) {
      agree(hello);
    } else {
      takeUp(hello);
    }
  }

  private void agree(Hello hello) {
    int chunk = Math.min(greeting.getMaxChunkBytes(), hello.getMaxChunkBytes());
    if (chunk <= 0 || hello.getMaxInFlightBytes() < SessionLimits.LEAST_IN_FLIGHT) {
      violation("the destination offers impossible limits");
      return;
    }
    boolean zstd =
        greeting.getCapabilitiesList().contains(Capability.CAPABILITY_ZSTD)
            && hello.getCapabilitiesList().contains(Capability.CAPABILITY_ZSTD);
    Agreement agreed =
        new Agreement(
            chunk, hello.getMaxInFlightBytes(), zstd, Messages.brief(hello.getSoftware()));
    agreement = agreed;
    state = State.STREAMING;
    actions.agreed(agreed);
    if (state == State.STREAMING) {
      announceNew();
    }
  }

  private void takeUp(Hello hello) {
    Resume resume = hello.getResume();
    long next = resume.getNextSequence();
    if (!hello.hasResume() || next < chunks.firstUnacknowledged() || next > chunks.nextSequence()) {
      violation("the destination resumes at chunk " + next + " of " + chunks.nextSequence());
      return;
    }
    state = State.STREAMING;
    chunks.resumeAt(next);
    onAck(resume.getAcknowledgedBytes(), 0);
    if (state != State.STREAMING) {
      return;
    }
    announceNew();
    byte[] digest = doneDigest;
    if (digest != null) {
      finishing(digest);
    }
  }

  private void onAck(long bytes, long written) {
    if (state == State.GREETING || bytes > chunks.endBytes() || written > bytes && written != 0) {
      violation("acknowledgement of " + bytes + " bytes, " + chunks.endBytes() + " announced");
      return;
    }
    if (bytes <= acknowledged) {
      return; // overtaken, or repeated after a resumption
    }
    acknowledged = bytes;
    chunks.acknowledged(bytes);
    actions.acknowledged(bytes, written);
  }

  private void onVerified(long length) {
    if (state != State.FINISHING || length != doneLength) {
      violation("verified " + length + " bytes, announced " + doneLength);
      return;
    }
    acknowledged = length;
    end(Outcome.success(length, "delivered and verified"));
  }

  private void onPeerGaveUp(Reason reason, String message) {
    String text = Messages.brief(message);
    end(
        Outcome.failure(
            reason,
            "the destination gave up ("
                + Messages.describe(reason)
                + ")"
                + (text.isEmpty() ? "" : ": " + text),
            acknowledged));
  }

  private void onPong(long nowNs, long token) {
    long rtt = nowNs - token;
    if (rtt < 0 || rtt > times.deadNs()) {
      violation("a pong that was not asked for");
      return;
    }
    actions.roundTrip(rtt);
  }

  private void onRepublish(long sequence) {
    ChunkInfo chunk = chunks.find(sequence);
    if (chunk != null) {
      actions.wantPayload(chunk);
    } else if (sequence < 0 || sequence >= chunks.nextSequence()) {
      violation("chunk " + sequence + " was never announced");
    }
  }

  /** Does what is due by now. */
  public void tick(long nowNs) {
    switch (state) {
      case LOST -> {
        if (nowNs >= giveUpNs) {
          giveUp();
        } else if (nowNs >= retryNs) {
          state = State.CONNECTING;
          actions.connect();
        }
      }
      case CONNECTING -> {
        if (nowNs >= giveUpNs) {
          if (lastTrouble.isEmpty()) {
            lastTrouble = "no answer";
          }
          actions.disconnect();
          giveUp();
        }
      }
      case GREETING -> {
        if (nowNs - helloSentNs >= times.greetingNs()) {
          actions.disconnect();
          lose(nowNs, "no answer to the hello");
        }
      }
      case STREAMING, FINISHING -> {
        if (nowNs - lastHeardNs >= times.deadNs()) {
          actions.disconnect();
          lose(nowNs, "silent for " + times.deadNs() / 1_000_000_000L + " s");
        } else if (nowNs - lastPingNs >= times.keepAliveNs()) {
          lastPingNs = nowNs;
          send(Messages.ping(nowNs));
        }
      }
      case IDLE, COMPLETE, FAILED -> {}
    }
  }

  /** When {@link #tick} is needed next, {@link Long#MAX_VALUE} for never. */
  public long nextDeadlineNs() {
    return switch (state) {
      case LOST -> Math.min(giveUpNs, retryNs);
      case CONNECTING -> giveUpNs;
      case GREETING -> helloSentNs + times.greetingNs();
      case STREAMING, FINISHING ->
          Math.min(lastHeardNs + times.deadNs(), lastPingNs + times.keepAliveNs());
      case IDLE, COMPLETE, FAILED -> Long.MAX_VALUE;
    };
  }

  private boolean isConnected() {
    return state == State.GREETING || state == State.STREAMING || state == State.FINISHING;
  }

  /** Whether the session has ended. */
  public boolean isOver() {
    return state == State.COMPLETE || state == State.FAILED;
  }

  private void send(ControlMessage message) {
    actions.send(message);
  }

  private void violation(String what) {
    fail(Reason.REASON_PROTOCOL, what);
  }

  private void fail(Reason reason, String message) {
    send(Messages.error(reason, message));
    end(Outcome.failure(reason, Messages.describe(reason) + ": " + message, acknowledged));
  }

  private void end(Outcome outcome) {
    state = outcome.success() ? State.COMPLETE : State.FAILED;
    actions.finished(outcome);
  }
}
