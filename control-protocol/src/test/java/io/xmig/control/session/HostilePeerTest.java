package io.xmig.control.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.xmig.chunk.ChunkInfo;
import io.xmig.control.session.v1.Ack;
import io.xmig.control.session.v1.Announce;
import io.xmig.control.session.v1.ChunkData;
import io.xmig.control.session.v1.ControlMessage;
import io.xmig.control.session.v1.Done;
import io.xmig.control.session.v1.Hello;
import io.xmig.control.session.v1.Reason;
import io.xmig.control.session.v1.Resume;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Peers that say what makes no sense, in either direction. */
class HostilePeerTest {
  private static final String SEEDS = "io.xmig.xia.testkit.Seeds#seeds";
  private static final SessionTimes TIMES =
      SessionTimes.of(Duration.ofSeconds(10), Duration.ofSeconds(60));
  private static final int MAX_CHUNK = 100_000;
  private static final long MAX_IN_FLIGHT = 1 << 20;
  private static final String ORIGIN = "RE AD:" + "1".repeat(40) + " CID:" + "0".repeat(40);

  /** Remembers what a receiving session wants done and checks that it is bounded. */
  private static final class Receiver implements ReceiverSession.Actions {
    final ReceiverSession session =
        new ReceiverSession(this, TIMES, MAX_CHUNK, MAX_IN_FLIGHT, "test");
    final List<ControlMessage> sent = new ArrayList<>();
    long fetched;
    long acknowledged;
    boolean verifying;
    @Nullable Outcome outcome;

    @Override
    public void send(int connection, ControlMessage message) {
      sent.add(message);
    }

    @Override
    public void close(int connection) {}

    @Override
    public void began(Dag origin, boolean raw, String peerSoftware) {}

    @Override
    public void moved(Dag origin) {}

    @Override
    public void resumed() {}

    @Override
    public void fetch(ChunkInfo chunk) {
      assertThat(chunk.offset()).isEqualTo(fetched);
      assertThat(chunk.length()).isBetween(1, MAX_CHUNK);
      assertThat(chunk.rawLength()).isBetween(1, MAX_CHUNK);
      fetched = chunk.end();
      assertThat(fetched - acknowledged).isLessThanOrEqualTo(MAX_IN_FLIGHT);
    }

    @Override
    public boolean part(long sequence, int offset, ByteBuffer data) {
      return false;
    }

    @Override
    public void verify(long lengthBytes, byte[] sha256) {
      assertThat(lengthBytes).isEqualTo(fetched);
      assertThat(sha256).hasSize(32);
      verifying = true;
    }

    @Override
    public void roundTrip(long ns) {
      assertThat(ns).isNotNegative();
    }

    @Override
    public void finished(Outcome ended) {
      assertThat(outcome).as("ends once").isNull();
      outcome = ended;
    }

    Reason lastError() {
      return sent.get(sent.size() - 1).getError().getReason();
    }
  }

  private static ControlMessage hello(int id, boolean resume) {
    Hello.Builder hello =
        Hello.newBuilder()
            .setVersionMin(1)
            .setVersionMax(3)
            .setSessionId(
                ByteString.copyFrom(new byte[15])
                    .concat(ByteString.copyFrom(new byte[] {(byte) id})))
            .setOrigin(ORIGIN)
            .setMaxChunkBytes(1 << 20);
    if (resume) {
      hello.setResume(Resume.newBuilder());
    }
    return ControlMessage.newBuilder().setHello(hello).build();
  }

  private static Receiver listening() {
    Receiver receiver = new Receiver();
    receiver.session.listening();
    return receiver;
  }

  private static Receiver receiving() {
    Receiver receiver = listening();
    receiver.session.connected(0, 1);
    receiver.session.message(0, 1, hello(1, false));
    return receiver;
  }

  private static ControlMessage announce(long sequence, long offset, int length, int count) {
    Announce.Builder announce =
        Announce.newBuilder().setFirstSequence(sequence).setFirstOffset(offset);
    for (int i = 0; i < count; i++) {
      announce.addChunks(
          Announce.Chunk.newBuilder()
              .setCid(ByteString.copyFrom(new byte[20]))
              .setRawLength(length));
    }
    return ControlMessage.newBuilder().setAnnounce(announce).build();
  }

