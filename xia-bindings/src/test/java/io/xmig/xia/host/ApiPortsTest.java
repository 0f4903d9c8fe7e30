package io.xmig.xia.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.XiaException;
import io.xmig.xia.click.Topology;
import io.xmig.xia.socket.libxsocket.ClickProbe;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Programs linked with the prototype's library find the nodes of a Click file. */
@Timeout(300)
class ApiPortsTest {
  @TempDir Path directory;

  private Topology twoHosts(int port0, int port1) throws IOException {
    Path file = directory.resolve("two.click");
    Files.writeString(
        file,
        """
        require(library xia_router_lib.click);
        host0 :: XIAEndHost(RE AD0 HID0, HID0, %d, 1, 02:00:00:00:00:10);
        host1 :: XIAEndHost(RE AD0 HID1, HID1, %d, 1, 02:00:00:00:01:10);
        host0 -> LinkUnqueue(0.0001, 1 GB/s) -> host1;
        host1 -> LinkUnqueue(0.0001, 1 GB/s) -> host0;
        """
            .formatted(port0, port1));
    return Topology.load(file);
  }

  @Test
  void everyNodeAnswersOnThePortThatTheFileNames() throws Exception {
    int[] free = new int[2];
    try (DatagramSocket a = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        DatagramSocket b = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      free[0] = a.getLocalPort();
      free[1] = b.getLocalPort();
    }
    Topology topology = twoHosts(free[0], free[1]);
    HostOptions options =
        HostOptions.in(directory.resolve("run")).withApiPorts(HostOptions.API_PORTS_OF_FILE);
    try (NodeHost host = NodeHost.start(topology, options)) {
      assertThat(host.apiPort("host0")).isEqualTo(free[0]);
      ClickProbe second = ClickProbe.of(free[1], Duration.ofSeconds(60));
      assertThat(second.problem()).isNull();
      assertThat(second.flowControl()).isTrue();
      assertThat(second.address())
          .isNotNull()
          .extracting(a -> a.hid().toString())
          .isEqualTo("HID:0000000000000000000000000000000000000001");
    }
    assertThat(ClickProbe.of(free[1], Duration.ofSeconds(1)).problem()).contains("nobody serves");
  }

  @Test
  void aPortThatIsTakenIsNamedWithTheNodeAndAWayOut() throws Exception {
    try (DatagramSocket taken = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      Topology topology = twoHosts(taken.getLocalPort(), 0);

      assertThatThrownBy(
              () ->
                  NodeHost.start(
                      topology,
                      HostOptions.in(directory.resolve("run"))
                          .withApiPorts(HostOptions.API_PORTS_OF_FILE)))
          .isInstanceOf(XiaException.class)
          .hasMessageContaining("host0")
          .hasMessageContaining(String.valueOf(taken.getLocalPort()))
          .hasMessageContaining("--api-ports");
    }
  }

  @Test
  void unlessToldOtherwiseAPortThatIsTakenIsLeftToWhoHasIt() throws Exception {
    int free;
    try (DatagramSocket other = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      free = other.getLocalPort();
    }
    try (DatagramSocket taken = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        NodeHost host =
            NodeHost.start(
                twoHosts(taken.getLocalPort(), free),
                HostOptions.in(directory.resolve("run"))
                    .withApiPorts(HostOptions.API_PORTS_IF_FREE))) {
      assertThat(host.apiPort("host0")).isEqualTo(HostOptions.NO_API_PORTS);
      assertThat(host.takenApiPorts()).containsOnly(Map.entry("host0", taken.getLocalPort()));
      assertThat(host.apiPort("host1")).isEqualTo(free);
    }
  }
}
