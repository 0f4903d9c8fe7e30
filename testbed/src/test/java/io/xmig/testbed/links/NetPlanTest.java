package io.xmig.testbed.links;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.xia.click.Topology;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is laid where, before anything is laid. */
class NetPlanTest {
  private static final Path TOPOLOGIES = Path.of("topologies");
  private static final String GUEST = "52:54:00:78:6d:69";
  private static final PathShape SHAPE = PathShape.parse("100mbit,20ms,1%");

  private static NetPlan plan(String name, List<String> nodes, PathShape shape) {
    return new NetPlan(
        Topology.load(TOPOLOGIES.resolve(name + ".click")),
        nodes,
        List.of("HOST_A", "HOST_B"),
        GUEST,
        shape);
  }

  @Test
  void withOneRouterOnlyTheLinkOfTheHostThatTheMachineGoesToIsShaped() {
    List<NetPlan.Cable> cables =
        plan("intra-ad", List.of("ROUTER_1", "HOST_A", "HOST_B", "HOST_C"), SHAPE).cables();
    assertThat(cables).hasSize(3);
    assertThat(cables.stream().filter(c -> c.shape() != null).toList())
        .singleElement()
        .satisfies(c -> assertThat(List.of(c.a().node(), c.b().node())).contains("HOST_B"));
  }

  @Test
  void betweenDomainsTheLinkBetweenTheRoutersIsShaped() {
    List<NetPlan.Cable> cables =
        plan("inter-ad", List.of("ROUTER_1", "ROUTER_2", "HOST_A", "HOST_B", "HOST_C"), SHAPE)
            .cables();
    assertThat(cables.stream().filter(c -> c.shape() != null).toList())
        .singleElement()
        .satisfies(
            c ->
                assertThat(List.of(c.a().node(), c.b().node()))
                    .containsExactlyInAnyOrder("ROUTER_1", "ROUTER_2"));
  }

  @Test
  void nodesThatAreNotWantedHaveNoCable() {
    assertThat(plan("intra-ad", List.of("ROUTER_1", "HOST_A", "HOST_B"), null).cables())
        .hasSize(2)
        .allSatisfy(c -> assertThat(c.shape()).isNull());
  }

  @Test
  void everyRouterKnowsTheWayToTheOtherDomain() {
    NetPlan plan =
        plan("inter-ad", List.of("ROUTER_1", "ROUTER_2", "HOST_A", "HOST_B", "HOST_C"), null);
    assertThat(plan.joined("ROUTER_1", 1500)).contains("route add 10.78.1.0/24 via 10.79.0.2");
    assertThat(plan.joined("ROUTER_2", 1500)).contains("route add 10.78.0.0/24 via 10.79.0.1");
  }

  @Test
  void noFrameOfXiaTakesTheBridgeThatIpNeeds() {
    NetPlan plan = plan("intra-ad", List.of("ROUTER_1", "HOST_A", "HOST_B", "HOST_C"), null);
    for (int port = 0; port < 3; port++) {
      assertThat(plan.joined("ROUTER_1", 9000))
          .contains(
              "link set eth"
                  + port
                  + " type bridge_slave flood off mcast_flood off bcast_flood off");
    }
  }

  @Test
  void aTapIsNeverAskedForMoreThanItCarries() {
    NetPlan plan = plan("intra-ad", List.of("ROUTER_1", "HOST_A", "HOST_B", "HOST_C"), null);
    assertThat(plan.devices("HOST_A", 65_535)).contains("link set vm0 mtu 65521");
    assertThat(plan.devices("HOST_A", 9000)).contains("link set vm0 mtu 9000");
  }

  @Test
  void aShapeIsSaidAsARoundTripAndGivenToEachWayInHalves() {
    assertThat(SHAPE.eachWay().delayNs()).isEqualTo(10_000_000);
    assertThat(SHAPE.eachWay().bytesPerSecond()).isEqualTo(12_500_000);
    assertThat(SHAPE.eachWay().loss()).isEqualTo(0.01);
    assertThat(io.xmig.xia.link.LinkShape.parse(SHAPE.eachWayText())).isEqualTo(SHAPE.eachWay());
  }
}