  @Test
  void aHelloOfALaterVersionIsAnsweredWithTheVersionWeSpeak() {
    Receiver receiver = receiving();
    Hello answer = receiver.sent.get(0).getHello();
    assertThat(answer.getVersionMin()).isEqualTo(1);
    assertThat(answer.getVersionMax()).isEqualTo(1);
  }

  @Test
  void aHelloWithoutACommonVersionIsRefusedAndTheNextOneIsWelcome() {
    Receiver receiver = listening();
    receiver.session.connected(0, 1);
    Hello tooNew = hello(1, false).getHello().toBuilder().setVersionMin(2).build();
    receiver.session.message(0, 1, ControlMessage.newBuilder().setHello(tooNew).build());
    assertThat(receiver.lastError()).isEqualTo(Reason.REASON_VERSION);
    receiver.session.connected(0, 2);
    receiver.session.message(0, 2, hello(1, false));
    assertThat(receiver.session.state()).isEqualTo(ReceiverSession.State.RECEIVING);
  }

  @Test
  void aSecondSourceIsToldThatThisOneIsBusyAndAnUnknownSessionIsNotResumed() {
    Receiver receiver = receiving();
    receiver.session.connected(0, 2);
    receiver.session.message(0, 2, hello(2, false));
    assertThat(receiver.lastError()).isEqualTo(Reason.REASON_BUSY);
    receiver.session.connected(0, 3);
    receiver.session.message(0, 3, hello(2, true));
    assertThat(receiver.lastError()).isEqualTo(Reason.REASON_UNKNOWN_SESSION);
    assertThat(receiver.session.state()).isEqualTo(ReceiverSession.State.RECEIVING);
  }

  @Test
  void moreThanAgreedIsRefused() {
    Receiver receiver = receiving();
    receiver.session.message(0, 1, announce(0, 0, MAX_CHUNK, 10));
    assertThat(receiver.outcome).isNull();
    receiver.session.message(0, 1, announce(10, 10L * MAX_CHUNK, MAX_CHUNK, 1));
    assertThat(receiver.outcome.reason()).isEqualTo(Reason.REASON_LIMIT);
  }

  @Test
  void chunksThatAreTooLargeOrOutOfOrderAreRefused() {
    for (ControlMessage bad :
        List.of(
            announce(0, 0, MAX_CHUNK + 1, 1),
            announce(0, 0, 0, 1),
            announce(0, 0, -1, 1),
            announce(1, 0, 10, 1),
            announce(0, 5, 10, 1),
            announce(Long.MIN_VALUE, Long.MAX_VALUE, 10, 1))) {
      Receiver receiver = receiving();
      receiver.session.message(0, 1, bad);
      assertThat(receiver.outcome).as("%s", bad).isNotNull();
      assertThat(receiver.outcome.reason()).isEqualTo(Reason.REASON_PROTOCOL);
    }
  }

  @Test
  void strangersThatSayNothingAreShownOut() {
    Receiver receiver = listening();
    for (int i = 0; i < 100; i++) {
      receiver.session.connected(0, i);
    }
    assertThat(receiver.session.nextDeadlineNs()).isEqualTo(5_000_000_000L);
    receiver.session.tick(5_000_000_000L);
    assertThat(receiver.session.nextDeadlineNs()).isEqualTo(Long.MAX_VALUE);
    receiver.session.connected(6_000_000_000L, 200);
    receiver.session.message(6_000_000_000L, 200, hello(1, false));
    assertThat(receiver.session.state()).isEqualTo(ReceiverSession.State.RECEIVING);
  }

  @Test
  void textFromThePeerIsOnePrintableLine() {
    Receiver receiver = receiving();
    receiver.session.message(
        0, 1, Messages.abort(Reason.REASON_STOPPED, "a\nb\u001b[31mc" + "x".repeat(5000)));
    assertThat(receiver.outcome.message())
        .contains("a b [31mc")
        .hasSizeLessThan(700)
        .doesNotContain("\n");
  }

