package io.xmig.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.guest.GuestFollower;
import io.xmig.adapt.lab.Domains;
import io.xmig.adapt.lab.TestKeys;
import io.xmig.adapt.route.HostRoutes;
import io.xmig.adapt.signal.Location;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.trust.Delegation;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.names.NameClient;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimLink;
import io.xmig.xia.testkit.SimNetwork;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A guest with an agent whose hosts have leave to speak for it: the host says where it is, the
 * agent does the rest when it has the time.
 */
class HostSpeaksFirstTest {
  private static final Xid ECHO = Xid.parse("SID:" + "e".repeat(40));

  private static Domains domains(long seed) {
    Domains lab =
        new Domains(new SimNetwork(seed), 3, LinkProfile.delay(Duration.ofNanos(100_000)), true);
    lab.chain(LinkProfile.delayMs(1 + seed % 10));
    lab.plugVm(0);
    lab.start();
    lab.restartAgent(config -> config.withDelegated(true));
    lab.net.run(Duration.ofSeconds(2));
    assertThat(lab.settled()).isTrue();
    return lab;
  }

  private static GuestFollower followerAt(Domains lab, int domain) {
    return followerAt(lab, domain, () -> {});
  }

  private static GuestFollower followerAt(Domains lab, int domain, Runnable plugIn) {
    Domains.Domain at = lab.domains.get(domain);
    List<Location.Home> homes = new ArrayList<>();
    List<Xid> former = new ArrayList<>();
    for (Domains.Domain other : lab.domains) {
      if (other != at) {
        former.add(other.ad);
        homes.add(
            new Location.Home(
                other.routerKey.identity().hid(), other.router.config().ports().get(0).mac()));
      }
    }
    Delegation leave =
        Delegation.issue(
            lab.vmKey,
            at.hostKey.identity(),
            Delegation.SCOPE_LOCATION | Delegation.SCOPE_NAMES,
            0,
            lab.epochMicros() / 1_000_000 + 3600);
    AgentConfig config =
        AgentConfig.signed(at.hostKey, lab.trust)
            .withNames(Map.of(Domains.NAME, Domains.SERVICE))
            .withMac(Domains.VM_MAC)
            .withSigner(at.hostKey, leave)
            .withGuest(new AgentConfig.Guest(lab.vmKey.identity().hid(), homes, true))
            .withFormerAds(former);
    return new GuestFollower(
        config,
        changed ->
            new Agent(
                at.hostStack, changed, TestKeys.verifier(), lab.net.newRandom(), lab::epochMicros),
        plugIn);
  }

  private static HostRoutes.Host registration(Domains lab) {
    HostRoutes.Host host = lab.domains.get(lab.vmAt).gateway.host(lab.vmKey.identity().hid());
    return host != null && host.basis() == HostRoutes.Basis.REGISTERED ? host : null;
  }

  private static boolean saidByHost(HostRoutes.Host host) {
    return (Location.of(host.statement()).flags() & Location.FLAG_DELEGATED) != 0;
  }

