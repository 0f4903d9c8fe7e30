package io.xmig.adapt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** {@code xmig route} against a Click process that answers as captured ones did, or not at all. */
@Timeout(300)
class RouteOverControlSocketTest {
  private static final String HID = "HID:" + "7".repeat(40);

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final List<String> heard = new ArrayList<>();

  /**
   * Runs a command against a Click that gives one answer.
   *
   * @param answer {@code null} for none
   */
  private int route(@Nullable String answer, String... words) throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread click = new Thread(() -> serve(server, answer), "click");
      click.start();
      List<String> all = new ArrayList<>(List.of(words));
      all.addAll(List.of("--control", "127.0.0.1:" + server.getLocalPort(), "--node", "router0"));
      int status =
          new CommandLine(new RouteCommand())
              .setCaseInsensitiveEnumValuesAllowed(true)
              .setOut(new PrintWriter(out, true))
              .setErr(new PrintWriter(err, true))
              .execute(all.toArray(new String[0]));
      server.close();
      click.join();
      return status;
    }
  }

  private void serve(ServerSocket server, @Nullable String answer) {
    try (Socket socket = server.accept()) {
      OutputStream to = socket.getOutputStream();
      BufferedReader from =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
      if (answer != null) {
        to.write("Click::ControlSocket/1.3\r\n".getBytes(StandardCharsets.US_ASCII));
        heard.add(from.readLine());
        to.write(answer.getBytes(StandardCharsets.US_ASCII));
      }
      while (from.read() >= 0) {
        // until the client goes
      }
    } catch (IOException e) {
      heard.add(e.toString());
    }
  }

  @Test
  void anEntryThatIsThereIsToldTogetherWithHowToOverwriteIt() throws Exception {
    assertThat(
            route(
                "520-Write handler 'router0/xrc/n/proc/rt_HID.add4' error:\r\n520 duplicate XID: \r\n",
                "add",
                HID,
                "--port",
                "0"))
        .isEqualTo(1);
    assertThat(heard).containsExactly("WRITEDATA router0/xrc/n/proc/rt_HID.add4 53");
    assertThat(err.toString()).contains("'xmig route set' overwrites it", "duplicate XID");
  }

  @Test
  void aNodeThatIsNotThereIsNamed() throws Exception {
    assertThat(route("510 No element named 'router0/xrc/n/proc/rt_AD'\r\n", "show", "AD"))
        .isEqualTo(1);
    assertThat(err.toString()).contains("no node 'router0' there", "element in the Click file");
  }

  @Test
  void anAnswerThatIsNoTableIsQuoted() throws Exception {
    assertThat(route("200 Read handler OK\r\nDATA 5\r\nhello", "show", "AD")).isEqualTo(1);
    assertThat(err.toString()).contains("unreadable routing table", "hello");
  }

  @Test
  void aClickThatSaysNothingIsGivenUp() throws Exception {
    assertThat(route(null, "show", "AD")).isEqualTo(1);
    assertThat(err.toString()).contains("no answer", "ControlSocket(tcp, PORT)");
    assertThat(out.toString()).isEmpty();
  }
}