  private static ControlMessage random(SplittableRandom random) {
    long number = random.nextInt(3) == 0 ? random.nextLong() : random.nextInt(5);
    return switch (random.nextInt(11)) {
      case 0 -> hello(random.nextInt(3), random.nextBoolean());
      case 1, 2, 3 ->
          announce(number, random.nextInt(3) * 50L, random.nextInt(200) - 20, random.nextInt(4));
      case 4 ->
          ControlMessage.newBuilder()
              .setDone(
                  Done.newBuilder()
                      .setLengthBytes(number)
                      .setSha256(ByteString.copyFrom(new byte[random.nextInt(3) * 16])))
              .build();
      case 5 ->
          ControlMessage.newBuilder()
              .setAck(
                  Ack.newBuilder().setAcknowledgedBytes(number).setWrittenBytes(random.nextInt(9)))
              .build();
      case 6 -> Messages.verified(number);
      case 7 -> Messages.republish(number);
      case 8 ->
          ControlMessage.newBuilder()
              .setChunkData(
                  ChunkData.newBuilder()
                      .setSequence(number)
                      .setOffset(random.nextInt())
                      .setData(ByteString.copyFrom(new byte[random.nextInt(9)])))
              .build();
      case 9 -> random.nextBoolean() ? Messages.ping(number) : Messages.pong(number);
      default ->
          random.nextInt(10) == 0
              ? Messages.error(Reason.forNumber(random.nextInt(14)), "why")
              : ControlMessage.getDefaultInstance();
    };
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource(SEEDS)
  void aReceiverTakesAnyMessagesAndEndsAtMostOnce(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Receiver receiver = listening();
    long now = 0;
    for (int i = 0; i < 200; i++) {
      now += random.nextLong(2_000_000_000L);
      int connection = random.nextInt(3);
      switch (random.nextInt(8)) {
        case 0 -> receiver.session.connected(now, connection);
        case 1 -> receiver.session.disconnected(now, connection, random.nextBoolean(), "gone");
        case 2 -> receiver.session.tick(now);
        case 3 -> {
          receiver.acknowledged += (receiver.fetched - receiver.acknowledged) / 2;
          receiver.session.progress(receiver.acknowledged, receiver.acknowledged);
        }
        case 4 -> receiver.session.unobtainable(random.nextInt(4));
        default -> receiver.session.message(now, connection, random(random));
      }
    }
    if (receiver.outcome != null) {
      assertThat(receiver.session.isOver()).isTrue();
      assertThat(receiver.outcome.success()).isFalse();
    }
  }

  /** Plays a source's surroundings. */
  private static final class Sender implements SenderSession.Actions {
    final SenderSession session =
        new SenderSession(this, TIMES, new byte[16], ORIGIN, MAX_CHUNK, true, false, "test");
    int connects;
    long acknowledged;
    @Nullable Outcome outcome;

    @Override
    public void connect() {
      connects++;
    }

    @Override
    public void disconnect() {}

    @Override
    public void send(ControlMessage message) {
      assertThat(message.getSerializedSize()).isLessThanOrEqualTo(SessionLimits.MAX_MESSAGE_BYTES);
    }

    @Override
    public void agreed(SenderSession.Agreement agreement) {
      assertThat(agreement.maxChunkBytes()).isBetween(1, MAX_CHUNK);
      assertThat(agreement.maxInFlightBytes()).isGreaterThanOrEqualTo(1 << 20);
    }

    @Override
    public void acknowledged(long bytes, long written) {
      assertThat(bytes).isGreaterThan(acknowledged);
      acknowledged = bytes;
    }

    @Override
    public void wantPayload(ChunkInfo chunk) {}

    @Override
    public void roundTrip(long ns) {
      assertThat(ns).isNotNegative();
    }

    @Override
    public void finished(Outcome ended) {
      assertThat(outcome).as("ends once").isNull();
      outcome = ended;
    }
  }

  private static ControlMessage answer(SplittableRandom random) {
    Hello.Builder hello =
        Hello.newBuilder()
            .setVersionMin(1)
            .setVersionMax(1)
            .setSessionId(ByteString.copyFrom(new byte[16]))
            .setMaxChunkBytes(random.nextInt(10) == 0 ? random.nextInt() : 50_000)
            .setMaxInFlightBytes(random.nextInt(10) == 0 ? random.nextLong() : 8 << 20);
    if (random.nextBoolean()) {
      hello.setResume(Resume.newBuilder().setNextSequence(random.nextInt(4)));
    }
    return ControlMessage.newBuilder().setHello(hello).build();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource(SEEDS)
  void aSenderTakesAnyMessagesEndsAtMostOnceAndNeverBelievesInBytesItDidNotSend(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Sender sender = new Sender();
    sender.session.start(0);
    long now = 0;
    long published = 0;
    long end = 0;
    boolean ended = false;
    for (int i = 0; i < 200; i++) {
      now += random.nextLong(1_000_000_000L);
      switch (random.nextInt(9)) {
        case 0 -> sender.session.connected(now);
        case 1 -> sender.session.message(now, answer(random));
        case 2 -> {
          if (random.nextInt(4) == 0) {
            sender.session.disconnected(now, "gone");
          }
        }
        case 3 -> sender.session.tick(now);
        case 4 -> {
          if (!ended) {
            ChunkInfo chunk =
                new ChunkInfo(
                    published++,
                    end,
                    50,
                    50,
                    Xid.of(XidType.CID, new byte[20]),
                    ChunkInfo.Coding.PLAIN);
            end = chunk.end();
            sender.session.published(chunk);
          }
        }
        case 5 -> {
          if (!ended && random.nextInt(20) == 0) {
            ended = true;
            sender.session.inputEnded(end, new byte[32]);
          }
        }
        case 6 -> {
          if (random.nextInt(3) == 0) {
            sender.session.connectFailed(now, SenderSession.ConnectFailure.UNREACHABLE, "no way");
          }
        }
        default -> sender.session.message(now, random(random));
      }
      assertThat(sender.acknowledged).isLessThanOrEqualTo(end);
    }
    if (sender.outcome != null && sender.outcome.success()) {
      assertThat(ended).isTrue();
      assertThat(sender.outcome.bytes()).isEqualTo(end);
    }
  }

  @FuzzTest
  void anyBytesAreMessagesOrRejected(FuzzedDataProvider data) {
    Receiver receiver = receiving();
    MessageFraming<ControlMessage> framing =
        new MessageFraming<>(ControlMessage.parser(), SessionLimits.MAX_MESSAGE_BYTES);
    while (data.remainingBytes() > 0) {
      framing.buffer().put(data.consumeBytes(Math.min(64, framing.buffer().remaining())));
      try {
        for (ControlMessage m = framing.next(); m != null; m = framing.next()) {
          receiver.session.message(0, 1, m);
        }
      } catch (InvalidProtocolBufferException expected) {
        receiver.session.malformed(1, "malformed");
        assertThat(receiver.session.isOver()).isTrue();
        return;
      }
    }
  }

  @Test
  void aMessageLongerThanAllowedIsRejectedBeforeItIsThere() {
    MessageFraming<ControlMessage> framing =
        new MessageFraming<>(ControlMessage.parser(), SessionLimits.MAX_MESSAGE_BYTES);
    framing.buffer().putInt(SessionLimits.MAX_MESSAGE_BYTES + 1);
    org.assertj.core.api.Assertions.assertThatThrownBy(framing::next)
        .isInstanceOf(InvalidProtocolBufferException.class)
        .hasMessageContaining("65537");
  }

  @Test
  void framesSurviveAnyCutting() throws Exception {
    ControlMessage message = announce(7, 700, 50, 3);
    ByteBuffer frames = ByteBuffer.allocate(3000);
    for (int i = 0; i < 5; i++) {
      frames.put(MessageFraming.frame(message, SessionLimits.MAX_MESSAGE_BYTES));
    }
    frames.flip();
    MessageFraming<ControlMessage> framing =
        new MessageFraming<>(ControlMessage.parser(), SessionLimits.MAX_MESSAGE_BYTES);
    int found = 0;
    while (frames.hasRemaining()) {
      framing.buffer().put(frames.get());
      for (ControlMessage m = framing.next(); m != null; m = framing.next()) {
        assertThat(m).isEqualTo(message);
        found++;
      }
    }
    assertThat(found).isEqualTo(5);
  }
}
