package io.xmig.xia.node.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.node.stream.StreamTransferTest.Pair;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Connections whose ends change their address. */
class StreamMobilityTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long MILLISECOND = 1_000_000L;

  private static Pair transfer(long seed, long up, long down, long delayNs) {
    Pair pair = new Pair(seed, up, down);
    for (PairNet.Host host : pair.net.hosts) {
      host.out.delayNs = delayNs;
      host.out.bytesPerSecond = 5_000_000;
    }
    return pair.connect();
  }

  @Test
  void theReceiverMovesAndTheStreamGoesOnWithinTwoRoundTrips() {
    Pair pair = transfer(1, 8_000_000, 0, 10 * MILLISECOND);
    pair.net.run(700 * MILLISECOND);
    pair.b.move(77);
    long before = pair.serverApp.read;
    long moved = pair.net.nowNs;
    assertThat(pair.net.runUntil(SECOND, () -> pair.serverApp.read > before + 3_000)).isTrue();
    assertThat(pair.net.nowNs - moved).isLessThan(60 * MILLISECOND);
    assertThat(pair.clientApp.connection.remoteDag())
        .isEqualTo(pair.b.localAddress().service(PairNet.sid(888)));
    assertThat(pair.serverApp.connection.localDag())
        .isEqualTo(pair.b.localAddress().service(PairNet.sid(888)));
    assertThat(pair.clientApp.addressChanges).isEqualTo(1);
    assertThat(pair.serverApp.addressChanges).isEqualTo(1);
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(8_000_000, 0);
  }

  @Test
  void theSenderMovesAndTheStreamGoesOnWithinTwoRoundTrips() {
    Pair pair = transfer(1, 8_000_000, 0, 10 * MILLISECOND);
    pair.net.run(700 * MILLISECOND);
    pair.a.move(77);
    long acked = pair.clientApp.connection.unacknowledged();
    long moved = pair.net.nowNs;
    assertThat(pair.net.runUntil(SECOND, () -> pair.clientApp.connection.unacknowledged() < acked))
        .isTrue();
    assertThat(pair.net.nowNs - moved).isLessThan(60 * MILLISECOND);
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(8_000_000, 0);
  }

  @Test
  void anIdleConnectionIsFoundAtItsNewPlace() {
    Pair pair = transfer(1, 1000, 1000, 10 * MILLISECOND);
    pair.clientApp.shutsDown = false;
    pair.serverApp.shutsDown = false;
    pair.net.run(SECOND);
    pair.b.move(77);
    pair.net.run(100 * MILLISECOND);
    assertThat(pair.clientApp.connection.remoteDag())
        .isEqualTo(pair.b.localAddress().service(PairNet.sid(888)));
  }

  @Test
  void aClientThatMovesWhileConnectingIsFoundEvenIfOnlyItsFirstRequestArrived() {
    Pair pair = new Pair(1, 10_000, 10_000);
    int[] requests = {0};
    pair.net.tap =
        (from, packet) ->
            PairNet.transportOf(packet)[7] == StreamHeader.SYN && requests[0]++ > 0 ? null : packet;
    pair.a.forwardsFromFormerAds = true;
    pair.connect();
    pair.a.move(70);
    pair.net.runUntil(SECOND, () -> pair.connecting.isDone());
    pair.a.forwardsFromFormerAds = false;
    assertThat(pair.net.runUntil(20 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(10_000, 10_000);
  }

  @Test
  void theAnnouncementIsRepeatedUntilItArrives() {
    Pair pair = transfer(1, 8_000_000, 0, 10 * MILLISECOND);
    pair.net.run(700 * MILLISECOND);
    pair.b.out.cut = true;
    pair.b.move(77);
    pair.net.run(3 * SECOND);
    pair.b.out.cut = false;
    long before = pair.serverApp.read;
    assertThat(pair.net.runUntil(2 * SECOND, () -> pair.serverApp.read > before)).isTrue();
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(8_000_000, 0);
  }

  @Test
  void bothEndsMoveWhileTheirOldPlacesStillForward() {
    Pair pair = transfer(1, 8_000_000, 1_000_000, 10 * MILLISECOND);
    pair.net.run(700 * MILLISECOND);
    pair.a.forwardsFromFormerAds = true;
    pair.a.move(70);
    pair.b.move(77);
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(8_000_000, 1_000_000);
  }

  @Test
  void bothEndsMoveAtOnceAndOneIsToldWhereTheOtherWent() {
    Pair pair = transfer(1, 8_000_000, 1_000_000, 10 * MILLISECOND);
    pair.net.run(700 * MILLISECOND);
    pair.a.move(70);
    pair.b.move(77);
    pair.net.run(5 * SECOND);
    long before = pair.serverApp.read;
    pair.net.run(SECOND);
    assertThat(pair.serverApp.read).as("nobody knows where the other is").isEqualTo(before);
    pair.client.hostMoved(pair.b.localAddress().host());
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(8_000_000, 1_000_000);
  }

  @Test
  void aFalseHintOfAMoveChangesNothing() {
    Pair pair = transfer(1, 4_000_000, 0, 10 * MILLISECOND);
    pair.net.run(300 * MILLISECOND);
    pair.client.hostMoved(io.xmig.xia.addr.Dag.path(PairNet.ad(5), PairNet.hid(2)));
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(4_000_000, 0);
    assertThat(pair.clientApp.addressChanges).isZero();
  }

  @Test
  void announcementsThatAreForgedOrReplayedAreIgnored() {
    Pair pair = transfer(1, 8_000_000, 0, 10 * MILLISECOND);
    List<byte[]> announcements = new ArrayList<>();
    pair.net.tap =
        (from, packet) -> {
          if (from == pair.b && PairNet.transportOf(packet)[7] == StreamHeader.MIGRATE) {
            announcements.add(packet.clone());
          }
          return packet;
        };
    pair.net.run(500 * MILLISECOND);
    pair.b.move(77);
    pair.net.run(100 * MILLISECOND);
    pair.b.move(78);
    pair.net.run(100 * MILLISECOND);
    byte[] first = announcements.get(0);
    byte[] forged = announcements.get(announcements.size() - 1).clone();
    forged[forged.length - 84 + 23] ^= 1; // another AD in the payload
    pair.a.deliver(first);
    pair.a.deliver(withRightChecksum(forged));
    assertThat(pair.clientApp.connection.remoteDag())
        .isEqualTo(pair.b.localAddress().service(PairNet.sid(888)));
    assertThat(pair.client.counters().migrationsRejected).isEqualTo(2);
    assertThat(pair.net.runUntil(60 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(8_000_000, 0);
  }

  /** What somebody who knows the format, but not the key, would send. */
  static byte[] withRightChecksum(byte[] packet) {
    int header = packet.length - PairNet.transportOf(packet).length;
    java.nio.ByteBuffer buffer = java.nio.ByteBuffer.wrap(packet);
    int at = -1;
    int end = header + Byte.toUnsignedInt(packet[header + 1]);
    for (int i = header + 2; i < end && packet[i] != 0; i += 1 + Byte.toUnsignedInt(packet[i])) {
      int key = packet[i + 1];
      if (key == StreamHeader.KEY_SEGMENT || key == StreamHeader.KEY_CONTROL) {
        at = i + 2 + 8;
      }
    }
    buffer.putInt(at, 0);
    java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
    crc.update(packet, header, packet.length - header);
    buffer.putInt(at, Integer.reverseBytes((int) crc.getValue()));
    return packet;
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void everyByteArrivesHoweverOftenTheEndsMove(long seed) {
    Random chance = new Random(seed);
    long up = 100_000 + chance.nextInt(500_000);
    long down = chance.nextInt(200_000);
    Pair pair = new Pair(seed, up, down);
    for (PairNet.Host host : pair.net.hosts) {
      host.out.delayNs = 100_000 + chance.nextInt(20_000_000);
      host.out.jitterNs = chance.nextInt(2_000_000);
      host.out.bytesPerSecond = 500_000 + chance.nextInt(10_000_000);
      host.out.loss = chance.nextDouble() * 0.03;
      host.out.reorder = chance.nextDouble() * 0.03;
      host.out.duplicate = chance.nextDouble() * 0.02;
      host.out.corrupt = chance.nextDouble() * 0.01;
    }
    pair.connect();
    int moves = 1 + chance.nextInt(8);
    boolean overlapping = chance.nextInt(4) == 0;
    for (int i = 0; i < moves; i++) {
      int place = 100 + i;
      PairNet.Host mover = chance.nextBoolean() ? pair.a : pair.b;
      long when = chance.nextInt(1_000) * MILLISECOND;
      pair.net.at(when, () -> mover.move(place));
      if (overlapping) {
        // Both at the same moment: only the old place of one of them can save the day.
        PairNet.Host other = mover == pair.a ? pair.b : pair.a;
        pair.net.at(when, () -> other.move(place + 50));
      }
    }
    // Moves that meet in flight leave both ends in the dark, unless an old place forwards.
    pair.b.forwardsFromFormerAds = true;
    assertThat(pair.net.runUntil(600 * SECOND, pair::done)).as(pair.state()).isTrue();
    pair.assertComplete(up, down);
    assertThat(pair.net.run(300 * SECOND)).as("nothing goes on afterwards").isTrue();
  }

  @Test
  void towardsThePrototypeAMoveIsAnnouncedByWhatItUnderstands() {
    StreamOptions prototype = StreamOptions.defaults().with(o -> o.offerExtensions(false));
    Pair pair = new Pair(1, 400_000, 100_000, prototype);
    pair.clientApp.shutsDown = false;
    pair.serverApp.shutsDown = false;
    pair.a.out.bytesPerSecond = 500_000;
    pair.connect();
    pair.net.run(300 * MILLISECOND);
    pair.a.move(70);
    pair.net.run(400 * MILLISECOND);
    pair.b.move(77);
    pair.net.runUntil(
        60 * SECOND, () -> pair.serverApp.read == 400_000 && pair.clientApp.read == 100_000);
    assertThat(pair.serverApp.read).as(pair.state()).isEqualTo(400_000);
    assertThat(pair.clientApp.read).as(pair.state()).isEqualTo(100_000);
    assertThat(pair.serverApp.identical && pair.clientApp.identical).isTrue();
    pair.a.move(71);
    pair.net.run(100 * MILLISECOND);
    assertThat(pair.serverApp.connection.remoteDag())
        .as("an idle connection is announced with an ACK")
        .isEqualTo(pair.a.localAddress().service(PairNet.sid(999)));
  }
}
