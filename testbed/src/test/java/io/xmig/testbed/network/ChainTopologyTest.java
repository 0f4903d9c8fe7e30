package io.xmig.testbed.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.click.Topology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChainTopologyTest {
  private static Network network(int domains, int client) {
    return new Network(Topology.parse("chain.click", new ChainTopology(domains, client).click()));
  }

  @ParameterizedTest
  @CsvSource({"2, 1, inter-ad.click", "2, 3, third-ad.click"})
  void shippedFilesAreWhatItMakes(int domains, int client, String file) throws IOException {
    assertThat(Path.of("topologies", file)).hasContent(new ChainTopology(domains, client).click());
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "2, 3", "3, 2", "8, 1", "8, 8", "2, 8"})
  void everyHostHasARouterOfItsOwnDomain(int domains, int client) {
    Network network = network(domains, client);
    ChainTopology chain = new ChainTopology(domains, client);
    assertThat(chain.hosts()).hasSize(domains).doesNotContain(ChainTopology.CLIENT);
    assertThat(network.gateways()).hasSize(Math.max(domains, client));
    for (String host : chain.hosts()) {
      assertThat(network.ad(host)).isEqualTo(network.ad(network.gateway(host)));
    }
    assertThat(network.gateway(ChainTopology.CLIENT)).isEqualTo("ROUTER_" + client);
    assertThat(network.topology().nodes().stream().map(Topology.Node::hid)).doesNotHaveDuplicates();
    assertThat(network.topology().nodes().stream().flatMap(n -> n.ports().stream()))
        .doesNotHaveDuplicates();
  }

  @Test
  void routersAreJoinedInAChainByTheirLastPorts() {
    Network network = network(3, 1);
    assertThat(network.routerPorts("ROUTER_1")).isEqualTo(Set.of(2));
    assertThat(network.routerPorts("ROUTER_2")).isEqualTo(Set.of(2, 3));
    assertThat(network.routerPorts("ROUTER_3")).isEqualTo(Set.of(3));
    assertThat(network.downlink("HOST_D")).isEqualTo("ROUTER_3/link0");
    assertThat(network.downlink("HOST_C")).isEqualTo("ROUTER_1/link1");
    assertThat(network.lans())
        .isEqualTo(List.of("SEGMENT_A", "SEGMENT_B", "SEGMENT_D", "SEGMENT_C"));
  }

  @Test
  void aChainHasTwoToEightDomains() {
    assertThatThrownBy(() -> new ChainTopology(1, 1)).hasMessageContaining("2 to 8");
    assertThatThrownBy(() -> new ChainTopology(2, 9)).hasMessageContaining("2 to 8");
  }

  @Test
  void aRunGivesEveryNodeTheHashOfItsKey(@org.junit.jupiter.api.io.TempDir Path directory)
      throws IOException {
    String click = new ChainTopology(2, 1).click();
    Identities identities = Identities.issue(directory, "run.click", click, List.of("VM"));
    Network network = new Network(Topology.load(directory.resolve("run.click")));
    for (Topology.Node node : network.topology().nodes()) {
      assertThat(node.hid()).isEqualTo(identities.hid(node.name()));
    }
    Path trust = identities.writeTrust(network);
    assertThat(Files.readAllLines(trust))
        .containsExactly(
            network.ad("ROUTER_1") + " " + identities.hid("ROUTER_1"),
            network.ad("ROUTER_2") + " " + identities.hid("ROUTER_2"));
    assertThat(identities.privateBody("VM")).hasSize(64).doesNotContain("-");
  }
}
