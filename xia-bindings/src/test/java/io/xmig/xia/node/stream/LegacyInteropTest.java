package io.xmig.xia.node.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamHandler;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.testkit.Vectors;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Our end against packets captured from the prototype, and against ourselves in its terms. */
class LegacyInteropTest {
  private static final long SECOND = 1_000_000_000L;
  private static final Xid CLIENT_SID = Xid.parse("SID:30000ff00000000000000000000000001e96f6a6");
  private static final Xid SERVER_SID = Xid.parse("SID:0f00000000000000000000000000000000000888");
  private static final StreamOptions PROTOTYPE =
      StreamOptions.defaults().with(o -> o.offerExtensions(false));

  private final PairNet net = new PairNet(1);
  private final PairNet.Host host0 = hostOf(0);
  private final PairNet.Host host1 = hostOf(1);
  private final List<byte[]> sent = new ArrayList<>();

  private PairNet.Host hostOf(int number) {
    return net.host(number);
  }

  /** The XIP packet of a captured frame as it was before the first hop touched it. */
  private static byte[] captured(String file, String name) {
    byte[] frame = Vectors.get(file, name).bytes();
    byte[] packet = Arrays.copyOfRange(frame, 14, frame.length);
    packet[4] = (byte) 250; // our harness has no routers, which count hops down
    packet[7] = -1;
    return clearVisited(packet);
  }

  private static byte[] clearVisited(byte[] packet) {
    for (int node = 0; node < packet[5]; node++) {
      for (int edge = 0; edge < 4; edge++) {
        packet[8 + 28 * node + 24 + edge] &= 0x7f;
      }
    }
    return packet;
  }

  private static byte[] captured(String name) {
    return captured("stream", name);
  }

  private void swallow(PairNet.Host from) {
    net.tap =
        (sender, packet) -> {
          if (sender == from) {
            sent.add(packet);
            return null;
          }
          return packet;
        };
  }

  private void assertSent(String... names) {
    net.run(50_000_000);
    assertThat(sent.stream().map(HexFormat.of()::formatHex))
        .containsExactlyElementsOf(
            Arrays.stream(names).map(n -> HexFormat.of().formatHex(captured(n))).toList());
    sent.clear();
  }

  private static void write(StreamConnection to, String text) {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    to.write(bytes);
    assertThat(bytes.hasRemaining()).isFalse();
  }

  private static String read(StreamConnection from) {
    ByteBuffer target = ByteBuffer.allocate(1000);
    from.read(target);
    return new String(target.array(), 0, target.position(), StandardCharsets.US_ASCII);
  }

  @Test
  void asClientItSaysWhatThePrototypesClientSaid() {
    swallow(host1);
    StreamTransport client = new StreamTransport(host1, PROTOTYPE);
    CompletableFuture<StreamConnection> connecting =
        client.connect(
            CLIENT_SID,
            host0.localAddress().service(SERVER_SID),
            Duration.ofSeconds(30),
            new StreamHandler() {});
    assertSent("stream_syn_hop1");
    host1.deliver(captured("stream_synack_hop3"));
    StreamConnection connection = connecting.join();
    write(connection, "ping from client");
    assertSent("stream_data_seq0_hop1");
    assertThat(connection.unacknowledged()).isEqualTo(16);
    host1.deliver(captured("stream_ack1_hop3"));
    assertThat(connection.unacknowledged()).isZero();
    host1.deliver(captured("stream_data_reply"));
    assertThat(read(connection)).isEqualTo("pong from server");
    assertSent("stream_ack_of_reply");
    write(connection, "second message");
    assertSent("stream_data_seq1");
    host1.deliver(captured("stream_ack2"));
    assertThat(connection.unacknowledged()).isZero();
    net.run(5 * SECOND);
    assertThat(sent).as("everything is acknowledged, nothing is sent again").isEmpty();
  }

