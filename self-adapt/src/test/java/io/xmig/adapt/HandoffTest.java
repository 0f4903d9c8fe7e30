package io.xmig.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.lab.Domains;
import io.xmig.xia.socket.names.NameClient;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimNetwork;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class HandoffTest {
  private static Domains chain(long seed, int count, long wanMs) {
    Domains lab =
        new Domains(new SimNetwork(seed), count, LinkProfile.delay(Duration.ofNanos(100_000)));
    return lab.chain(LinkProfile.delayMs(wanMs));
  }

  @Test
  void aMachineThatIsPluggedInJoinsItsDomainAndIsFoundByName() {
    Domains lab = chain(1, 2, 5);
    lab.plugVm(0);
    lab.start();

    assertThat(lab.settle(Duration.ofSeconds(5))).as(lab.agent.machine().waitingFor()).isTrue();
    lab.net.run(Duration.ofSeconds(1)); // the routing daemons find each other
    assertThat(lab.reaches(1, 0)).isTrue();
    assertThat(
            lab.net.await(
                new NameClient(lab.domains.get(1).hostStack)
                    .lookup(Domains.NAME, Duration.ofSeconds(3))))
        .isEqualTo(lab.vmDag(0));
  }

  @Test
  void afterAMoveOldAndNewAddressBothReachTheMachineAndTheNameGivesTheNewOne() {
    Domains lab = chain(1, 3, 5);
    lab.plugVm(0);
    lab.start();
    assertThat(lab.settle(Duration.ofSeconds(5))).as(lab.agent.machine().waitingFor()).isTrue();

    lab.stopVm();
    lab.net.run(Duration.ofMillis(100));
    lab.resumeVm(2);
    assertThat(lab.settle(Duration.ofSeconds(5))).as(lab.agent.machine().waitingFor()).isTrue();

    for (int from = 0; from < 3; from++) {
      assertThat(lab.reaches(from, 0)).as("old address from domain " + from).isTrue();
      assertThat(lab.reaches(from, 2)).as("new address from domain " + from).isTrue();
    }
    assertThat(
            lab.net.await(
                new NameClient(lab.domains.get(1).hostStack)
                    .lookup(Domains.NAME, Duration.ofSeconds(3))))
        .isEqualTo(lab.vmDag(2));
  }
}