  /**
   * Time until a question to an address of the guest is answered, asked again every millisecond.
   */
  private static Duration untilAnswered(Domains lab, int from, int addressDomain) {
    boolean[] answered = {false};
    DatagramSocket[] guest = new DatagramSocket[1];
    guest[0] =
        lab.net.await(
            lab.vmStack.openDatagram(
                ECHO, (source, payload, port) -> guest[0].send(source, ByteBuffer.allocate(1))));
    DatagramSocket client =
        lab.net.await(
            lab.domains
                .get(from)
                .hostStack
                .openDatagram(null, (source, payload, port) -> answered[0] = true));
    long began = lab.net.loop().nanoTime();
    for (int i = 0; i < 5000 && !answered[0]; i++) {
      client.send(
          Dag.path(lab.domains.get(addressDomain).ad, lab.vmKey.identity().hid(), ECHO),
          ByteBuffer.allocate(1));
      lab.net.run(Duration.ofMillis(1));
    }
    guest[0].close();
    client.close();
    assertThat(answered[0]).isTrue();
    return Duration.ofNanos(lab.net.loop().nanoTime() - began);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void itAnswersAtItsOldAddressBeforeItsAgentDoesAnything(long seed) {
    Domains lab = domains(seed);
    GuestFollower here = null;
    for (int to : new int[] {1, 2, 0, 0, 2}) {
      int from = lab.vmAt;
      GuestFollower next = followerAt(lab, to);
      lab.net.await(next.expected());
      lab.net.run(Duration.ofSeconds(2));
      lab.stopVm();
      if (here != null) {
        here.stopped();
      }
      here = next;
      lab.net.run(Duration.ofMillis(50));
      int registered = count(lab, "register.sent");
      lab.net.await(next.loaded());
      lab.net.run(Duration.ofMillis(2 + 2 * (1 + seed % 10) * Math.abs(to - from)));
      lab.resumeVm(to);
      long resumedNs = lab.net.loop().nanoTime();
      speakOnItsLink(lab, to, next);
      lab.net.await(next.running());
      assertThat(untilAnswered(lab, from, from))
          .as("a round trip, and a question every millisecond")
          .isLessThan(Duration.ofMillis(5 + 2 * (1 + seed % 10) * Math.abs(to - from)));
      assertThat(saidByHost(registration(lab))).isTrue();
      lab.net.run(Duration.ofNanos(resumedNs + 900_000_000L - lab.net.loop().nanoTime()));
      assertThat(count(lab, "register.sent")).as("by the guest").isEqualTo(registered);
      lab.net.run(Duration.ofMillis(700));
      assertThat(lab.settled()).as(lab.agent.machine().waitingFor()).isTrue();
      assertThat(saidByHost(registration(lab))).as("by the guest itself").isFalse();
      assertThat(next.agent().closed()).as("the host has said all it had to").isTrue();
      assertThat(
              lab.net.await(
                  new NameClient(lab.domains.get(1).hostStack)
                      .lookup(Domains.NAME, Duration.ofSeconds(3))))
          .isEqualTo(lab.vmDag(to));
      for (int client = 0; client < 3; client++) {
        assertThat(lab.reaches(client, to)).isTrue();
        assertThat(lab.reaches(client, from)).isTrue();
      }
      lab.net.run(Duration.ofSeconds(4));
    }
  }

  /** QEMU keeps what came before the guest ran in the queue of its network card. */
  private static void speakOnItsLink(Domains lab, int domain, GuestFollower follower) {
    Domains.Domain at = lab.domains.get(domain);
    DatagramSocket socket =
        lab.net.await(at.hostStack.openDatagram(null, (source, payload, port) -> {}));
    socket.send(
        Dag.path(Xid.BHID, Signal.SID_ADAPT),
        ByteBuffer.wrap(
            new Signal.Solicit(follower.hashCode(), false, lab.vmKey.identity().hid()).encode()));
    lab.net.run(Duration.ofNanos(300_000));
    socket.close();
  }

  private static int count(Domains lab, String event) {
    return (int) lab.agent.machine().events().stream().filter(e -> e.name().equals(event)).count();
  }

  @Test
  void itIsPluggedInJustBeforeTheFirstWordItIsToHear() {
    Domains lab = domains(2);
    long[] frames = {0};
    lab.net.tap((link, from, frame) -> frames[0]++);
    List<Long> pluggedAfter = new ArrayList<>();
    GuestFollower next = followerAt(lab, 1, () -> pluggedAfter.add(frames[0]));
    lab.net.await(next.expected());
    lab.net.run(Duration.ofSeconds(2));
    lab.stopVm();
    assertThat(pluggedAfter).isEmpty();
    long before = frames[0];
    next.loaded();
    assertThat(pluggedAfter).containsExactly(before);
    assertThat(frames[0]).as("the first word").isGreaterThan(before);
    next.running();
    assertThat(pluggedAfter).hasSize(1);
    next.close();
  }

  @Test
  void withoutAHostThatSpeaksItActsAtOnce() {
    Domains lab = domains(3);
    lab.stopVm();
    lab.net.run(Duration.ofMillis(50));
    lab.resumeVm(1);
    lab.net.run(Duration.ofMillis(60));
    assertThat(saidByHost(registration(lab))).isFalse();
    assertThat(lab.agent.machine().place().ad()).isEqualTo(lab.domains.get(1).ad);
  }

  @Test
  void aGuestWhoseOwnerGaveNobodyLeaveListensToNobodyWhoSpeaksForIt() {
    Domains lab = domains(4);
    lab.restartAgent(config -> config.withDelegated(false));
    lab.net.run(Duration.ofSeconds(5));
    lab.stopVm();
    lab.resumeVm(1);
    speakOnItsLink(lab, 1, followerAt(lab, 1));
    lab.net.run(Duration.ofMillis(60));
    assertThat(saidByHost(registration(lab))).isFalse();
  }

  @Test
  void aLiarWhoSpeaksAllTheTimeDelaysItByASecondAtMost() {
    Domains lab = domains(5);
    lab.stopVm();
    lab.resumeVm(2);
    GuestFollower nobody = followerAt(lab, 2);
    for (int i = 0; i < 120 && !lab.settled(); i++) {
      speakOnItsLink(lab, 2, nobody);
      lab.net.run(Duration.ofMillis(10));
    }
    assertThat(lab.settled()).as(lab.agent.machine().waitingFor()).isTrue();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void hostAndAgentAgreeAfterAnyTrouble(long seed) {
    Domains lab = domains(seed);
    SplittableRandom random = new SplittableRandom(seed);
    List<SimLink> wan = List.of(lab.domains.get(0).links.get(0), lab.domains.get(2).links.get(0));
    LinkProfile good = LinkProfile.delayMs(1 + seed % 10);
    LinkProfile bad =
        good.withLoss(random.nextDouble() * 0.3)
            .withReorder(random.nextDouble() * 0.2, Duration.ofMillis(20))
            .withDuplicate(random.nextDouble() * 0.2);
    wan.forEach(link -> link.profile(bad));
    if (random.nextBoolean()) {
      lab.vmProfile = lab.local.withLoss(random.nextDouble() * 0.3);
    }
    GuestFollower here = followerAt(lab, 0);
    lab.net.await(here.running());
    for (int move = 1 + random.nextInt(5); move > 0; move--) {
      int to = random.nextInt(3);
      GuestFollower next = followerAt(lab, to);
      if (random.nextInt(4) > 0) {
        next.expected();
        lab.net.run(Duration.ofMillis(random.nextInt(12_000)));
      }
      here.stopped();
      lab.stopVm();
      lab.net.run(Duration.ofMillis(random.nextInt(200)));
      boolean loaded = random.nextBoolean();
      if (loaded) {
        next.loaded();
        lab.net.run(Duration.ofMillis(random.nextInt(20)));
      }
      if (random.nextInt(5) == 0) { // the hand-off is taken back
        next.close();
        lab.resumeVm(lab.vmAt);
        here.running();
      } else {
        lab.resumeVm(to);
        if (random.nextBoolean()) {
          speakOnItsLink(lab, to, next);
        }
        if (random.nextInt(5) > 0) { // else its host has died
          next.running();
        } else {
          next.close();
        }
        here = next;
      }
      lab.net.run(
          Duration.ofMillis(random.nextInt(3) == 0 ? random.nextInt(60) : random.nextInt(4000)));
    }
    wan.forEach(link -> link.profile(good));
    lab.vmLink.profile(lab.local);
    assertThat(lab.settle(Duration.ofSeconds(40))).as(lab.agent.machine().waitingFor()).isTrue();
    lab.net.run(Duration.ofSeconds(25));
    assertThat(saidByHost(registration(lab))).as("who speaks in the end").isFalse();
    assertThat(here.agent() == null || here.agent().closed()).isTrue();
    for (int client = 0; client < 3; client++) {
      assertThat(lab.reaches(client, lab.vmAt)).as("from %d, in %d", client, lab.vmAt).isTrue();
    }
    assertThat(
            lab.net.await(
                new NameClient(lab.domains.get(1).hostStack)
                    .lookup(Domains.NAME, Duration.ofSeconds(5))))
        .isEqualTo(lab.vmDag(lab.vmAt));
  }
}