  @Test
  void asServerItSaysWhatThePrototypesServerSaid() {
    swallow(host0);
    StreamTransport server = new StreamTransport(host0, StreamOptions.defaults());
    List<StreamConnection> accepted = new ArrayList<>();
    server.listen(
        SERVER_SID,
        5,
        c -> {
          accepted.add(c);
          return new StreamHandler() {};
        });
    host0.deliver(captured("stream_syn_hop3"));
    assertSent("stream_synack_hop1");
    host0.deliver(captured("stream_data_seq0_hop3"));
    assertSent("stream_ack1_hop1");
    assertThat(accepted).hasSize(1);
    assertThat(read(accepted.get(0))).isEqualTo("ping from client");
    write(accepted.get(0), "pong from server");
    assertSent("stream_data_reply");
    host0.deliver(captured("stream_ack_of_reply"));
    host0.deliver(captured("stream_data_seq1"));
    assertSent("stream_ack2");
    assertThat(read(accepted.get(0))).isEqualTo("second message");
  }

  @Test
  void aRepeatedSynIsAnsweredAgainButIsNoSecondConnection() {
    swallow(host0);
    StreamTransport server = new StreamTransport(host0, StreamOptions.defaults());
    List<StreamConnection> accepted = new ArrayList<>();
    server.listen(
        SERVER_SID,
        5,
        c -> {
          accepted.add(c);
          return new StreamHandler() {};
        });
    host0.deliver(captured("stream_syn_hop3"));
    host0.deliver(captured("stream_syn_hop3"));
    assertSent("stream_synack_hop1", "stream_synack_hop1");
    assertThat(accepted).hasSize(1);
  }

  @Test
  void allThreePacketsAreSentAgainAfterTheFirstWasLost() {
    Xid service = captured0Destination();
    PairNet.View original = PairNet.View.of(captured("stream_loss_data0_original"));
    swallow(host1);
    StreamTransport client = new StreamTransport(host1, PROTOTYPE);
    CompletableFuture<StreamConnection> connecting =
        client.connect(
            original.sourceIntent(),
            host0.localAddress().service(service),
            Duration.ofSeconds(30),
            new StreamHandler() {});
    sent.clear();
    host1.deliver(synAckFor(original));
    StreamConnection connection = connecting.join();
    write(connection, "lost one");
    write(connection, "second");
    write(connection, "third");
    assertSent(
        "stream_loss_data0_original", "stream_loss_data1_original", "stream_loss_data2_original");
    net.run(300_000_000);
    assertSent(
        "stream_loss_data0_retransmit",
        "stream_loss_data1_retransmit",
        "stream_loss_data2_retransmit");
  }

  private static Xid captured0Destination() {
    return PairNet.View.of(captured("stream_loss_data0_original")).deliveredTo();
  }

  /** The SYNACK that must have preceded a captured DATA packet. */
  private static byte[] synAckFor(PairNet.View data) {
    byte[] packet = captured("stream_synack_hop3");
    System.arraycopy(data.source().wireBytes(), 0, packet, 8, 84);
    System.arraycopy(data.destination().wireBytes(), 0, packet, 92, 84);
    return packet;
  }

  @Test
  void thePeersNewAddressIsTakenFromItsData() {
    PairNet.View before = PairNet.View.of(captured("handoff", "handoff_data_before_update"));
    swallow(host0);
    StreamTransport server = new StreamTransport(host0, StreamOptions.defaults());
    List<StreamConnection> accepted = new ArrayList<>();
    server.listen(
        before.deliveredTo(),
        5,
        c -> {
          accepted.add(c);
          return new StreamHandler() {};
        });
    byte[] syn = captured("stream_syn_hop3");
    System.arraycopy(before.destination().wireBytes(), 0, syn, 8, 84);
    System.arraycopy(before.source().wireBytes(), 0, syn, 92, 84);
    host0.deliver(syn);
    for (int i = 0; i < 29; i++) {
      host0.deliver(withSequence(captured("handoff", "handoff_data_before_update"), i));
    }
    net.run(SECOND / 10);
    sent.clear();
    host0.deliver(captured("handoff", "handoff_data_after_update"));
    net.run(SECOND / 10);
    assertThat(HexFormat.of().formatHex(sent.get(0)))
        .isEqualTo(HexFormat.of().formatHex(captured("handoff", "handoff_ack_to_new_address")));
    assertThat(accepted.get(0).remoteDag())
        .isEqualTo(PairNet.View.of(captured("handoff", "handoff_data_after_update")).source());
  }

  private static byte[] withSequence(byte[] packet, int sequence) {
    packet[176 + 10] = (byte) sequence;
    return packet;
  }

