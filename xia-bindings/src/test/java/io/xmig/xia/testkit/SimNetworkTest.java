package io.xmig.xia.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.node.FrameSink;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.StreamConnection;
import io.xmig.xia.socket.StreamListener;
import io.xmig.xia.testkit.SimLink.Fate;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SimNetworkTest {
  private final SimNetwork net = new SimNetwork(3);
  private final Probe a = new Probe("a");
  private final Probe b = new Probe("b");

  /** A station that keeps what it gets. */
  private final class Probe implements SimStation {
    private final String name;
    final List<byte[]> frames = new ArrayList<>();
    final List<Long> timesMs = new ArrayList<>();
    @Nullable FrameSink out;

    Probe(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public void receive(int port, ByteBuffer frame) {
      byte[] bytes = new byte[frame.remaining()];
      frame.get(bytes);
      frames.add(bytes);
      timesMs.add(net.loop().nanoTime() / 1_000_000);
    }

    @Override
    public void plug(int port, @Nullable FrameSink sink) {
      out = sink;
    }

    void send(int tag, int length) {
      ByteBuffer frame = ByteBuffer.allocate(length);
      frame.put(20, (byte) tag);
      out.frame(frame);
    }

    List<Integer> tags() {
      return frames.stream().map(f -> (int) f[20]).toList();
    }
  }

  @Test
  void aFrameTakesTheDelayAndItsOwnLengthAtTheRate() {
    net.link(a, 0, b, 0, LinkProfile.delayMs(10).withRate(8_000_000, 100_000));
    a.send(1, 1000);
    a.send(2, 1000);
    net.run(Duration.ofSeconds(1));
    assertThat(b.timesMs).containsExactly(11L, 12L);
  }

  @Test
  void whatDoesNotFitTheQueueIsLost() {
    SimLink link = net.link(a, 0, b, 0, LinkProfile.delayMs(1).withRate(8_000_000, 3000));
    for (int i = 0; i < 10; i++) {
      a.send(i, 1000);
    }
    net.run(Duration.ofSeconds(1));
    assertThat(b.tags()).containsExactly(0, 1, 2);
    assertThat(link.count(Fate.QUEUE_FULL)).isEqualTo(7);
  }

  @Test
  void jitterKeepsTheOrderAndReorderingDoesNot() {
    SimLink link = net.link(a, 0, b, 0, LinkProfile.delayMs(5).withJitter(Duration.ofMillis(20)));
    sendEvery(Duration.ofMillis(1), 100);
    assertThat(b.tags()).hasSize(100).isSorted();
    b.frames.clear();
    link.profile(LinkProfile.delayMs(5).withReorder(0.2, Duration.ofMillis(20)));
    sendEvery(Duration.ofMillis(1), 100);
    assertThat(b.tags()).hasSize(100).isNotEqualTo(b.tags().stream().sorted().toList());
  }

  private void sendEvery(Duration pause, int count) {
    for (int i = 0; i < count; i++) {
      a.send(i, 100);
      net.run(pause);
    }
    net.run(Duration.ofSeconds(1));
  }

  @Test
  void losesDuplicatesAndCorruptsAboutAsOftenAsTold() {
    SimLink link = net.link(a, 0, b, 0, LinkProfile.delayMs(1).withLoss(0.1));
    sendEvery(Duration.ofMillis(1), 5000);
    assertThat(b.frames.size()).isBetween(4350, 4650);
    b.frames.clear();
    link.profile(LinkProfile.delayMs(1).withDuplicate(0.1));
    sendEvery(Duration.ofMillis(1), 5000);
    assertThat(b.frames.size()).isBetween(5350, 5650);
    b.frames.clear();
    link.profile(LinkProfile.delayMs(1).withCorrupt(0.1));
    for (int i = 0; i < 5000; i++) {
      a.send(0, 100);
    }
    net.run(Duration.ofSeconds(1));
    byte[] sent = new byte[100];
    assertThat(b.frames.stream().filter(f -> !Arrays.equals(f, sent)).count())
        .isBetween(350L, 650L);
  }

  @Test
  void aCutLosesFramesUnderWayUntilItHeals() {
    SimLink link = net.link(a, 0, b, 0, LinkProfile.delayMs(10));
    a.send(1, 100);
    net.run(Duration.ofMillis(5));
    link.cut();
    a.send(2, 100);
    link.heal();
    a.send(3, 100);
    net.run(Duration.ofSeconds(1));
    assertThat(b.tags()).containsExactly(3);
    assertThat(link.count(Fate.CUT)).isEqualTo(2);
  }

  @Test
  void framesBeyondTheMtuAndFilteredOnesAreLost() {
    SimLink link = net.link(a, 0, b, 0, LinkProfile.delayMs(1).withMtu(1000));
    link.filter((from, frame) -> from != b);
    a.send(1, 1014);
    a.send(2, 1015);
    b.send(3, 100);
    net.run(Duration.ofSeconds(1));
    assertThat(b.tags()).containsExactly(1);
    assertThat(a.tags()).isEmpty();
    assertThat(link.count(Fate.TOO_BIG)).isEqualTo(1);
    assertThat(link.count(Fate.FILTERED)).isEqualTo(1);
  }

  @Test
  void aFutureThatNeverCompletesIsReportedWithTheSeed() {
    assertThatThrownBy(() -> net.await(new CompletableFuture<Void>(), Duration.ofSeconds(1)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("seed 3");
  }

  @Test
  void everyFrameLeavesALineInTheTrace() {
    List<String> lines = new ArrayList<>();
    net.trace(lines::add);
    Topologies.TwoHosts at = Topologies.twoHosts(net, LinkProfile.delayMs(1));
    DatagramSocket socket =
        net.await(net.stack(at.host0()).openDatagram(null, (source, payload, port) -> {}));
    socket.send(at.host1().localAddress().service(Topologies.sid(1)), ByteBuffer.allocate(3));
    net.run(Duration.ofSeconds(1));
    assertThat(lines.get(0)).contains("host0:0-router0:0 > DELIVERED", "9990");
    assertThat(lines).anyMatch(line -> line.contains("c0de") && line.contains("nxt 60 hlim 248"));
  }

  /** The machine of the testbed moves while a client reads from a service in it. */
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void aStreamOutlivesTheMoveOfItsMachineToAnotherHost(long seed) {
    SimNetwork run = new SimNetwork(seed);
    Topologies.IntraAd at = Topologies.intraAd(run, LinkProfile.delayMs(1).withLoss(0.01));
    NodeStack vm = run.stack(at.vm());
    StreamListener service =
        run.await(
            vm.listen(
                Topologies.sid(1),
                4,
                connection -> new ByteFlow(2, 3_000_000, 1).start(connection)));
    ByteFlow client = new ByteFlow(1, 1000, 2);
    StreamConnection connection =
        run.await(
            run.stack(at.hostC()).connect(service.localDag(), Duration.ofSeconds(30), client));
    client.start(connection);
    boolean toB = true;
    for (int move = 0; move < 4; move++) {
      run.run(Duration.ofMillis(30 + seed % 50));
      at.stopVm();
      run.run(Duration.ofMillis(300));
      at.startVm(toB);
      at.repointVm(toB);
      toB = !toB;
    }
    assertThat(run.runUntil(client::sawEnd, Duration.ofMinutes(5))).isTrue();
    assertThat(client.bytesRead()).isEqualTo(3_000_000);
    assertThat(client.isIntact()).isTrue();
  }
}
