package io.xmig.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.guest.GuestFollower;
import io.xmig.adapt.lab.Attacker;
import io.xmig.adapt.lab.Domains;
import io.xmig.adapt.lab.TestKeys;
import io.xmig.adapt.route.HostRoutes;
import io.xmig.adapt.signal.Location;
import io.xmig.adapt.trust.Delegation;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.names.NameClient;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimLink;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.wire.EthernetFlyweight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A guest without an agent that never notices it moves: its hosts speak for it. */
class GuestFollowerTest {
  private final List<GuestFollower> followers = new ArrayList<>();

  private static Domains twoDomains(long seed) {
    Domains lab =
        new Domains(new SimNetwork(seed), 3, LinkProfile.delay(Duration.ofNanos(100_000)));
    lab.chain(LinkProfile.delayMs(1 + seed % 10));
    lab.start();
    lab.agent.close();
    return lab;
  }

  /** What an operator configures once: the home domain's address and gateway. */
  private static void configureGuest(Domains lab) {
    Xid gateway = lab.domains.get(0).routerKey.identity().hid();
    lab.net.await(lab.vmStack.updateAd(lab.domains.get(0).ad, null));
    for (XidType type : List.of(XidType.AD, XidType.HID, XidType.IP)) {
      lab.vm.routes(type).setDefault(0, gateway, 0);
    }
  }

  private GuestFollower followerAt(Domains lab, int domain, List<Xid> former) {
    return followerAt(
        lab,
        domain,
        former,
        Delegation.issue(
            lab.vmKey,
            lab.domains.get(domain).hostKey.identity(),
            Delegation.SCOPE_LOCATION | Delegation.SCOPE_NAMES,
            0,
            lab.epochMicros() / 1_000_000 + 3600));
  }