  @Test
  void anotherHostCannotTakeAConnectionOver() {
    swallow(host0);
    StreamTransport server = new StreamTransport(host0, StreamOptions.defaults());
    List<StreamConnection> accepted = new ArrayList<>();
    server.listen(
        SERVER_SID,
        5,
        c -> {
          accepted.add(c);
          return new StreamHandler() {};
        });
    host0.deliver(captured("stream_syn_hop3"));
    byte[] stolen = captured("stream_data_seq0_hop3");
    stolen[8 + 28 * 4 + 23] ^= 0x55; // another HID in the source
    host0.deliver(stolen);
    assertThat(accepted.get(0).remoteDag().host()).isEqualTo(PairNet.hid(1));
    assertThat(read(accepted.get(0))).isEmpty();
  }

  @Test
  void asksThirtyOneTimesEvery300MillisecondsAndThenSaysSo() {
    List<Long> times = new ArrayList<>();
    net.tap =
        (sender, packet) -> {
          times.add(net.nowNs);
          return null;
        };
    StreamTransport client = new StreamTransport(host1, PROTOTYPE);
    CompletableFuture<StreamConnection> connecting =
        client.connect(
            CLIENT_SID,
            host0.localAddress().service(SERVER_SID),
            Duration.ofMillis(9_100),
            new StreamHandler() {});
    net.run(60 * SECOND);
    assertThat(times).hasSize(31);
    assertThat(times.get(30) - times.get(0)).isEqualTo(9 * SECOND);
    assertThat(connecting)
        .failsWithin(Duration.ZERO)
        .withThrowableOfType(java.util.concurrent.ExecutionException.class)
        .withCauseInstanceOf(XiaSocketException.class)
        .withMessageContaining("no answer");
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void everyByteArrivesInThePrototypesTermsOverLossyLinks(long seed) {
    StreamTransferTest.Pair pair = new StreamTransferTest.Pair(seed, 120_000, 60_000, PROTOTYPE);
    pair.clientApp.shutsDown = false;
    pair.serverApp.shutsDown = false;
    for (PairNet.Host host : pair.net.hosts) {
      host.out.delayNs = 100_000 + pair.net.random.nextInt(20_000_000);
      host.out.jitterNs = pair.net.random.nextInt(2_000_000);
      host.out.loss = pair.net.random.nextDouble() * 0.05;
      host.out.duplicate = pair.net.random.nextDouble() * 0.05;
      host.out.reorder = pair.net.random.nextDouble() * 0.05;
    }
    pair.connect();
    pair.net.runUntil(
        600 * SECOND, () -> pair.serverApp.read == 120_000 && pair.clientApp.read == 60_000);
    assertThat(pair.serverApp.read).as(pair.state()).isEqualTo(120_000);
    assertThat(pair.clientApp.read).as(pair.state()).isEqualTo(60_000);
    assertThat(pair.serverApp.identical && pair.clientApp.identical).isTrue();
    pair.clientApp.connection.close();
    pair.serverApp.connection.close();
    assertThat(pair.net.runUntil(300 * SECOND, pair::done)).as(pair.state()).isTrue();
    assertThat(pair.client.connections() + pair.server.connections()).isZero();
  }

  @Test
  void noMorePacketsAreOutThanThePrototypesRingHolds() {
    StreamTransferTest.Pair pair = new StreamTransferTest.Pair(5, 2_000_000, 0, PROTOTYPE);
    long[] most = {0};
    long[] acked = {0};
    pair.clientApp.shutsDown = false;
    pair.net.tap =
        (sender, packet) -> {
          byte[] header = PairNet.transportOf(packet);
          int number = Byte.toUnsignedInt(header[10]) | Byte.toUnsignedInt(header[11]) << 8;
          int ack = Byte.toUnsignedInt(header[16]) | Byte.toUnsignedInt(header[17]) << 8;
          if (header[7] == 3) {
            most[0] = Math.max(most[0], number - acked[0] + 1);
            assertThat(packet.length).isLessThanOrEqualTo(1500);
          } else if (header[7] == 4) {
            acked[0] = ack;
          }
          return packet;
        };
    pair.connect();
    pair.net.runUntil(60 * SECOND, () -> pair.serverApp.read == 2_000_000);
    assertThat(pair.serverApp.read).isEqualTo(2_000_000);
    assertThat(most[0]).isBetween(40L, 64L);
  }
}
