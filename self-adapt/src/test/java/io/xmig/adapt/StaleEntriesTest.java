package io.xmig.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.lab.Attacker;
import io.xmig.adapt.lab.Domains;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The paper's trouble with direct entries between a machine and its former host, and its cure. */
class StaleEntriesTest {
  private static final Xid PING = Xid.parse("SID:" + "a".repeat(40));
  private static final LinkProfile LOCAL = LinkProfile.delay(Duration.ofNanos(100_000));

  @Test
  void anEntryLeftInPlaceCutsTheFormerHostOffFromTheMachine() {
    Domains lab = moved(false);
    XiaNode formerHost = lab.domains.get(0).host;
    assertThat(hasDirectEntry(formerHost, lab.vmKey.identity().hid())).isTrue();
    assertThat(heard(lab, lab.domains.get(0).hostStack, lab.vmStack, 0)).isFalse();
    assertThat(heard(lab, lab.domains.get(1).hostStack, lab.vmStack, 0))
        .as("others are not concerned")
        .isTrue();
  }

  @Test
  void withTheAgentsBothEntriesAreGoneAndBothWaysWork() {
    Domains lab = moved(true);
    assertThat(hasDirectEntry(lab.domains.get(0).host, lab.vmKey.identity().hid())).isFalse();
    assertThat(hasDirectEntry(lab.vm, lab.domains.get(0).hostKey.identity().hid())).isFalse();
    assertThat(heard(lab, lab.domains.get(0).hostStack, lab.vmStack, 1)).isTrue();
    assertThat(heard(lab, lab.domains.get(0).hostStack, lab.vmStack, 0))
        .as("by its old address")
        .isTrue();
    assertThat(heard(lab, lab.vmStack, lab.domains.get(0).hostStack, 0)).isTrue();
  }

  @Test
  void aMoveToAnotherLinkOfTheDomainEndsTheEntryToo() {
    Domains lab = new Domains(new SimNetwork(1), 1, LOCAL);
    lab.plugVm(0);
    lab.start();
    assertThat(lab.settle(Duration.ofSeconds(5))).isTrue();
    putEntries(lab);
    lab.stopVm();
    lab.net.run(Duration.ofMillis(100));
    lab.resumeVmElsewhereIn(0);
    lab.net.run(Duration.ofSeconds(2));
    assertThat(hasDirectEntry(lab.domains.get(0).host, lab.vmKey.identity().hid())).isFalse();
    assertThat(heard(lab, lab.domains.get(0).hostStack, lab.vmStack, 0)).isTrue();
  }

  /**
   * A machine that has moved from AD 0 to AD 1; the entries were there before it moved, or are put
   * back.
   */
  private static Domains moved(boolean cured) {
    Domains lab = new Domains(new SimNetwork(1), 2, LOCAL);
    lab.chain(LinkProfile.delayMs(5));
    lab.plugVm(0);
    lab.start();
    assertThat(lab.settle(Duration.ofSeconds(5))).isTrue();
    lab.net.run(Duration.ofSeconds(1));
    putEntries(lab);
    lab.stopVm();
    lab.net.run(Duration.ofMillis(100));
    lab.resumeVm(1);
    assertThat(lab.settle(Duration.ofSeconds(5))).isTrue();
    lab.net.run(Duration.ofSeconds(1));
    if (!cured) {
      putEntries(lab); // as if nobody had removed them
    }
    return lab;
  }

  private static void putEntries(Domains lab) {
    Xid host = lab.domains.get(0).hostKey.identity().hid();
    Xid vm = lab.vmKey.identity().hid();
    lab.domains.get(0).host.routes(XidType.HID).set(vm, 0, vm, 0);
    lab.vm.routes(XidType.HID).set(host, 0, host, 0);
  }

  private static boolean hasDirectEntry(XiaNode node, Xid hid) {
    return node.routes(XidType.HID).find(hid) != null;
  }

  private static boolean heard(Domains lab, XiaStack from, XiaStack to, int addressDomain) {
    boolean[] heard = {false};
    DatagramSocket server =
        lab.net.await(to.openDatagram(PING, (source, payload, port) -> heard[0] = true));
    DatagramSocket client = lab.net.await(from.openDatagram(null, (s, p, port) -> {}));
    client.send(
        Dag.path(lab.domains.get(addressDomain).ad, to.localAddress().hid(), PING),
        ByteBuffer.allocate(1));
    lab.net.runUntil(() -> heard[0], Duration.ofSeconds(5));
    server.close();
    client.close();
    return heard[0];
  }

  @Test
  void theAttackerOfTheOrdealsDoesStealFromADomainThatBelievesEverybody() {
    SimNetwork net = new SimNetwork(5);
    Domains lab = new Domains(net, 2, LOCAL).chain(LinkProfile.delayMs(2));
    Attacker attacker = new Attacker(lab, 0, net.newRandom());
    lab.start(g -> g.withAcceptUnsigned(true), a -> a);
    net.run(Duration.ofSeconds(1));
    for (int i = 0; i < 200 && attacker.stolen() == 0; i++) {
      attacker.strike();
      net.run(Duration.ofMillis(20));
      lab.probe(1, 0); // the machine has not registered yet, so its HID is anybody's
    }
    assertThat(attacker.stolen()).isPositive();
  }
}
