package io.xmig.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.guest.GuestFollower;
import io.xmig.adapt.lab.Domains;
import io.xmig.adapt.lab.TestKeys;
import io.xmig.adapt.route.HostRoutes;
import io.xmig.adapt.signal.Location;
import io.xmig.adapt.trust.Delegation;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.names.NameClient;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.wire.EthernetFlyweight;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
    Domains.Domain at = lab.domains.get(domain);
    Domains.Domain home = lab.domains.get(0);
    long homeMac = home.router.config().ports().get(1).mac();
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
            .forGuest(
                new AgentConfig.Guest(
                    lab.vmKey.identity().hid(),
                    new Location.Home(home.routerKey.identity().hid(), homeMac)),
                leave,
                former);
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
}
