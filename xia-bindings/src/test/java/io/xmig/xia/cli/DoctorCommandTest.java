package io.xmig.xia.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.xmig.xia.click.Topology;
import io.xmig.xia.host.HostOptions;
import io.xmig.xia.host.NodeHost;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What xmig doctor says. */
@Timeout(300)
class DoctorCommandTest {
  @TempDir Path directory;

  private record Said(int status, String out) {}

  private static Said doctor(String... arguments) {
    StringWriter out = new StringWriter();
    CommandLine command = new CommandLine(new DoctorCommand()).setOut(new PrintWriter(out));
    command.setErr(new PrintWriter(out));
    int status = command.execute(arguments);
    return new Said(status, out.toString());
  }

  private NodeHost host() throws Exception {
    Path file = directory.resolve("one.click");
    Files.writeString(
        file,
        """
        require(library xia_router_lib.click);
        host0 :: XIAEndHost(RE AD0 HID0, HID0, 1500, 1, 02:00:00:00:00:10);
        Idle -> host0 -> Discard;
        """);
    return NodeHost.start(
        Topology.load(file),
        HostOptions.in(directory.resolve("run")).withApiPorts(0).withControl(0));
  }

  @Test
  void namesWhoAnswersOnBothPorts() throws Exception {
    try (NodeHost host = host()) {
      Said said =
          doctor(
              "--port", "" + host.apiPort("host0"), "--control", "" + host.controlPort(), "--json");
      JsonNode json = new ObjectMapper().readTree(said.out());

      assertThat(json.at("/ports/0/answers").asText()).isEqualTo("xmig node");
      assertThat(json.at("/ports/0/hid").asText())
          .isEqualTo("HID:0000000000000000000000000000000000000000");
      assertThat(json.at("/control/banner").asText()).startsWith("Click::ControlSocket/1.");
      assertThat(json.at("/control/nodes/0").asText()).isEqualTo("host0");
      assertThat(doctor("--port", "" + host.apiPort("host0")).out())
          .contains("xmig node answers as AD:1000");
    }
  }

  @Test
  void aLibraryThatIsNoneIsSaidWithWhatToDo() throws Exception {
    Path file = Files.writeString(directory.resolve("libXsocket.so"), "no library at all, really");

    Said said = doctor("--library", file.toString(), "--port", "9", "--json");

    JsonNode json = new ObjectMapper().readTree(said.out());
    assertThat(json.at("/library/problem").asText()).contains("is not a shared library");
    assertThat(json.at("/ports/0/problem").asText()).contains("nobody serves UDP port 9");
    assertThat(said.status()).isEqualTo(json.at("/advice").isEmpty() ? 0 : 1);
  }

  @Test
  void aPortThatIsNoneIsWrongUsage() {
    assertThat(doctor("--port", "70000").status()).isEqualTo(2);
  }
}
