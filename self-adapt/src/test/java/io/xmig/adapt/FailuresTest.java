package io.xmig.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.lab.Domains;
import io.xmig.adapt.lab.TestKeys;
import io.xmig.adapt.lab.Twin;
import io.xmig.adapt.signal.Receipt;
import io.xmig.adapt.signal.Signal;
import io.xmig.adapt.signal.SignedBeacon;
import io.xmig.adapt.trust.Refusal;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.names.NameClient;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimLink;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.wire.XhcpBeacon;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Each thing that may fail during a handoff, alone: the agent says what it is waiting for while the
 * fault lasts, and gets there when it ends.
 */
class FailuresTest {
  private static final Duration FAULT = Duration.ofSeconds(5);
  private static final Duration RECOVERY = Duration.ofSeconds(5);

  private final SimNetwork net = new SimNetwork(3);
  private final Domains lab =
      new Domains(net, 3, LinkProfile.delay(Duration.ofNanos(100_000)))
          .chain(LinkProfile.delayMs(5));

  /** The machine is at home in AD 0, all is well. */
  private void atHome() {
    lab.plugVm(0);
    lab.start();
    assertThat(lab.settle(Duration.ofSeconds(5))).as(waitingFor()).isTrue();
    net.run(Duration.ofSeconds(2));
  }

  private String waitingFor() {
    return lab.agent.machine().waitingFor();
  }

  private void move(int to) {
    lab.stopVm();
    net.run(Duration.ofMillis(100));
    lab.resumeVm(to);
  }

  private void startGateway(int domain) {
    Domains.Domain d = lab.domains.get(domain);
    d.gateway = lab.newGateway(d, g -> g);
    net.await(d.gateway.start());
  }

  /** All is well where the machine is now, by its name and by each of these addresses. */
  private void assertWell(int... addresses) {
    assertThat(lab.settle(RECOVERY)).as("waiting for: %s", waitingFor()).isTrue();
    net.run(Duration.ofSeconds(1));
    for (int from = 0; from < lab.domains.size(); from++) {
      for (int address : addresses) {
        assertThat(lab.reaches(from, address)).as("from %d by %d", from, address).isTrue();
      }
    }
    assertThat(
            net.await(
                new NameClient(lab.domains.get(2).hostStack)
                    .lookup(Domains.NAME, Duration.ofSeconds(5))))
        .isEqualTo(lab.vmDag(lab.vmAt));
  }

  @Test
  void theGatewayAtTheNewPlaceIsSilent() {
    atHome();
    lab.domains.get(1).gateway.close();
    move(1);
    net.run(FAULT);
    assertThat(waitingFor()).contains("asking which gateways are on this link");
    startGateway(1);
    assertWell(0, 1);
  }

  @Test
  void theGatewayGoesSilentWhileTheMachineIsThere() {
    atHome();
    lab.domains.get(0).gateway.close();
    net.run(FAULT);
    assertThat(waitingFor()).contains("waiting for a beacon");
    startGateway(0);
    assertWell(0);
  }

  @Test
  void theNameServiceIsDown() {
    atHome();
    lab.nameServer.close();
    move(2);
    net.run(FAULT);
    assertThat(waitingFor()).isEqualTo("waiting for the name server to confirm " + Domains.NAME);
    assertThat(lab.reaches(1, 0)).as("the rest goes on without it").isTrue();
    lab.startNameServer();
    assertWell(0, 2);
  }

  @Test
  void theNewRouterRefusesTheRoute() {
    atHome();
    lab.domains.get(1).refusing = true;
    move(1);
    net.run(FAULT);
    assertThat(waitingFor())
        .contains("waiting for the gateway to confirm the registration", "refused: NO_ROUTE");
    lab.domains.get(1).refusing = false;
    assertWell(0, 1);
  }

  @Test
  void theFormerRouterRefusesToRedirect() {
    atHome();
    lab.domains.get(0).refusing = true;
    move(2);
    net.run(FAULT);
    assertThat(waitingFor())
        .isEqualTo("waiting for the routers of " + lab.domains.get(0).ad + " to redirect");
    assertThat(lab.reaches(0, 2)).as("by the new address").isTrue();
    lab.domains.get(0).refusing = false;
    assertWell(0, 2);
  }

  @Test
  void theFormerDomainIsCutOff() {
    atHome();
    List<SimLink> links = new ArrayList<>(lab.domains.get(0).links);
    links.forEach(SimLink::cut);
    move(2);
    net.run(FAULT);
    assertThat(waitingFor()).contains("the routers of " + lab.domains.get(0).ad);
    links.forEach(SimLink::heal);
    assertThat(lab.settle(Duration.ofSeconds(25))).as(waitingFor()).isTrue(); // routing first
    assertWell(0, 2);
  }

