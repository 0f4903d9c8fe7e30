package io.xmig.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.lab.Domains;
import io.xmig.adapt.route.HostRoutes;
import io.xmig.adapt.route.RoutingDaemon;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimLink;
import io.xmig.xia.testkit.SimNetwork;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How long a handoff takes when nothing goes wrong: events, not timers, set the pace. */
class HandoffTimeTest {
  private static final Duration MARGIN = Duration.ofMillis(5);

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#seeds")
  void theLastRouteIsInPlaceOneRoundTripToTheOldGatewayAfterTheMachineRuns(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Duration local = Duration.ofNanos(20_000 + random.nextInt(300_000));
    int wanMs = random.nextInt(40);
    int count = 2 + random.nextInt(4);
    Domains lab = new Domains(new SimNetwork(seed), count, LinkProfile.delay(local));
    lab.chain(LinkProfile.delayMs(wanMs));
    lab.plugVm(0);
    lab.start();
    assertThat(lab.settle(Duration.ofSeconds(5))).isTrue();
    lab.net.run(Duration.ofMillis(1000 + random.nextInt(1000)));
    int at = 0;
    for (int move = 0; move < 4; move++) {
      int to = (at + 1 + random.nextInt(count - 1)) % count;
      lab.stopVm();
      lab.net.run(Duration.ofMillis(random.nextInt(500)));
      long resumedNs = lab.net.loop().nanoTime();
      lab.resumeVm(to);
      int from = at;
      boolean inPlace =
          lab.net.runUntil(() -> routesInPlace(lab, from, to), Duration.ofSeconds(10));
      long tookNs = lab.net.loop().nanoTime() - resumedNs;
      Duration roundTrip = local.multipliedBy(2).plusMillis(2L * wanMs * Math.abs(to - from));
      assertThat(inPlace).isTrue();
      assertThat(Duration.ofNanos(tookNs))
          .as("move %d to %d", from, to)
          .isLessThanOrEqualTo(roundTrip.plus(MARGIN));
      assertThat(lab.settle(Duration.ofSeconds(5))).as(lab.agent.machine().waitingFor()).isTrue();
      lab.net.run(Duration.ofMillis(900 + random.nextInt(200)));
      at = to;
    }
  }

  /** Every router from the old gateway to the new one sends the machine's packets the right way. */
  private static boolean routesInPlace(Domains lab, int from, int to) {
    int step = Integer.signum(to - from);
    for (int i = from; i != to; i += step) {
      HostRoutes.Host host = lab.domains.get(i).gateway.host(lab.vmKey.identity().hid());
      if (host == null
          || host.basis() != HostRoutes.Basis.REPOINTED
          || !lab.domains.get(i + step).routerKey.identity().hid().equals(host.route().nextHop())) {
        return false;
      }
    }
    HostRoutes.Host host = lab.domains.get(to).gateway.host(lab.vmKey.identity().hid());
    return host != null && host.basis() == HostRoutes.Basis.REGISTERED;
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void whenARouterOfTheWayIsLostTheOtherWayIsTaken(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int wanMs = 1 + random.nextInt(20);
    Duration local = Duration.ofNanos(100_000);
    Domains lab = new Domains(new SimNetwork(seed), 5, LinkProfile.delay(local));
    lab.chain(LinkProfile.delayMs(wanMs)); // 0 1 2 is the short way, 0 4 3 2 the long one
    lab.join(4, 0, LinkProfile.delayMs(wanMs));
    lab.plugVm(0);
    lab.start();
    assertThat(lab.settle(Duration.ofSeconds(5))).isTrue();
    lab.net.run(Duration.ofSeconds(2));
    lab.domains.get(1).links.forEach(SimLink::cut);
    boolean known = random.nextBoolean();
    if (known) {
      lab.net.run(Duration.ofSeconds(6)); // the neighbours have missed its HELLOs
    }
    lab.stopVm();
    lab.net.run(Duration.ofMillis(random.nextInt(300)));
    long resumedNs = lab.net.loop().nanoTime();
    lab.resumeVm(2);
    assertThat(lab.net.runUntil(() -> longWayInPlace(lab), Duration.ofSeconds(10))).isTrue();
    Duration took = Duration.ofNanos(lab.net.loop().nanoTime() - resumedNs);
    assertThat(took)
        .isLessThanOrEqualTo(
            known
                ? local.multipliedBy(2).plusMillis(2L * 3 * wanMs).plus(MARGIN)
                : RoutingDaemon.NEIGHBOUR_LIFETIME.plusSeconds(4));
    assertThat(lab.settle(Duration.ofSeconds(5))).as(lab.agent.machine().waitingFor()).isTrue();
    assertThat(lab.reaches(0, 0)).isTrue();
    assertThat(lab.reaches(0, 2)).isTrue();
    lab.domains.get(1).links.forEach(SimLink::heal);
    lab.net.run(Duration.ofSeconds(30));
    for (int from = 0; from < 5; from++) {
      assertThat(lab.reaches(from, 0)).as("by the old address, from %d", from).isTrue();
    }
  }

  private static boolean longWayInPlace(Domains lab) {
    int[] way = {0, 4, 3, 2};
    for (int i = 0; i < 3; i++) {
      HostRoutes.Host host = lab.domains.get(way[i]).gateway.host(lab.vmKey.identity().hid());
      if (host == null
          || host.basis() != HostRoutes.Basis.REPOINTED
          || !lab.domains
              .get(way[i + 1])
              .routerKey
              .identity()
              .hid()
              .equals(host.route().nextHop())) {
        return false;
      }
    }
    return true;
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("io.xmig.xia.testkit.Seeds#few")
  void aGuestThatOnlyHearsTheNextPeriodicBeaconStillMovesWithinOnePeriod(long seed) {
    Domains lab =
        new Domains(new SimNetwork(seed), 2, LinkProfile.delay(Duration.ofNanos(100_000)));
    lab.chain(LinkProfile.delayMs(5));
    lab.plugVm(0);
    lab.start(UnaryOperator.identity(), UnaryOperator.identity());
    assertThat(lab.settle(Duration.ofSeconds(5))).isTrue();
    lab.net.run(Duration.ofMillis(1000 + seed % 1000));

    long movedNs = lab.net.loop().nanoTime();
    lab.plugVm(1);

    assertThat(lab.net.runUntil(() -> routesInPlace(lab, 0, 1), Duration.ofSeconds(5))).isTrue();
    assertThat(Duration.ofNanos(lab.net.loop().nanoTime() - movedNs))
        .isLessThan(Duration.ofMillis(1200));
  }
}
