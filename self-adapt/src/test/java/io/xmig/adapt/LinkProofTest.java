package io.xmig.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.lab.Domains;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.trust.Envelope;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.FrameSink;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.SimStation;
import io.xmig.xia.wire.TransportFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What was said on one link counts on that link, and only while it is news. */
class LinkProofTest {
  private static final LinkProfile LOCAL = LinkProfile.delay(Duration.ofNanos(100_000));

  private final SimNetwork net = new SimNetwork(3);
  private final Domains lab = new Domains(net, 3, LOCAL).chain(LinkProfile.delayMs(2));
  private final Player player = new Player();

  /** Plays frames on port 2 of a router. */
  private final class Player implements SimStation {
    private @Nullable FrameSink out;

    @Override
    public String name() {
      return "player";
    }

    @Override
    public void receive(int port, ByteBuffer frame) {}

    @Override
    public void plug(int port, @Nullable FrameSink sink) {
      out = sink;
    }

    void play(byte[] frame) {
      byte[] copy = frame.clone();
      Arrays.fill(copy, 0, 6, (byte) 0xff);
      out.frame(ByteBuffer.wrap(copy));
    }
  }

  private void plug(int domain) {
    net.link(player, 0, net.station(lab.domains.get(domain).router), 2, LOCAL);
  }

  /** Records the signals of a kind that somebody sends. */
  private List<byte[]> record(SimStation from, int type, int kind) {
    List<byte[]> frames = new ArrayList<>();
    net.tap(
        (link, station, frame) -> {
          if (station != from || frame.getShort(frame.position() + 12) != (short) 0xC0DE) {
            return;
          }
          XipFlyweight packet = new XipFlyweight();
          if (!packet.tryWrap(frame, frame.position() + 14, frame.limit())) {
            return;
          }
          int start = packet.payloadOffset() + TransportFlyweight.PLAIN_LENGTH;
          if (start + 6 < frame.limit()
              && frame.get(start) == type
              && frame.getInt(start + 1) == 0x584d5331
              && frame.get(start + 5) == kind) {
            byte[] copy = new byte[frame.remaining()];
            frame.duplicate().get(copy);
            frames.add(copy);
          }
        });
    return frames;
  }

  private Set<Xid> neighbours(int domain) {
    return lab.domains.get(domain).gateway.routing().neighbourHids();
  }

  @Test
  void aRecordedHelloOfADistantRouterMakesNobodyItsNeighbour() {
    List<byte[]> hellos = record(net.station(lab.domains.get(2).router), 8, Envelope.KIND_HELLO);
    plug(0);
    lab.start();
    for (int i = 0; i < 100; i++) {
      net.run(Duration.ofMillis(50));
      hellos.forEach(player::play); // the newest within 50 ms
    }
    assertThat(hellos).hasSizeGreaterThan(4);
    assertThat(neighbours(0)).containsExactly(lab.domains.get(1).routerKey.identity().hid());
    assertThat(lab.domains.get(0).gateway.routing().routes().get(lab.domains.get(2).ad).port())
        .isEqualTo(3);
  }

  @Test
  void aNeighboursOwnHelloPlayedBackOnAnotherPortDoesNotMoveIt() {
    List<byte[]> hellos = record(net.station(lab.domains.get(1).router), 8, Envelope.KIND_HELLO);
    plug(0);
    lab.start();
    net.run(Duration.ofSeconds(2));
    lab.domains.get(0).links.get(0).cut();
    for (int i = 0; i < 200; i++) {
      net.run(Duration.ofMillis(50));
      hellos.forEach(player::play);
    }
    assertThat(neighbours(0)).as("a neighbour that only a recording speaks for").isEmpty();
    lab.domains.get(0).links.get(0).heal();
    net.run(Duration.ofSeconds(3));
    assertThat(neighbours(0)).hasSize(1);
    assertThat(lab.domains.get(0).gateway.routing().routes().get(lab.domains.get(1).ad).port())
        .isEqualTo(3);
  }

  @Test
  void aRegistrationThatNeverArrivedDoesNotCountOnAnotherPort() {
    List<byte[]> registrations = record(net.station(lab.vm), 2, Envelope.KIND_LOCATION);
    plug(0);
    lab.plugVm(0);
    lab.start();
    assertThat(lab.settle(Duration.ofSeconds(5))).isTrue();
    registrations.clear();
    lab.vmLink.filter((from, frame) -> from != net.station(lab.vm)); // what it says is lost
    lab.agent.sign(io.xmig.adapt.agent.MobilitySign.RESUME);
    net.run(Duration.ofMillis(5));
    assertThat(registrations).isNotEmpty();
    registrations.forEach(player::play);
    net.run(Duration.ofMillis(50));

    assertThat(lab.domains.get(0).gateway.host(lab.vmKey.identity().hid()).route().port())
        .isEqualTo(1);
    assertThat(lab.domains.get(0).gateway.refusals().counts()).containsKey("not_fresh");
    lab.vmLink.filter((from, frame) -> true);
    assertThat(lab.settle(Duration.ofSeconds(5))).isTrue();
    assertThat(lab.reaches(1, 0)).isTrue();
  }

  @Test
  void aBeaconThatWasRoutedIsNotBelieved() {
    lab.plugVm(0);
    lab.start();
    assertThat(lab.settle(Duration.ofSeconds(5))).isTrue();
    List<byte[]> beacons = new ArrayList<>();
    DatagramSocket ear =
        net.await(
            lab.domains
                .get(1)
                .hostStack
                .openDatagram(
                    Xid.parse("SID:" + "b".repeat(40)),
                    (source, payload, port) -> {
                      byte[] copy = new byte[payload.remaining()];
                      payload.get(copy);
                      beacons.add(Arrays.copyOfRange(copy, 1, copy.length));
                    }));
    ear.send(
        Dag.path(Xid.BHID, Signal.SID_ADAPT),
        ByteBuffer.wrap(new Signal.Solicit(7, true, null).encode()));
    assertThat(net.runUntil(() -> !beacons.isEmpty(), Duration.ofSeconds(1))).isTrue();
    net.run(Duration.ofMillis(10)); // newer than what the machine has heard
    for (Xid sid : List.of(Xid.SID_XHCP, Signal.SID_ADAPT)) {
      byte[] datagram =
          sid.equals(Xid.SID_XHCP)
              ? beacons.get(0)
              : new Signal.BeaconCopy(beacons.get(0)).encode();
      ear.send(lab.vmDag(0).withIntent(sid), ByteBuffer.wrap(datagram));
      net.run(Duration.ofMillis(100));
    }
    assertThat(lab.agent.machine().events())
        .noneMatch(event -> event.name().equals("beacon.foreign"));
    assertThat(lab.agent.machine().handoffs()).isEqualTo(1);
  }
}
