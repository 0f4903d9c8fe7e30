package io.xmig.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.lab.Domains;
import io.xmig.adapt.lab.Ordeal;
import io.xmig.xia.socket.names.NameClient;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Thousands of stories with one ending: everybody finds the machine, and nobody else gets its mail.
 */
class OrdealTest {
  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void everythingConvergesAfterTheLastFault(long seed) {
    Ordeal ordeal = new Ordeal(seed, false);
    ordeal.trouble();
    assertConverged(ordeal);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void anAttackerWhoForgesAndReplaysEverythingGetsNothingAndStopsNothing(long seed) {
    Ordeal ordeal = new Ordeal(seed, true);
    ordeal.trouble();
    assertConverged(ordeal);
    ordeal.strikeOn(Duration.ofSeconds(2));
    assertThat(ordeal.attacker.stolen()).as("packets that reached the attacker").isZero();
    assertThat(ordeal.attacker.attacks()).isPositive();
    assertConverged(ordeal);
    assertThat(ordeal.lab.domains.stream().mapToLong(d -> d.gateway.refusals().total()).sum())
        .as("refused messages")
        .isPositive();
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void aSeedTellsTheSameStoryEveryTime(long seed) {
    long[] digests = new long[2];
    for (int run = 0; run < 2; run++) {
      Ordeal ordeal = new Ordeal(seed, true);
      ordeal.trouble();
      ordeal.strikeOn(Duration.ofSeconds(1));
      digests[run] = ordeal.lab.net.digest();
    }
    assertThat(digests[1]).isEqualTo(digests[0]);
  }

  private static void assertConverged(Ordeal ordeal) {
    Domains lab = ordeal.lab;
    assertThat(lab.settle(Duration.ofSeconds(40)))
        .as("waiting for: " + lab.agent.machine().waitingFor() + " after " + ordeal.visited())
        .isTrue();
    lab.net.run(Duration.ofSeconds(16)); // the entries of those who missed something are refreshed
    Set<Integer> addresses = new LinkedHashSet<>();
    addresses.add(lab.vmAt);
    for (var former : lab.agent.machine().redirected().keySet()) {
      lab.domains.stream().filter(d -> d.ad.equals(former)).forEach(d -> addresses.add(d.number));
    }
    assertThat(ordeal.misleadingEntries()).as("entries that lead nowhere").isEmpty();
    for (int from = 0; from < lab.domains.size(); from++) {
      for (int address : addresses) {
        assertThat(lab.reaches(from, address))
            .as(
                "from %d by the address in %d, machine in %d, visited %s",
                from, address, lab.vmAt, ordeal.visited())
            .isTrue();
      }
    }
    assertThat(
            lab.net.await(
                new NameClient(lab.domains.get(lab.domains.size() - 1).hostStack)
                    .lookup(Domains.NAME, Duration.ofSeconds(5))))
        .isEqualTo(lab.vmDag(lab.vmAt));
  }
}
