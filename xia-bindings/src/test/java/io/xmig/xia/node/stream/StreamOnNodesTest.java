package io.xmig.xia.node.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimLink;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.Topologies;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams on whole nodes, with routers between them, on the simulated network. */
class StreamOnNodesTest {
  private static final Duration LIMIT = Duration.ofMinutes(10);
  private static final Xid SERVICE = Topologies.sid(888);

  /**
   * Two domains, each with a router that has a free port, a host that stays in the first and one
   * that roams.
   */
  private static final class TwoDomains {
    final SimNetwork net;
    final LinkProfile profile;
    final XiaNode[] routers = new XiaNode[2];
    final XiaNode fixed;
    final XiaNode roaming;
    final XiaNode other;
    SimLink access;
    int at = 1;

    TwoDomains(SimNetwork net, LinkProfile profile) {
      this.net = net;
      this.profile = profile;
      for (int i = 0; i < 2; i++) {
        routers[i] =
            net.add(
                Topologies.routerConfig(
                    "router" + i,
                    Topologies.ad(i),
                    Topologies.rhid(i),
                    Topologies.mac(i, 0x20),
                    Topologies.mac(i, 0x21),
                    Topologies.mac(i, 0x22)));
      }
      fixed = host("fixed", 0, 1);
      other = host("other", 1, 2);
      roaming = host("roaming", 1, 3);
      net.link(routers[0], 1, routers[1], 1, profile);
      Topologies.domain(routers[0], Topologies.ad(1), 1, routers[1]);
      Topologies.domain(routers[1], Topologies.ad(0), 1, routers[0]);
      attach(fixed, 0, 0);
      attach(other, 1, 0);
      access = attach(roaming, 1, 2);
    }

    private XiaNode host(String name, int domain, int number) {
      NodeConfig config =
          Topologies.hostConfig(
              name, Topologies.ad(domain), Topologies.hid(number), Topologies.mac(number, 0x10));
      return net.add(config);
    }

    private SimLink attach(XiaNode host, int domain, int port) {
      SimLink link = net.link(host, 0, routers[domain], port, profile);
      Topologies.join(host, routers[domain]);
      Topologies.host(routers[domain], host, port);
      return link;
    }

    /** Takes the roaming host to the other domain; the old router is not told. */
    void roam() {
      access.unplug();
      at = 1 - at;
      access = attach(roaming, at, 2);
      roaming.moveTo(Topologies.ad(at), null);
      Topologies.join(roaming, routers[at]);
    }
  }

  /** A transfer between two nodes with checked contents both ways. */
  private static final class Transfer {
    final SimNetwork net;
    final Pump client;
    final Pump server;

    Transfer(SimNetwork net, XiaNode from, XiaNode to, long up, long down) {
      this.net = net;
      client = new Pump(net.seed(), up, ~net.seed());
      server = new Pump(~net.seed(), down, net.seed());
      net.await(net.stack(to).listen(SERVICE, 8, c -> server.start(c)));
      Dag remote = to.localAddress().service(SERVICE);
      net.await(
          net.stack(from)
              .connect(remote, Duration.ofSeconds(30), client)
              .thenAccept(client::start));
    }

    boolean finish() {
      return net.runUntil(() -> client.closed && server.closed, LIMIT);
    }

    void assertComplete(long up, long down) {
      assertThat(client.cause).isNull();
      assertThat(server.cause).isNull();
      assertThat(server.read).isEqualTo(up);
      assertThat(client.read).isEqualTo(down);
      assertThat(client.identical && server.identical).isTrue();
    }
  }

