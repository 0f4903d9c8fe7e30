package io.xmig.xia.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Xid;
import io.xmig.xia.testkit.Topologies;
import io.xmig.xia.testkit.VirtualLoop;
import io.xmig.xia.wire.EthernetFlyweight;
import io.xmig.xia.wire.XarpFlyweight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class XarpTableTest {
  private static final Xid OWN = Topologies.hid(1);
  private static final Xid PEER = Topologies.hid(2);
  private static final long OWN_MAC = Topologies.mac(1, 1);
  private static final long PEER_MAC = Topologies.mac(2, 2);

  private final VirtualLoop loop = new VirtualLoop();
  private final NodeCounters counters = new NodeCounters();
  private final List<byte[]> out = new ArrayList<>();
  private final XarpTable table =
      new XarpTable(
          OWN,
          OWN_MAC,
          loop,
          counters,
          frame -> {
            byte[] bytes = new byte[frame.remaining()];
            frame.get(bytes);
            out.add(bytes);
          });

  private void send(int tag) {
    ByteBuffer frame = ByteBuffer.allocate(100);
    frame.put(50, (byte) tag);
    table.send(frame, 0, 100, table.neighbour(PEER));
  }

  private void reply(Xid of, long mac) {
    receive(XarpFlyweight.REPLY, mac, mac, of, OWN_MAC, OWN);
  }

  private void receive(int operation, long from, long mac, Xid of, long targetMac, Xid target) {
    int header = EthernetFlyweight.LENGTH;
    ByteBuffer message = ByteBuffer.allocate(header + XarpFlyweight.LENGTH);
    EthernetFlyweight.write(message, 0, OWN_MAC, from, EthernetFlyweight.TYPE_XARP);
    XarpFlyweight.write(message, header, operation, mac, of, targetMac, target);
    table.receive(message, header, message.limit());
  }

  private void learnTwice() {
    reply(PEER, PEER_MAC);
    reply(PEER, PEER_MAC);
  }

  private long questions() {
    return out.stream().filter(f -> f.length == 82).count();
  }

  private List<Integer> tagsSentTo(long mac) {
    List<Integer> tags = new ArrayList<>();
    for (byte[] frame : out) {
      ByteBuffer b = ByteBuffer.wrap(frame);
      if (frame.length == 100 && EthernetFlyweight.destination(b, 0) == mac) {
        tags.add((int) frame[50]);
      }
    }
    return tags;
  }

  @Test
  void keepsPacketsInOrderUntilTheAnswerComes() {
    send(1);
    send(2);
    send(3);
    assertThat(questions()).isEqualTo(1);
    reply(PEER, PEER_MAC);
    assertThat(tagsSentTo(PEER_MAC)).containsExactly(1, 2, 3);
    send(4);
    assertThat(tagsSentTo(PEER_MAC)).containsExactly(1, 2, 3, 4);
    assertThat(table.length()).isZero();
  }

  @Test
  void asksAtMostTenTimesASecond() {
    for (int i = 0; i < 1000; i++) {
      send(i);
      loop.run(Duration.ofMillis(1));
    }
    assertThat(questions()).isBetween(3L, 11L);
  }

  @Test
  void repeatsTheQuestionWhileAPacketWaitsAndThenGivesItUp() {
    send(1);
    loop.run(Duration.ofSeconds(10));
    assertThat(questions()).isBetween(4L, 8L);
    assertThat(table.length()).isZero();
    assertThat(counters.get(NodeCounter.DROP_XARP_TIMEOUT)).isEqualTo(1);
    assertThat(loop.isIdle()).isTrue();
  }

  @Test
  void refreshesAnOldEntryByAskingItsHostAndForgetsOneThatDoesNotAnswer() {
    send(1);
    learnTwice();
    loop.run(Duration.ofSeconds(61));
    out.clear();
    send(2);
    assertThat(tagsSentTo(PEER_MAC)).containsExactly(2);
    assertThat(questions()).isEqualTo(1);
    assertThat(EthernetFlyweight.destination(ByteBuffer.wrap(out.get(0)), 0)).isEqualTo(PEER_MAC);
    loop.run(Duration.ofSeconds(240));
    out.clear();
    send(3);
    assertThat(tagsSentTo(PEER_MAC)).isEmpty();
    assertThat(table.table()).isEmpty();
  }

  @Test
  void asksEverybodyForAHostThatNoLongerAnswersAtItsAddress() {
    send(1);
    learnTwice();
    loop.run(Duration.ofSeconds(61));
    send(2);
    loop.run(Duration.ofSeconds(3));
    out.clear();
    send(3);
    assertThat(tagsSentTo(PEER_MAC)).containsExactly(3);
    assertThat(EthernetFlyweight.destination(ByteBuffer.wrap(out.get(0)), 0))
        .isEqualTo(EthernetFlyweight.BROADCAST);
    reply(PEER, Topologies.mac(5, 5));
    send(4);
    assertThat(tagsSentTo(Topologies.mac(5, 5))).containsExactly(4);
  }

  @Test
  void believesNoReplyItDidNotAskFor() {
    reply(PEER, PEER_MAC);
    assertThat(table.table()).isEmpty();
    send(1);
    reply(PEER, PEER_MAC);
    loop.run(Duration.ofSeconds(10));
    reply(PEER, Topologies.mac(6, 6));
    assertThat(table.table()).contains(EthernetFlyweight.formatMac(PEER_MAC));
    assertThat(counters.get(NodeCounter.DROP_XARP)).isEqualTo(2);
  }

  @Test
  void believesAnAddressThatDiffersFromTheFramesOnlyWhenItIsRepeated() {
    long damaged = PEER_MAC ^ 0x40;
    send(1);
    receive(XarpFlyweight.REPLY, PEER_MAC, damaged, PEER, OWN_MAC, OWN);
    assertThat(tagsSentTo(damaged)).isEmpty();
    loop.run(Duration.ofMillis(150));
    assertThat(questions()).as("asks again at once").isEqualTo(2);
    reply(PEER, PEER_MAC);
    assertThat(tagsSentTo(PEER_MAC)).containsExactly(1);

    long proxied = Topologies.mac(7, 7);
    table.delete(PEER);
    send(2);
    receive(XarpFlyweight.REPLY, PEER_MAC, proxied, PEER, OWN_MAC, OWN);
    loop.run(Duration.ofMillis(150));
    receive(XarpFlyweight.REPLY, PEER_MAC, proxied, PEER, OWN_MAC, OWN);
    assertThat(tagsSentTo(proxied)).containsExactly(2);
  }

  @Test
  void aWrongAddressFromOneReplyIsLeftWithinSeconds() {
    long wrong = PEER_MAC ^ 0x40;
    send(1);
    reply(PEER, wrong);
    for (int i = 0; i < 50 && tagsSentTo(PEER_MAC).isEmpty(); i++) {
      loop.run(Duration.ofMillis(100));
      out.clear();
      send(2);
      boolean everybody =
          out.stream()
              .map(ByteBuffer::wrap)
              .filter(f -> f.limit() == 82)
              .anyMatch(f -> EthernetFlyweight.destination(f, 0) == EthernetFlyweight.BROADCAST);
      if (everybody) {
        reply(PEER, PEER_MAC);
        send(3);
      }
    }
    assertThat(tagsSentTo(PEER_MAC)).containsExactly(3);
    assertThat(loop.nanoTime()).isLessThan(3_000_000_000L);
  }

  @Test
  void believesNoReplyWithAGroupAddress() {
    send(1);
    reply(PEER, EthernetFlyweight.BROADCAST);
    assertThat(tagsSentTo(EthernetFlyweight.BROADCAST)).isEmpty();
    assertThat(table.length()).isEqualTo(1);
  }

  @Test
  void answersOnlyForItsOwnHost() {
    receive(XarpFlyweight.REQUEST, PEER_MAC, PEER_MAC, PEER, 0, Topologies.hid(3));
    assertThat(out).isEmpty();
    receive(XarpFlyweight.REQUEST, PEER_MAC, PEER_MAC, PEER, 0, OWN);
    assertThat(out).hasSize(1);
    assertThat(table.table()).as("nothing is learned from a request").isEmpty();
  }

  @Test
  void dropsWhatDoesNotFitInsteadOfGrowing() {
    for (int i = 0; i < XarpTable.CAPACITY_PER_HOST + 10; i++) {
      send(i);
    }
    assertThat(table.length()).isEqualTo(XarpTable.CAPACITY_PER_HOST);
    assertThat(counters.get(NodeCounter.DROP_XARP_QUEUE)).isEqualTo(10);
    for (int host = 0; host < 100; host++) {
      for (int i = 0; i < 100; i++) {
        table.send(ByteBuffer.allocate(100), 0, 100, table.neighbour(Topologies.hid(100 + host)));
      }
    }
    assertThat(table.length()).isEqualTo(XarpTable.CAPACITY_PACKETS);
  }

  @Test
  void boundsTheNumberOfHosts() {
    for (int i = 0; i < 2 * XarpTable.MAX_ENTRIES; i++) {
      table.neighbour(Topologies.hid(i));
    }
    assertThat(table.count()).isLessThanOrEqualTo(XarpTable.MAX_ENTRIES);
  }
}