  private GuestFollower followerAt(Domains lab, int domain, List<Xid> former, Delegation leave) {
    Domains.Domain at = lab.domains.get(domain);
    Domains.Domain home = lab.domains.get(0);
    long homeMac = home.router.config().ports().get(1).mac();
    AgentConfig config =
        AgentConfig.signed(at.hostKey, lab.trust)
            .withNames(Map.of(Domains.NAME, Domains.SERVICE))
            .withMac(Domains.VM_MAC)
            .withSigner(at.hostKey, leave)
            .withGuest(
                new AgentConfig.Guest(
                    lab.vmKey.identity().hid(),
                    List.of(new Location.Home(home.routerKey.identity().hid(), homeMac)),
                    false))
            .withFormerAds(former);
    GuestFollower follower =
        new GuestFollower(
            config,
            changed ->
                new Agent(
                    at.hostStack,
                    changed,
                    TestKeys.verifier(),
                    lab.net.newRandom(),
                    lab::epochMicros));
    followers.add(follower);
    return follower;
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void itIsReachedAndAnswersByItsOldAddressFromWhereverItIs(long seed) {
    Domains lab = twoDomains(seed);
    configureGuest(lab);
    GuestFollower follower = followerAt(lab, 0, List.of());
    lab.resumeVm(0);
    lab.net.run(Duration.ofMillis(1)); // the RARP tells the gateway the port
    lab.net.await(follower.running());
    lab.net.run(Duration.ofSeconds(1));
    assertThat(echoed(lab, 2, 0)).as("at home").isTrue();

    for (int to : new int[] {1, 2, 0, 2}) {
      follower.stopped();
      lab.stopVm();
      GuestFollower next = followerAt(lab, to, follower.domains());
      lab.net.run(Duration.ofMillis(200));
      long resumedNs = lab.net.loop().nanoTime();
      int from = lab.vmAt;
      lab.resumeVm(to);
      staleGatewayAddress(lab);
      lab.net.await(next.running());
      assertThat(lab.net.runUntil(() -> redirects(lab, from), Duration.ofSeconds(3))).isTrue();
      assertThat(Duration.ofNanos(lab.net.loop().nanoTime() - resumedNs))
          .isLessThan(Duration.ofMillis(6 + 2 * (1 + seed % 10) * Math.abs(to - from)));
      lab.net.run(Duration.ofSeconds(1));
      assertThat(next.agent().machine().waitingFor()).isEqualTo("nothing");
      for (int client = 0; client < 3; client++) {
        assertThat(echoed(lab, client, 0)).as("in %d, asked from %d", to, client).isTrue();
        assertThat(lab.reaches(client, to)).as("by its new address, from %d", client).isTrue();
      }
      assertThat(
              lab.net.await(
                  new NameClient(lab.domains.get(1).hostStack)
                      .lookup(Domains.NAME, Duration.ofSeconds(3))))
          .isEqualTo(lab.vmDag(to));
      follower = next;
    }
  }

  /** The guest goes on sending to the Ethernet address of its home gateway. */
  private static void staleGatewayAddress(Domains lab) {
    Domains.Domain home = lab.domains.get(0);
    lab.net.await(
        lab.vmStack.writeHandler(
            "./xlc/xarpq.insert",
            home.routerKey.identity().hid()
                + " "
                + EthernetFlyweight.formatMac(home.router.config().ports().get(1).mac())));
  }

  private static boolean redirects(Domains lab, int domain) {
    HostRoutes.Host host = lab.domains.get(domain).gateway.host(lab.vmKey.identity().hid());
    return host != null && host.basis() == HostRoutes.Basis.REPOINTED;
  }

  /** Whether a question to the guest's address in a domain is answered. */
  private static boolean echoed(Domains lab, int from, int addressDomain) {
    Xid sid = Xid.parse("SID:" + "e".repeat(40));
    boolean[] answered = {false};
    DatagramSocket[] guest = new DatagramSocket[1];
    guest[0] =
        lab.net.await(
            lab.vmStack.openDatagram(
                sid, (source, payload, port) -> guest[0].send(source, ByteBuffer.allocate(1))));
    DatagramSocket client =
        lab.net.await(
            lab.domains
                .get(from)
                .hostStack
                .openDatagram(null, (source, payload, port) -> answered[0] = true));
    client.send(
        Dag.path(lab.domains.get(addressDomain).ad, lab.vmKey.identity().hid(), sid),
        ByteBuffer.allocate(1));
    lab.net.runUntil(() -> answered[0], Duration.ofSeconds(2));
    guest[0].close();
    client.close();
    return answered[0];
  }

  @Test
  void itStaysWhereItIsWhileItsHostRefreshesTheRegistration() {
    Domains lab = twoDomains(1);
    configureGuest(lab);
    GuestFollower follower = followerAt(lab, 0, List.of());
    lab.resumeVm(0);
    lab.net.run(Duration.ofMillis(1));
    lab.net.await(follower.running());
    lab.net.run(Duration.ofSeconds(90)); // long after QEMU announced it, and longer than it lives
    assertThat(lab.domains.get(0).gateway.host(lab.vmKey.identity().hid()).route().port())
        .as("the guest's port, not its host's")
        .isEqualTo(1);
    lab.domains.get(0).router.linkEvent(new LinkEvent(LinkEvent.Kind.RARP, 2, Domains.VM_MAC));
    lab.net.run(Duration.ofSeconds(30));
    assertThat(lab.domains.get(0).gateway.host(lab.vmKey.identity().hid()).route().port())
        .as("after somebody else announced its Ethernet address")
        .isEqualTo(1);
    assertThat(echoed(lab, 2, 0)).isTrue();
  }

  @Test
  void aLeaveThatHasRunOutOrIsForAnotherKeyOrPurposeIsRefused() {
    Domains lab = twoDomains(1);
    configureGuest(lab);
    Domains.Domain at = lab.domains.get(0);
    long nowS = lab.epochMicros() / 1_000_000;
    int both = Delegation.SCOPE_LOCATION | Delegation.SCOPE_NAMES;
    lab.resumeVm(0);
    lab.net.run(Duration.ofMillis(1));
    List<Delegation> useless =
        List.of(
            Delegation.issue(lab.vmKey, at.hostKey.identity(), both, 0, nowS - 1),
            Delegation.issue(lab.vmKey, at.hostKey.identity(), both, nowS + 3600, nowS + 7200),
            Delegation.issue(
                lab.vmKey, at.hostKey.identity(), Delegation.SCOPE_NAMES, 0, nowS + 3600),
            Delegation.issue(
                lab.vmKey, lab.domains.get(1).hostKey.identity(), both, 0, nowS + 3600));
    for (Delegation leave : useless) {
      GuestFollower follower = followerAt(lab, 0, List.of(), leave);
      lab.net.await(follower.running());
      lab.net.run(Duration.ofSeconds(3));
      assertThat(at.gateway.host(lab.vmKey.identity().hid())).isNull();
      assertThat(follower.agent().machine().waitingFor()).contains("confirm the registration");
      follower.stopped();
    }
    assertThat(at.gateway.refusals().counts().get("delegation")).isGreaterThan(3);
    GuestFollower follower = followerAt(lab, 0, List.of());
    lab.net.await(follower.running());
    lab.net.run(Duration.ofSeconds(3));
    assertThat(at.gateway.host(lab.vmKey.identity().hid())).isNotNull();
    lab.net.run(Duration.ofHours(1)); // the leave runs out
    lab.net.run(Duration.ofSeconds(120));
    assertThat(at.gateway.host(lab.vmKey.identity().hid())).as("after its end").isNull();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void itIsFoundAfterAnyTroubleOnTheWay(long seed) {
    Domains lab = twoDomains(seed);
    configureGuest(lab);
    SplittableRandom random = new SplittableRandom(seed);
    List<SimLink> wan = List.of(lab.domains.get(0).links.get(0), lab.domains.get(2).links.get(0));
    LinkProfile good = LinkProfile.delayMs(1 + seed % 10);
    LinkProfile bad =
        good.withLoss(random.nextDouble() * 0.3)
            .withReorder(random.nextDouble() * 0.2, Duration.ofMillis(20))
            .withDuplicate(random.nextDouble() * 0.2);
    Attacker attacker = new Attacker(lab, random.nextInt(3), lab.net.newRandom());
    GuestFollower follower = followerAt(lab, 0, List.of());
    lab.resumeVm(0);
    lab.net.run(Duration.ofMillis(1));
    lab.net.await(follower.running());
    lab.net.run(Duration.ofSeconds(1));
    wan.forEach(link -> link.profile(bad));
    for (int move = 1 + random.nextInt(4); move > 0; move--) {
      switch (random.nextInt(4)) {
        case 0 -> {
          SimLink link = wan.get(random.nextInt(2));
          link.cut();
          lab.net.loop().schedule(random.nextInt(5000) * 1_000_000L, link::heal);
        }
        case 1 -> {
          Domains.Domain d = lab.domains.get(random.nextInt(3));
          d.gateway.close();
          d.gateway = lab.newGateway(d, g -> g);
          lab.net.await(d.gateway.start());
        }
        default -> {
          // a quiet stretch
        }
      }
      follower.stopped();
      lab.stopVm();
      pass(lab, attacker, random.nextInt(200));
      int to = random.nextInt(3);
      GuestFollower next = followerAt(lab, to, follower.domains());
      lab.resumeVm(to);
      if (random.nextBoolean()) {
        lab.net.run(Duration.ofMillis(1));
      }
      lab.net.await(next.running());
      follower = next;
      pass(lab, attacker, random.nextInt(3) == 0 ? random.nextInt(30) : random.nextInt(4000));
    }
    wan.forEach(
        link -> {
          link.heal();
          link.profile(good);
        });
    GuestFollower last = follower;
    assertThat(
            lab.net.runUntil(
                () -> last.agent().machine().waitingFor().equals("nothing"),
                Duration.ofSeconds(60)))
        .as(last.agent().machine().waitingFor())
        .isTrue();
    lab.net.run(Duration.ofSeconds(5));
    for (int client = 0; client < 3; client++) {
      assertThat(lab.reaches(client, lab.vmAt)).as("from %d, in %d", client, lab.vmAt).isTrue();
    }
    assertThat(attacker.stolen()).as("packets that reached the attacker").isZero();
  }

  private static void pass(Domains lab, Attacker attacker, int ms) {
    for (int left = ms; left >= 0; left -= 50) {
      attacker.strike();
      lab.probe(0, lab.vmAt);
      lab.net.run(Duration.ofMillis(Math.min(50, left)));
    }
  }
}