  @Test
  void registrationsAreLostOnTheirWay() {
    lab.vmProfile = lab.local.withLoss(0.6).withReorder(0.3, Duration.ofMillis(30));
    lab.plugVm(0);
    lab.start();
    assertThat(lab.settle(Duration.ofSeconds(20))).as(waitingFor()).isTrue();
    move(1);
    assertThat(lab.settle(Duration.ofSeconds(20))).as(waitingFor()).isTrue();
    lab.vmProfile = lab.local;
    lab.vmLink.profile(lab.local);
    assertWell(0, 1);
  }

  @Test
  void anotherMachineHasTheSameKey() {
    atHome();
    Twin twin = new Twin(lab);
    twin.run(2, Duration.ofSeconds(60));
    net.run(FAULT);
    twin.stop();
    move(1);
    assertThat(lab.settle(Duration.ofSeconds(40))).as(waitingFor()).isTrue();
    assertWell(1);
  }

  @Test
  void theAgentIsStartedAgainInTheMiddleOfAHandoffAndKnowsFromItsStatusWhereItWas() {
    atHome();
    move(1);
    net.run(Duration.ofMillis(3)); // registered, not yet redirected
    List<Xid> remembered = new ArrayList<>(lab.agent.machine().formerAds());
    assertThat(remembered).containsExactly(lab.domains.get(0).ad);
    assertThat(waitingFor()).isNotEqualTo("nothing");
    lab.restartAgent(a -> a.withFormerAds(remembered));
    assertWell(0, 1);
  }

  @Test
  void theMachineMovesOnInTheMiddleOfAHandoff() {
    atHome();
    for (int afterMs : new int[] {0, 1, 2, 6, 11, 25, 120}) {
      move(1);
      net.run(Duration.ofMillis(afterMs));
      move(2);
      assertThat(lab.settle(RECOVERY)).as("%d ms: %s", afterMs, waitingFor()).isTrue();
      assertWell(0, 2);
      move(0);
      assertWell(0, 2);
    }
  }

  @Test
  void aForgedBeaconMovesNobody() {
    atHome();
    AgentConfig liar = AgentConfig.signed(TestKeys.signer("mallory"), lab.trust);
    XhcpBeacon lie =
        new XhcpBeacon(
            1, lab.domains.get(2).ad, liar.signer().identity().hid(), Xid.NULL_4ID, "RE");
    DatagramSocket socket =
        net.await(lab.domains.get(0).routerStack.openDatagram(null, (s, p, port) -> {}));
    int handoffs = lab.agent.machine().handoffs();
    for (int i = 0; i < 20; i++) {
      byte[] signed =
          SignedBeacon.seal(
                  lie, liar.signer(), null, lab.epochMicros(), 1000, 60, List.of(), List.of())
              .encode();
      for (byte[] beacon : new byte[][] {lie.encode(), signed}) {
        socket.send(Dag.path(Xid.BHID, Xid.SID_XHCP), ByteBuffer.wrap(beacon));
      }
      net.run(Duration.ofMillis(100));
    }
    assertThat(lab.agent.machine().handoffs()).isEqualTo(handoffs);
    assertThat(lab.agent.refusals().counts())
        .containsKey(Refusal.UNTRUSTED.name().toLowerCase(java.util.Locale.ROOT))
        .containsKey(Refusal.UNSIGNED.name().toLowerCase(java.util.Locale.ROOT));
    assertWell(0);
  }

  @Test
  void aReceiptThatIsNotTheGatewaysConfirmsNothing() {
    atHome();
    lab.domains.get(1).refusing = true;
    move(1);
    net.run(Duration.ofSeconds(1));
    long sequence =
        lab.agent.machine().events().stream()
            .filter(event -> event.name().equals("register.sent"))
            .mapToLong(event -> Long.parseLong(event.facts().get("sequence")))
            .max()
            .orElseThrow();
    Receipt lie =
        new Receipt(
            lab.vmKey.identity().hid(), sequence, lab.domains.get(1).ad, 60, java.util.Map.of());
    DatagramSocket socket =
        net.await(lab.domains.get(1).routerStack.openDatagram(null, (s, p, port) -> {}));
    socket.send(
        Dag.path(Xid.BHID, Signal.SID_ADAPT),
        ByteBuffer.wrap(
            new Signal.Registered(lie.seal(TestKeys.signer("mallory"), null, lab.epochMicros()))
                .encode()));
    net.run(Duration.ofMillis(5));
    assertThat(lab.agent.machine().confirmed()).isFalse();
    assertThat(lab.agent.refusals().counts()).containsKey("not_owner");
    lab.domains.get(1).refusing = false;
    assertWell(0, 1);
  }
}
