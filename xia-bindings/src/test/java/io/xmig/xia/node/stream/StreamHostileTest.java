package io.xmig.xia.node.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.node.stream.StreamTransferTest.Pair;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Packets that nobody should send. */
class StreamHostileTest {
  private static final long SECOND = 1_000_000_000L;

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void mutatedPacketsNeverBreakAConnection(long seed) {
    Random chance = new Random(seed);
    Pair pair = new Pair(seed, 200_000, 100_000);
    for (PairNet.Host host : pair.net.hosts) {
      host.out.delayNs = 2_000_000;
      host.out.bytesPerSecond = 2_000_000;
    }
    List<byte[]> seen = new ArrayList<>();
    pair.net.tap =
        (from, packet) -> {
          if (seen.size() < 500) {
            seen.add(packet.clone());
          }
          PairNet.Host to = from == pair.a ? pair.b : pair.a;
          byte[] attack = mutate(seen.get(chance.nextInt(seen.size())).clone(), chance);
          pair.net.at(chance.nextInt(3_000_000), () -> to.deliver(attack));
          return packet;
        };
    pair.connect();
    assertThat(pair.net.runUntil(120 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(200_000, 100_000);
    pair.net.tap = (from, packet) -> packet;
    pair.net.run(300 * SECOND);
    assertThat(pair.client.connections() + pair.server.connections()).isZero();
    assertThat(pair.client.pool.reservedBytes() + pair.server.pool.reservedBytes()).isZero();
  }

  private static byte[] mutate(byte[] packet, Random chance) {
    int header = PairNet.headerLength(packet);
    switch (chance.nextInt(4)) {
      case 0: // as it was: a replay
        return packet;
      case 1: // cut
        byte[] cut = java.util.Arrays.copyOf(packet, chance.nextInt(packet.length + 1));
        if (cut.length > header) {
          cut[2] = (byte) ((cut.length - header) >> 8);
          cut[3] = (byte) (cut.length - header);
        }
        return cut;
      default: // bits of the transport header flipped, often behind a checksum that was redone
        int flips = 1 + chance.nextInt(4);
        for (int i = 0; i < flips && packet.length > 176; i++) {
          int at = 176 + chance.nextInt(Math.min(packet.length - 176, 80));
          packet[at] ^= (byte) (1 << chance.nextInt(8));
        }
        return packet;
    }
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void aPeerThatHoldsTheTokensAndLiesHurtsOnlyItself(long seed) {
    Random chance = new Random(seed);
    Pair pair = new Pair(seed, 200_000, 100_000);
    pair.net.tap =
        (from, packet) -> {
          if (from == pair.a && chance.nextInt(20) == 0 && packet.length > 200) {
            byte[] lie = packet.clone();
            for (int i = 0; i <= chance.nextInt(3); i++) {
              int at = PairNet.headerLength(packet) + 22; // behind token and checksum
              at += chance.nextInt(packet.length - at);
              lie[at] ^= (byte) (1 << chance.nextInt(8));
            }
            try {
              return StreamMobilityTest.withRightChecksum(lie);
            } catch (RuntimeException notOurs) {
              return packet; // a SYN, whose checksum is elsewhere
            }
          }
          return packet;
        };
    pair.connect();
    pair.net.runUntil(30 * SECOND, pair::done);
    pair.net.tap = (from, packet) -> packet;
    // Whatever the lies did, this node goes on: a new connection works.
    pair.net.run(200 * SECOND);
    Pump again = new Pump(5, 10_000, 6);
    pair.server.close();
    StreamTransport fresh = pair.client;
    Pump serving = new Pump(6, 10_000, 5);
    fresh.listen(PairNet.sid(4), 5, c -> serving.start(c));
    StreamTransport other = new StreamTransport(pair.b, StreamOptions.defaults());
    other
        .connect(
            PairNet.sid(5),
            pair.a.localAddress().service(PairNet.sid(4)),
            java.time.Duration.ofSeconds(5),
            again)
        .thenAccept(again::start);
    assertThat(pair.net.runUntil(60 * SECOND, () -> again.closed && serving.closed)).isTrue();
    assertThat(again.identical && serving.identical).isTrue();
    assertThat(serving.read).isEqualTo(10_000);
  }

  @Test
  void whoKnowsTheServicesButNotTheTokensCanDoNothing() {
    Pair pair = new Pair(1, 3_000_000, 0);
    pair.a.out.bytesPerSecond = 3_000_000;
    pair.connect();
    pair.net.run(SECOND / 2);
    byte[][] template = new byte[1][];
    pair.net.tap =
        (from, packet) -> {
          if (from == pair.a && packet.length > 1000) {
            template[0] = packet.clone();
          }
          return packet;
        };
    pair.net.run(SECOND / 10);
    Random chance = new Random(3);
    for (int type = 0; type < 12; type++) {
      for (int i = 0; i < 50; i++) {
        byte[] forged = template[0].clone();
        int header = PairNet.headerLength(forged);
        forged[header + 7] = (byte) type;
        ByteBuffer.wrap(forged).putLong(header + 8 + 2, chance.nextLong());
        pair.b.deliver(StreamMobilityTest.withRightChecksum(forged));
      }
    }
    ByteBuffer plain = ByteBuffer.allocate(176 + 24 + 10);
    plain.put((byte) 1).put((byte) 60).putShort((short) 34);
    plain.put((byte) 250).put((byte) 3).put((byte) 3).put((byte) -1);
    plain.put(pair.b.localAddress().service(PairNet.sid(888)).wireBytes());
    plain.put(pair.a.localAddress().service(PairNet.sid(999)).wireBytes());
    String header = "3b1802000102010305040000000005050000000003060000";
    plain.put(java.util.HexFormat.of().parseHex(header));
    pair.b.deliver(plain.array()); // v1.1 DATA of the same pair of SIDs
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(3_000_000, 0);
  }

  @Test
  void aDamagedOfferNeverBecomesAConnectionWithoutChecks() {
    for (int bit = 0; bit < 8 * 76; bit++) {
      Pair pair = new Pair(bit, 1000, 1000);
      int at = 176 + bit / 8;
      int mask = 1 << bit % 8;
      boolean[] done = {false};
      pair.net.tap =
          (from, packet) -> {
            byte[] changed = packet.clone();
            if (!done[0]) {
              done[0] = true;
              changed[at] ^= (byte) mask;
            }
            return changed;
          };
      pair.connect();
      pair.net.run(SECOND / 10);
      assertThat(pair.server.counters().accepted).as("bit %d", bit).isZero();
      assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as("bit %d", bit).isTrue();
      pair.assertComplete(1000, 1000);
    }
  }

  @Test
  void aFloodOfRequestsCostsNoMoreThanTheBacklog() {
    Pair pair = new Pair(1, 1000, 1000);
    byte[][] syn = new byte[1][];
    pair.net.tap =
        (from, packet) -> {
          syn[0] = syn[0] == null ? packet.clone() : syn[0];
          return packet;
        };
    pair.connect();
    assertThat(pair.net.runUntil(SECOND, pair::done)).isTrue();
    StreamTransport flooder = new StreamTransport(pair.net.host(3), StreamOptions.defaults());
    pair.net.tap =
        (from, packet) -> from.number == 3 && PairNet.transportOf(packet)[7] == 1 ? packet : null;
    for (int i = 0; i < 100; i++) {
      flooder.connect(
          PairNet.sid(10_000 + i),
          pair.b.localAddress().service(PairNet.sid(888)),
          java.time.Duration.ofMillis(100),
          new StreamLifeTest.Ending());
    }
    pair.net.run(SECOND);
    assertThat(pair.server.connections()).isEqualTo(8);
    assertThat(pair.server.counters().refused).isGreaterThanOrEqualTo(92);
  }
}
