package io.xmig.xia.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class UdpLinkTest {
  private final NodeLoop loop = NodeLoop.start("udp");

  @AfterEach
  void close() {
    loop.close();
  }

  private UdpLink open(Inet4Address at, int port, int peerPort, int mtu) throws Exception {
    return loop.call(
            () -> {
              UdpLink link =
                  UdpLink.open(loop, "u", LinkOptions.ofMtu(mtu), at, port, at, peerPort);
              loop.own(link);
              return link;
            })
        .get(60, TimeUnit.SECONDS);
  }

  @Test
  void carriesOneFramePerDatagramBothWaysAndToleratesAnAbsentPeer() throws Exception {
    Inet4Address at = (Inet4Address) InetAddress.getByName("127.0.0.1");
    try (DatagramSocket plain = new DatagramSocket(0, at)) {
      plain.setSoTimeout(60_000);
      List<Integer> heard = Collections.synchronizedList(new ArrayList<>());
      UdpLink link = open(at, 0, plain.getLocalPort(), 1500);
      loop.execute(
          () -> {
            link.receiver(frame -> heard.add(frame.getInt(frame.position() + 14)));
            for (int i = 0; i < 100; i++) {
              link.frame(UnixLinkTest.numbered(i, 100 + i));
            }
          });
      DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
      for (int i = 0; i < 100; i++) {
        plain.receive(packet);
        assertThat(packet.getLength()).isEqualTo(100 + i);
        assertThat(packet.getPort()).isEqualTo(link.localPort());
      }
      byte[] frame = UnixLinkTest.numbered(77, 90).array();
      plain.send(new DatagramPacket(frame, frame.length, at, link.localPort()));
      plain.send(new DatagramPacket(new byte[1600], 1600, at, link.localPort())); // too long
      await().until(() -> heard.equals(List.of(77)));
      await().until(() -> link.counters().oversizeDrops() == 1);
      plain.close();
      for (int i = 0; i < 10; i++) {
        loop.call(
                () -> {
                  link.frame(UnixLinkTest.numbered(1, 64));
                  return 0;
                })
            .get(60, TimeUnit.SECONDS);
      }
      await().until(() -> link.counters().framesOut() == 110);
    }
  }

  @Test
  void theClockIsNotBehindWhatHasComeWhileATurnWasHeldUp() throws Exception {
    Inet4Address at = (Inet4Address) InetAddress.getByName("127.0.0.1");
    int frames = 100; // more than one call to the kernel brings
    try (DatagramSocket plain = new DatagramSocket(0, at)) {
      UdpLink link = open(at, 0, plain.getLocalPort(), 1500);
      AtomicLong heldUpUntil = new AtomicLong();
      AtomicLong seenByLast = new AtomicLong();
      AtomicInteger heard = new AtomicInteger();
      // the loop may read the first frames before it has been told whom they are for
      CountDownLatch heldUp = new CountDownLatch(1);
      CountDownLatch allSent = new CountDownLatch(1);
      loop.execute(
          () -> {
            link.receiver(
                frame -> {
                  if (heard.getAndIncrement() == 0) {
                    sleep(20);
                    heldUpUntil.set(System.nanoTime());
                  }
                  seenByLast.set(loop.nanoTime());
                });
            heldUp.countDown();
            awaitUp(allSent);
          });
      awaitUp(heldUp);
      byte[] frame = UnixLinkTest.numbered(1, 90).array();
      for (int i = 0; i < frames; i++) {
        plain.send(new DatagramPacket(frame, frame.length, at, link.localPort()));
      }
      allSent.countDown();
      await().until(() -> heard.get() == frames);
      assertThat(seenByLast.get()).isGreaterThanOrEqualTo(heldUpUntil.get());
    }
  }

  @Test
  void refusesAnMtuThatADatagramCannotCarry() throws Exception {
    Inet4Address at = (Inet4Address) InetAddress.getByName("127.0.0.1");
    assertThatThrownBy(() -> open(at, 0, 9, 65_535)).hasMessageContaining("65493");
  }

  @Test
  void saysThatAPortIsInUse() throws Exception {
    Inet4Address at = (Inet4Address) InetAddress.getByName("127.0.0.1");
    UdpLink first = open(at, 0, 9, 1500);
    assertThatThrownBy(() -> open(at, first.localPort(), 9, 1500))
        .hasMessageContaining("EADDRINUSE");
  }

  private static void sleep(long millis) {
    try {
      TimeUnit.MILLISECONDS.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void awaitUp(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