  private static LinkProfile nasty(long seed) {
    SplittableRandom chance = new SplittableRandom(seed);
    LinkProfile profile =
        LinkProfile.delay(Duration.ofNanos(chance.nextInt(50_000, 8_000_000)))
            .withJitter(Duration.ofNanos(chance.nextInt(1_000_000)))
            .withLoss(chance.nextDouble() * 0.03)
            .withReorder(chance.nextDouble() * 0.03, Duration.ofMillis(chance.nextInt(1, 20)))
            .withDuplicate(chance.nextDouble() * 0.02)
            .withCorrupt(chance.nextDouble() * 0.01);
    return chance.nextBoolean()
        ? profile.withRate(chance.nextInt(4_000_000, 200_000_000), chance.nextInt(20_000, 500_000))
        : profile;
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void everyByteArrivesOverNastyLinksThroughRouters(long seed) {
    SimNetwork net = new SimNetwork(seed);
    TwoDomains at = new TwoDomains(net, nasty(seed));
    Transfer transfer = new Transfer(net, at.fixed, at.other, 150_000, 60_000);
    assertThat(transfer.finish()).isTrue();
    transfer.assertComplete(150_000, 60_000);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void everyByteArrivesWhileTheServerRoamsBetweenDomains(long seed) {
    SimNetwork net = new SimNetwork(seed);
    TwoDomains at = new TwoDomains(net, nasty(seed));
    Transfer transfer = new Transfer(net, at.fixed, at.roaming, 800_000, 200_000);
    SplittableRandom chance = new SplittableRandom(seed);
    for (int i = 0; i < 4; i++) {
      net.run(Duration.ofMillis(chance.nextInt(1, 400)));
      at.roam();
    }
    assertThat(transfer.finish()).isTrue();
    transfer.assertComplete(800_000, 200_000);
  }

  /** A damaged XARP reply; a request whose damaged destination became the server's address. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {674, 1159, 1810, 5394})
  void seedsThatOnceFailedArriveThroughRouters(long seed) {
    everyByteArrivesOverNastyLinksThroughRouters(seed);
  }

  /** The last acknowledgement was lost in the move of an end that had nothing left to say. */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {333, 542, 844, 887})
  void seedsThatOnceFailedArriveWhileTheServerRoams(long seed) {
    everyByteArrivesWhileTheServerRoamsBetweenDomains(seed);
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    long[] digests = new long[2];
    for (int i = 0; i < 2; i++) {
      SimNetwork net = new SimNetwork(42);
      TwoDomains at = new TwoDomains(net, nasty(42));
      Transfer transfer = new Transfer(net, at.fixed, at.roaming, 200_000, 100_000);
      at.roam();
      assertThat(transfer.finish()).isTrue();
      digests[i] = net.digest();
    }
    assertThat(digests[0]).isEqualTo(digests[1]);
  }

  @Test
  void aHandoffCostsAFewRoundTrips() {
    SimNetwork net = new SimNetwork(1);
    TwoDomains at = new TwoDomains(net, LinkProfile.delayMs(5).withRate(100_000_000, 500_000));
    Transfer transfer = new Transfer(net, at.fixed, at.roaming, 20_000_000, 0);
    net.run(Duration.ofMillis(800));
    at.roam();
    long moved = net.loop().nanoTime();
    long before = transfer.server.read;
    assertThat(net.runUntil(() -> transfer.server.read > before + 100_000, Duration.ofSeconds(5)))
        .isTrue();
    // One way 10 ms after the move (fixed – router – roaming), plus XARP on the new link.
    assertThat(net.loop().nanoTime() - moved).isLessThan(150_000_000L);
    assertThat(transfer.finish()).isTrue();
    transfer.assertComplete(20_000_000, 0);
  }

  @Test
  void aMachineThatIsStoppedForAWhileGoesOnWhereItIsPluggedInAgain() {
    SimNetwork net = new SimNetwork(1);
    Topologies.IntraAd at =
        Topologies.intraAd(net, LinkProfile.delayMs(1).withRate(100_000_000, 300_000));
    Transfer transfer = new Transfer(net, at.hostC(), at.vm(), 10_000_000, 0);
    net.run(Duration.ofMillis(300));
    at.stopVm();
    net.run(Duration.ofMillis(1_700));
    at.startVm(true);
    at.repointVm(true);
    long started = net.loop().nanoTime();
    long before = transfer.server.read;
    assertThat(net.runUntil(() -> transfer.server.read > before, Duration.ofSeconds(5))).isTrue();
    assertThat(net.loop().nanoTime() - started)
        .as("the longest pause between probes")
        .isLessThan(StreamOptions.defaults().maxBackoffNs() + 100_000_000L);
    assertThat(transfer.finish()).isTrue();
    transfer.assertComplete(10_000_000, 0);
  }

  @Test
  void aRouterThatKnowsNoWayMakesAnUnreachableDestination() {
    SimNetwork net = new SimNetwork(1);
    TwoDomains at = new TwoDomains(net, LinkProfile.delayMs(1));
    Dag nowhere = Dag.path(Topologies.ad(9), Topologies.hid(9), SERVICE);
    var connecting =
        net.stack(at.fixed).connect(nowhere, Duration.ofSeconds(30), new StreamLifeTest.Ending());
    org.assertj.core.api.Assertions.assertThatThrownBy(() -> net.await(connecting))
        .isInstanceOfSatisfying(
            XiaSocketException.class,
            e -> assertThat(e.kind()).isEqualTo(XiaSocketException.Kind.UNREACHABLE));
    assertThat(net.loop().nanoTime()).isLessThan(4_000_000_000L);
  }

  @Test
  void aHostWithoutTheServiceRefuses() {
    SimNetwork net = new SimNetwork(1);
    TwoDomains at = new TwoDomains(net, LinkProfile.delayMs(1));
    var connecting =
        net.stack(at.fixed)
            .connect(
                at.other.localAddress().service(SERVICE),
                Duration.ofSeconds(30),
                new StreamLifeTest.Ending());
    org.assertj.core.api.Assertions.assertThatThrownBy(() -> net.await(connecting))
        .isInstanceOfSatisfying(
            XiaSocketException.class,
            e -> assertThat(e.kind()).isEqualTo(XiaSocketException.Kind.REFUSED));
  }

  @Test
  void aConnectionToAServiceOfTheSameNodeWorks() {
    SimNetwork net = new SimNetwork(1);
    TwoDomains at = new TwoDomains(net, LinkProfile.delayMs(1));
    Transfer transfer = new Transfer(net, at.fixed, at.fixed, 5_000_000, 5_000_000);
    assertThat(transfer.finish()).isTrue();
    transfer.assertComplete(5_000_000, 5_000_000);
  }

  @Test
  void theSmallestMtuOnTheWayIsFound() {
    SimNetwork net = new SimNetwork(1);
    Topologies.Chain chain =
        Topologies.chain(
            net, 2, LinkProfile.delayMs(2).withMtu(1_500), config -> config.withMtu(9_000));
    Transfer transfer = new Transfer(net, chain.host0(), chain.host1(), 3_000_000, 0);
    long start = net.loop().nanoTime();
    assertThat(transfer.finish()).isTrue();
    transfer.assertComplete(3_000_000, 0);
    assertThat(net.loop().nanoTime() - start).isLessThan(5_000_000_000L);
  }
}
