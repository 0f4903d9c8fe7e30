package io.xmig.testbed.vm;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.node.UrgentSink;
import io.xmig.xia.testkit.VirtualLoop;
import io.xmig.xia.wire.EthernetFlyweight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClientsFirstTest {
  private static final long OWN = 0x020000000001L;
  private static final int URGENT = 1000;

  private final VirtualLoop loop = new VirtualLoop();
  private final List<Integer> taken = new ArrayList<>();
  private final ClientsFirst receiver =
      new ClientsFirst(
          loop,
          new UrgentSink() {
            @Override
            public void frame(ByteBuffer frame) {
              taken.add(frame.getInt(frame.position() + 14));
            }

            @Override
            public boolean urgent(ByteBuffer frame) {
              boolean urgent = frame.getInt(frame.position() + 14) >= URGENT;
              if (urgent) {
                frame(frame);
              }
              return urgent;
            }
          });

  private void arrives(long to, int number) {
    ByteBuffer frame = ByteBuffer.allocate(64).position(3);
    EthernetFlyweight.write(frame, 3, to, 5, EthernetFlyweight.TYPE_XIP);
    frame.putInt(17, number).limit(40);
    receiver.frame(frame);
    frame.putInt(17, -1); // the link's own buffer is used again
  }

  @Test
  void broadcastsWaitForWhatIsSaidToTheGuest() {
    arrives(EthernetFlyweight.BROADCAST, 1);
    arrives(OWN, 2);
    arrives(EthernetFlyweight.BROADCAST, 3);
    arrives(EthernetFlyweight.BROADCAST, URGENT);
    loop.run(Duration.ofMillis(99));
    assertThat(taken).containsExactly(2, URGENT);

    loop.run(Duration.ofMillis(2));
    assertThat(taken).containsExactly(2, URGENT, 1, 3);
  }

  @Test
  void onlySoManyWait() {
    for (int i = 0; i <= ClientsFirst.MOST_WAITING; i++) {
      arrives(EthernetFlyweight.BROADCAST, i);
    }
    assertThat(taken).containsExactly(ClientsFirst.MOST_WAITING);

    loop.run(Duration.ofMillis(101));
    assertThat(taken).hasSize(ClientsFirst.MOST_WAITING + 1);
  }

  @Test
  void whatIsNoFrameIsTheNodesBusiness() {
    receiver.frame(ByteBuffer.allocate(40).limit(22).position(3));

    assertThat(taken).containsExactly(0);
  }
}
