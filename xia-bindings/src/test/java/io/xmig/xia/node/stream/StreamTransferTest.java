package io.xmig.xia.node.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.socket.StreamConnection;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StreamTransferTest {
  static final long SECOND = 1_000_000_000L;
  private static final int SERVICE = 888;

  /** Two hosts with a connection being opened between them. */
  static final class Pair {
    final PairNet net;
    final PairNet.Host a;
    final PairNet.Host b;
    final StreamTransport client;
    final StreamTransport server;
    final Pump clientApp;
    final Pump serverApp;
    CompletableFuture<StreamConnection> connecting;

    Pair(long seed, long up, long down) {
      this(seed, up, down, StreamOptions.defaults());
    }

    Pair(long seed, long up, long down, StreamOptions options) {
      net = new PairNet(seed);
      a = net.host(1);
      b = net.host(2);
      client = new StreamTransport(a, options);
      server = new StreamTransport(b, options);
      clientApp = new Pump(seed, up, ~seed);
      serverApp = new Pump(~seed, down, seed);
      server.listen(PairNet.sid(SERVICE), 8, c -> serverApp.start(c));
    }

    Pair connect() {
      connecting =
          client.connect(
              PairNet.sid(999),
              b.localAddress().service(PairNet.sid(SERVICE)),
              Duration.ofSeconds(30),
              clientApp);
      connecting.thenAccept(clientApp::start);
      return this;
    }

    boolean done() {
      return clientApp.closed && serverApp.closed;
    }

    String state() {
      return "client read "
          + clientApp.read
          + " cause "
          + clientApp.cause
          + ", server read "
          + serverApp.read
          + " cause "
          + serverApp.cause
          + "\n"
          + client.counters()
          + "\n"
          + server.counters();
    }

    void assertComplete(long up, long down) {
      assertThat(clientApp.cause).as(state()).isNull();
      assertThat(serverApp.cause).as(state()).isNull();
      assertThat(serverApp.read).as(state()).isEqualTo(up);
      assertThat(clientApp.read).as(state()).isEqualTo(down);
      assertThat(clientApp.identical && serverApp.identical).as("bytes are identical").isTrue();
      assertThat(clientApp.sawEnd && serverApp.sawEnd).as("both saw the end").isTrue();
    }
  }

  @Test
  void carriesBytesBothWaysAndClosesInGoodOrder() {
    Pair pair = new Pair(1, 300_000, 200_000).connect();
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(300_000, 200_000);
    assertThat(pair.net.run(60 * SECOND)).as("nothing goes on afterwards").isTrue();
    assertThat(pair.client.connections()).isZero();
    assertThat(pair.a.bound).as("the ephemeral service is free again").isEmpty();
    assertThat(pair.client.pool.reservedBytes()).isZero();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void everyByteArrivesOverLinksThatLoseReorderDuplicateAndCorrupt(long seed) {
    long up = 1 + new java.util.Random(seed).nextInt(400_000);
    long down = new java.util.Random(~seed).nextInt(200_000);
    Pair pair = new Pair(seed, up, down);
    for (PairNet.Host host : pair.net.hosts) {
      host.out.delayNs = 100_000 + pair.net.random.nextInt(30_000_000);
      host.out.jitterNs = pair.net.random.nextInt(3_000_000);
      host.out.loss = pair.net.random.nextDouble() * 0.1;
      host.out.reorder = pair.net.random.nextDouble() * 0.1;
      host.out.duplicate = pair.net.random.nextDouble() * 0.05;
      host.out.corrupt = pair.net.random.nextDouble() * 0.05;
      host.out.bytesPerSecond = 1_000_000 + pair.net.random.nextInt(100_000_000);
      host.out.queueBytes = 20_000 + pair.net.random.nextInt(1_000_000);
      host.maxPacket = 700 + pair.net.random.nextInt(9_000);
    }
    pair.connect();
    assertThat(pair.net.runUntil(300 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(up, down);
    assertThat(pair.net.run(300 * SECOND)).as("nothing goes on afterwards").isTrue();
  }

  /**
   * Every tenth packet and two of three acknowledgements are lost. What arrived between two holes
   * is then mostly told by the older ranges of a later acknowledgement; a receiver that reports
   * only the newest range has it sent again.
   */
  @Test
  void whatArrivedBetweenHolesIsNotSentAgainWhenAcknowledgementsAreLost() {
    StreamOptions options = StreamOptions.defaults().with(o -> o.congestionControl("bbr"));
    Pair pair = new Pair(11, 4_000_000, 0, options);
    for (PairNet.Host host : pair.net.hosts) {
      host.out.delayNs = 10_000_000;
      host.out.bytesPerSecond = 12_500_000;
      host.out.queueBytes = 500_000;
    }
    pair.a.out.loss = 0.1;
    pair.b.out.loss = 0.67;
    pair.connect();
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(4_000_000, 0);
    long dropped = pair.a.out.dropped;
    assertThat(dropped).as("holes").isGreaterThan(200);
    assertThat(pair.client.counters().retransmitted)
        .as(pair.state())
        .isLessThan(dropped + dropped / 4);
  }
}
