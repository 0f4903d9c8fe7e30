package io.xmig.xia.node.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.node.stream.StreamTransferTest.Pair;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaSocketException.Kind;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Opening, closing, refusing, dying: everything but the bytes. */
class StreamLifeTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long MILLISECOND = 1_000_000L;

  private static Kind kindOf(CompletableFuture<?> failed) {
    assertThat(failed).isCompletedExceptionally();
    return ((XiaSocketException) failed.handle((v, e) -> e).join()).kind();
  }

  /** A handler that only remembers how it ended. */
  static final class Ending implements StreamHandler {
    boolean closed;
    @Nullable XiaSocketException cause;

    @Override
    public void onClosed(StreamConnection c, @Nullable XiaSocketException why) {
      closed = true;
      cause = why;
    }
  }

  @Test
  void aServiceThatIsNotBoundRefuses() {
    Pair pair = new Pair(1, 0, 0);
    CompletableFuture<StreamConnection> connecting =
        pair.client.connect(
            PairNet.sid(999),
            pair.b.localAddress().service(PairNet.sid(1)),
            Duration.ofSeconds(30),
            new Ending());
    pair.net.run(SECOND);
    assertThat(kindOf(connecting)).isEqualTo(Kind.REFUSED);
    assertThat(pair.a.bound).isEmpty();
    assertThat(pair.client.pool.reservedBytes()).isZero();
  }

  @Test
  void aFullBacklogRefusesAndEmptiesAgain() {
    PairNet net = new PairNet(1);
    PairNet.Host a = net.host(1);
    PairNet.Host b = net.host(2);
    StreamTransport client = new StreamTransport(a, StreamOptions.defaults());
    StreamTransport server = new StreamTransport(b, StreamOptions.defaults());
    int[] accepted = {0};
    server.listen(
        PairNet.sid(888),
        2,
        c -> {
          accepted[0]++;
          return new Ending();
        });
    // Confirmations are lost, so that the connections stay half open at the server.
    net.tap = (from, packet) -> from == a && PairNet.transportOf(packet)[7] != 1 ? null : packet;
    List<CompletableFuture<StreamConnection>> connecting = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      connecting.add(
          client.connect(
              PairNet.sid(1000 + i),
              b.localAddress().service(PairNet.sid(888)),
              Duration.ofSeconds(5),
              new Ending()));
      net.run(10 * MILLISECOND);
    }
    assertThat(connecting.get(0)).isCompleted();
    assertThat(connecting.get(1)).isCompleted();
    assertThat(kindOf(connecting.get(2))).isEqualTo(Kind.REFUSED);
    assertThat(accepted[0]).as("nobody is accepted unconfirmed").isZero();
    assertThat(server.connections()).isEqualTo(2);
    net.run(SackConnection.HALF_OPEN_NS + SECOND);
    assertThat(server.connections()).as("half-open connections do not stay").isZero();
  }

  @Test
  void noAnswerAtAllIsATimeout() {
    Pair pair = new Pair(1, 0, 0);
    pair.a.out.cut = true;
    pair.connect();
    pair.net.run(31 * SECOND);
    assertThat(kindOf(pair.connecting)).isEqualTo(Kind.TIMED_OUT);
  }

  @Test
  void theSynAckThatWasLostIsSentAgainAndThereIsOneConnection() {
    Pair pair = new Pair(1, 1000, 1000);
    int[] dropped = {0};
    pair.net.tap =
        (from, packet) ->
            PairNet.transportOf(packet)[7] == StreamHeader.SYNACK && dropped[0]++ < 3
                ? null
                : packet;
    pair.connect();
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).isTrue();
    pair.assertComplete(1000, 1000);
    assertThat(pair.server.counters().accepted).isEqualTo(1);
  }

  @Test
  void aServerThatSpeaksFirstIsHeardAlthoughTheConfirmationWasLost() {
    Pair pair = new Pair(1, 0, 5000);
    pair.clientApp.shutsDown = false;
    int[] dropped = {0};
    pair.net.tap =
        (from, packet) ->
            from == pair.a && PairNet.transportOf(packet)[7] != 1 && dropped[0]++ < 2
                ? null
                : packet;
    pair.connect();
    assertThat(pair.net.runUntil(5 * SECOND, () -> pair.clientApp.sawEnd)).isTrue();
    assertThat(pair.clientApp.read).isEqualTo(5000);
  }

  @Test
  void oneDirectionGoesOnAfterTheOtherHasFinished() {
    Pair pair = new Pair(1, 1000, 3_000_000);
    pair.a.out.bytesPerSecond = 10_000_000;
    pair.b.out.bytesPerSecond = 10_000_000;
    pair.connect();
    assertThat(pair.net.runUntil(SECOND, () -> pair.serverApp.sawEnd)).isTrue();
    assertThat(pair.clientApp.read).isLessThan(3_000_000);
    assertThat(pair.serverApp.closed).isFalse();
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).isTrue();
    pair.assertComplete(1000, 3_000_000);
  }

  @Test
  void writingAfterTheEndIsAnError() {
    Pair pair = new Pair(1, 10, 10).connect();
    pair.net.run(SECOND / 10);
    assertThatThrownBy(() -> pair.clientApp.connection.write(ByteBuffer.wrap(new byte[1])))
        .isInstanceOfSatisfying(
            XiaSocketException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CLOSED));
  }

  @Test
  void aSlowReaderSlowsTheWriterDownAndNothingAcknowledgedIsLost() {
    Pair pair = new Pair(1, 3_000_000, 0);
    pair.serverApp.reads = false;
    pair.connect();
    pair.net.run(20 * SECOND);
    long capacity = StreamOptions.defaults().bufferBytes();
    assertThat(pair.server.counters().bytesIn).isEqualTo(capacity);
    assertThat(pair.serverApp.read).isZero();
    long probes = pair.a.out.packets;
    pair.net.run(100 * SECOND);
    assertThat(pair.clientApp.closed).as("a full peer is not a dead peer").isFalse();
    assertThat(pair.a.out.packets - probes).as("probes of the shut window").isBetween(50L, 300L);
    for (int i = 0; i < 10_000 && !pair.serverApp.sawEnd; i++) {
      pair.net.run(5 * MILLISECOND);
      pair.serverApp.drain(7_000);
    }
    assertThat(pair.serverApp.sawEnd).isTrue();
    assertThat(pair.serverApp.read).isEqualTo(3_000_000);
    assertThat(pair.serverApp.identical).isTrue();
    assertThat(pair.server.counters().beyondWindow).isZero();
  }

  @Test
  void aLostWindowUpdateIsFoundOutByProbing() {
    Pair pair = new Pair(1, 1_000_000, 0);
    pair.serverApp.reads = false;
    pair.connect();
    pair.net.run(5 * SECOND);
    pair.b.out.cut = true;
    pair.serverApp.drain(Integer.MAX_VALUE); // the update goes nowhere
    pair.serverApp.reads = true;
    pair.net.run(SECOND);
    pair.b.out.cut = false;
    assertThat(pair.net.runUntil(10 * SECOND, () -> pair.serverApp.sawEnd)).isTrue();
    assertThat(pair.serverApp.read).isEqualTo(1_000_000);
  }

  @Test
  void anAbortReachesThePeerAsAReset() {
    Pair pair = new Pair(1, 3_000_000, 0);
    pair.a.out.bytesPerSecond = 1_000_000;
    pair.connect();
    pair.net.run(SECOND);
    pair.clientApp.connection.abort();
    pair.net.run(SECOND);
    assertThat(pair.serverApp.cause).isNotNull();
    assertThat(pair.serverApp.cause.kind()).isEqualTo(Kind.RESET);
    assertThat(pair.clientApp.cause.kind()).isEqualTo(Kind.CLOSED);
    assertThat(pair.client.connections() + pair.server.connections()).isZero();
    assertThat(pair.client.pool.reservedBytes() + pair.server.pool.reservedBytes()).isZero();
  }

  @Test
  void anAbortWhoseResetWasLostIsRepeatedWhenThePeerGoesOn() {
    Pair pair = new Pair(1, 3_000_000, 0);
    pair.a.out.bytesPerSecond = 1_000_000;
    pair.connect();
    pair.net.run(SECOND);
    pair.b.out.cut = true;
    pair.serverApp.connection.abort();
    pair.net.run(SECOND / 10);
    pair.b.out.cut = false;
    pair.net.run(SECOND);
    assertThat(pair.clientApp.cause.kind()).isEqualTo(Kind.RESET);
  }

  @Test
  void closingDeliversWhatWasWrittenAndDiscardsTheRest() {
    Pair pair = new Pair(1, 400_000, 2_000_000);
    pair.b.out.bytesPerSecond = 5_000_000;
    pair.connect();
    assertThat(pair.net.runUntil(SECOND, () -> pair.clientApp.connection != null)).isTrue();
    pair.clientApp.reads = false;
    pair.net.runUntil(
        SECOND, () -> pair.clientApp.written == 400_000 && !pair.clientApp.chunk.hasRemaining());
    pair.clientApp.connection.close();
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    assertThat(pair.serverApp.read).isEqualTo(400_000);
    assertThat(pair.serverApp.cause).isNull();
    assertThat(pair.clientApp.cause).isNull();
  }

  @Test
  void aPeerThatNeverFinishesIsResetAfterTheCloserLingered() {
    Pair pair = new Pair(1, 1000, 0);
    pair.serverApp.shutsDown = false;
    pair.connect();
    pair.net.run(SECOND);
    pair.clientApp.connection.close();
    pair.net.run(SECOND);
    assertThat(pair.clientApp.closed).isFalse();
    pair.net.run(StreamOptions.defaults().lingerNs() + SECOND);
    assertThat(pair.clientApp.closed).isTrue();
    assertThat(pair.clientApp.cause).isNull();
    assertThat(pair.serverApp.cause.kind()).isEqualTo(Kind.RESET);
  }

  @Test
  void aDeadPeerIsAnErrorNotASilence() {
    Pair pair = new Pair(1, 3_000_000, 0);
    pair.a.out.bytesPerSecond = 1_000_000;
    pair.connect();
    pair.net.run(SECOND);
    pair.a.out.cut = true;
    pair.b.out.cut = true;
    pair.net.run(StreamOptions.defaults().deadPeerNs() + 20 * SECOND);
    assertThat(pair.clientApp.cause.kind()).isEqualTo(Kind.TIMED_OUT);
    pair.net.run(StreamOptions.defaults().deadPeerNs());
    assertThat(pair.serverApp.cause.kind()).as("keep-alive finds it out").isEqualTo(Kind.TIMED_OUT);
  }

  @Test
  void anIdleConnectionStaysWithFewPackets() {
    Pair pair = new Pair(1, 1000, 1000);
    pair.clientApp.shutsDown = false;
    pair.serverApp.shutsDown = false;
    pair.connect();
    pair.net.run(SECOND);
    long before = pair.a.out.packets + pair.b.out.packets;
    pair.net.run(3600 * SECOND);
    assertThat(pair.clientApp.closed || pair.serverApp.closed).isFalse();
    assertThat(pair.a.out.packets + pair.b.out.packets - before).isBetween(200L, 1000L);
  }

  @Test
  void aHostThatWasRestartedAnswersWithAReset() {
    Pair pair = new Pair(1, 3_000_000, 0);
    pair.a.out.bytesPerSecond = 1_000_000;
    pair.connect();
    pair.net.run(SECOND);
    pair.b.bound.clear();
    new StreamTransport(pair.b, StreamOptions.defaults())
        .listen(PairNet.sid(888), 5, c -> new Ending());
    pair.net.run(SECOND);
    assertThat(pair.clientApp.cause.kind()).isEqualTo(Kind.RESET);
  }

  @Test
  void aHostThatLostTheServiceIsFoundOutInSeconds() {
    Pair pair = new Pair(1, 3_000_000, 0);
    pair.a.out.bytesPerSecond = 1_000_000;
    pair.connect();
    pair.net.run(SECOND);
    pair.b.bound.clear();
    pair.server.context.unbind(PairNet.sid(888));
    pair.net.run(10 * SECOND);
    assertThat(pair.clientApp.cause.kind()).isEqualTo(Kind.RESET);
  }

  @Test
  void memoryIsBoundedByRefusing() {
    StreamOptions small =
        StreamOptions.defaults().with(o -> o.memoryBytes(2 << 20).buffers(256 << 10, 256 << 10));
    PairNet net = new PairNet(1);
    PairNet.Host a = net.host(1);
    PairNet.Host b = net.host(2);
    StreamTransport client = new StreamTransport(a, StreamOptions.defaults());
    StreamTransport server = new StreamTransport(b, small);
    server.listen(PairNet.sid(888), 100, c -> new Ending());
    List<CompletableFuture<StreamConnection>> connecting = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      connecting.add(
          client.connect(
              PairNet.sid(1000 + i),
              b.localAddress().service(PairNet.sid(888)),
              Duration.ofSeconds(5),
              new Ending()));
    }
    net.run(SECOND);
    assertThat(connecting.stream().filter(f -> !f.isCompletedExceptionally())).hasSize(4);
    assertThat(kindOf(connecting.get(5))).isEqualTo(Kind.REFUSED);
    assertThat(server.pool.reservedBytes()).isEqualTo(2 << 20);
  }

  @Test
  void aTakenServiceIsAnError() {
    Pair pair = new Pair(1, 0, 0);
    assertThatThrownBy(() -> pair.server.listen(PairNet.sid(888), 5, c -> new Ending()))
        .isInstanceOfSatisfying(
            XiaSocketException.class, e -> assertThat(e.kind()).isEqualTo(Kind.ADDRESS_IN_USE));
  }

  @Test
  void closingTheTransportEndsEverythingAndFreesTheServices() {
    Pair pair = new Pair(1, 3_000_000, 0);
    pair.a.out.bytesPerSecond = 1_000_000;
    pair.connect();
    pair.net.run(SECOND);
    pair.client.close();
    pair.net.run(SECOND);
    assertThat(pair.clientApp.cause.kind()).isEqualTo(Kind.CLOSED);
    assertThat(pair.serverApp.cause.kind()).isEqualTo(Kind.RESET);
    assertThat(pair.a.bound).isEmpty();
    assertThatThrownBy(() -> pair.client.listen(PairNet.sid(5), 1, c -> new Ending()))
        .isInstanceOf(XiaSocketException.class);
  }

  @Test
  void aHandlerThatThrowsLosesItsConnectionAndNothingElse() {
    PairNet net = new PairNet(1);
    PairNet.Host a = net.host(1);
    PairNet.Host b = net.host(2);
    StreamTransport client = new StreamTransport(a, StreamOptions.defaults());
    StreamTransport server = new StreamTransport(b, StreamOptions.defaults());
    server.listen(
        PairNet.sid(888),
        5,
        c ->
            new StreamHandler() {
              @Override
              public void onReadable(StreamConnection connection) {
                throw new IllegalStateException("of the application");
              }
            });
    Ending ending = new Ending();
    client
        .connect(
            PairNet.sid(999),
            b.localAddress().service(PairNet.sid(888)),
            Duration.ofSeconds(5),
            ending)
        .thenAccept(c -> c.write(ByteBuffer.wrap(new byte[10])));
    net.run(SECOND);
    assertThat(ending.cause.kind()).isEqualTo(Kind.RESET);
    assertThat(server.connections()).isZero();
  }

  @Test
  void largePacketsThatVanishAreFoundOutAndMadeSmaller() {
    Pair pair = new Pair(1, 2_000_000, 100_000);
    for (PairNet.Host host : pair.net.hosts) {
      host.maxPacket = 9_000;
      host.out.mtu = 1_500;
      host.out.delayNs = 10_000_000;
    }
    pair.connect();
    long start = pair.net.nowNs;
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(2_000_000, 100_000);
    assertThat(pair.net.nowNs - start).as(pair.state()).isLessThan(5 * SECOND);
    assertThat(pair.client.counters().shrunkPackets).isPositive();
  }

  @Test
  void packetsAreAsLargeAsTheSmallerLinkCarries() {
    Pair pair = new Pair(1, 2_000_000, 0);
    pair.a.maxPacket = 9_000;
    pair.b.maxPacket = 4_000;
    int[] largest = {0};
    pair.net.tap =
        (from, packet) -> {
          largest[0] = Math.max(largest[0], packet.length);
          return packet;
        };
    pair.connect();
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).isTrue();
    assertThat(largest[0]).isBetween(3_990, 4_000);
  }
}
