package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.TransportFlyweight;
import io.xmig.xia.wire.XipFlyweight;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

/** The packet path of a settled node allocates nothing. */
class ForwardingAllocationTest {
  private static final int WARM_UP = 20_000;
  private static final int MEASURED = 20_000;

  private final SimNetwork net = new SimNetwork(1);
  private final Topologies.TwoHosts at = Topologies.twoHosts(net, LinkProfile.delayMs(1));
  private final Dag source = at.host0().localAddress().service(Topologies.sid(1));
  private final ByteBuffer frame = ByteBuffer.allocateDirect(1500);
  private long sent;

  private static double bytesPerPacket(IntConsumer packet) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int i = 0; i < WARM_UP; i++) {
      packet.accept(i);
    }
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < MEASURED; i++) {
      packet.accept(i);
    }
    return (threads.getCurrentThreadAllocatedBytes() - before) / (double) MEASURED;
  }

  /** A datagram of host0 to host1, as it arrives at the router. */
  private void layFrame(Dag destination, long mac) {
    frame.clear();
    EthernetFlyweight.write(frame, 0, mac, Topologies.mac(9, 9), EthernetFlyweight.TYPE_XIP);
    int payload =
        EthernetFlyweight.LENGTH
            + XipFlyweight.write(
                frame,
                EthernetFlyweight.LENGTH,
                XipFlyweight.NEXT_TRANSPORT,
                TransportFlyweight.PLAIN_LENGTH,
                XipFlyweight.DEFAULT_HOP_LIMIT,
                destination,
                source);
    TransportFlyweight.write(
        frame,
        payload,
        TransportFlyweight.TYPE_DATAGRAM,
        TransportFlyweight.DATA,
        TransportFlyweight.NO_NUMBER,
        TransportFlyweight.NO_NUMBER);
    frame.limit(payload + TransportFlyweight.PLAIN_LENGTH);
  }

  private void meetNeighbours() {
    DatagramSocket socket =
        net.await(net.stack(at.host0()).openDatagram(null, (source, payload, port) -> {}));
    socket.send(at.host1().localAddress().service(Topologies.sid(2)), ByteBuffer.allocate(1));
    net.run(Duration.ofSeconds(2));
    at.router()
        .attach(
            1,
            out ->
                sent +=
                    EthernetFlyweight.type(out, out.position()) == EthernetFlyweight.TYPE_XIP
                        ? 1
                        : 0);
  }

  @Test
  void forwardingAllocatesNothing() {
    meetNeighbours();
    Dag to = at.host1().localAddress().service(Topologies.sid(2));
    double bytes =
        bytesPerPacket(
            i -> {
              layFrame(to, Topologies.mac(0, 0x20));
              at.router().receive(0, frame);
            });
    assertThat(sent).isEqualTo(WARM_UP + MEASURED);
    assertThat(bytes).isLessThan(1);
  }

  @Test
  void deliveringToATransportAllocatesNothing() {
    Xid service = Topologies.sid(3);
    at.host1().context().bind(service, packet -> sent += packet.source().size());
    Dag to = at.host1().localAddress().service(service);
    double bytes =
        bytesPerPacket(
            i -> {
              layFrame(to, Topologies.mac(1, 0x10));
              at.host1().receive(0, frame);
            });
    assertThat(sent).isEqualTo(3L * (WARM_UP + MEASURED));
    assertThat(bytes).isLessThan(1);
  }
}
