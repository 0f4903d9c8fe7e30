package io.xmig.adapt.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.XiaException;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.control.ControlReply;
import io.xmig.xia.socket.control.ControlSocketClient;
import io.xmig.xia.testkit.Vectors;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(300)
class ControlReplyTest {
  static Stream<Vectors.Vector> exchanges() {
    return Vectors.load("controlsocket").stream()
        .filter(v -> v.fields().hasNonNull("command") && v.fields().hasNonNull("code"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("exchanges")
  void capturedAnswersOfThePrototypeAreRead(Vectors.Vector vector) throws IOException {
    String command = vector.fields().get("command").asText();
    boolean expectData = command.toUpperCase(java.util.Locale.ROOT).startsWith("READ");
    ByteArrayInputStream in = new ByteArrayInputStream(vector.bytes());
    ControlReply reply = ControlReply.read(in, expectData);
    assertThat(reply.code()).isEqualTo(vector.fields().get("code").asInt());
    if (vector.fields().hasNonNull("data") && reply.ok()) {
      assertThat(reply.text()).isEqualTo(vector.fields().get("data").asText());
      if (command.contains("rt_") && command.contains(".list")) {
        List<RouteEntry> entries = RouteEntry.parseList(reply.text());
        StringBuilder again = new StringBuilder();
        entries.forEach(e -> again.append(e).append('\n'));
        assertThat(again.toString()).isEqualTo(reply.text());
      }
    }
  }

  @Test
  void answersThatAreNoneAreErrorsWithTheirText() {
    for (String bad :
        List.of("hello\r\n", "", "200", "200 OK\r\nDATA x\r\n", "200 OK\r\nDATA 5\r\nab")) {
      assertThatThrownBy(
              () ->
                  ControlReply.read(
                      new ByteArrayInputStream(bad.getBytes(StandardCharsets.US_ASCII)), true))
          .isInstanceOf(IOException.class);
    }
    assertThatThrownBy(() -> RouteEntry.parseList("-,-7,,0\nAD:zz,1,,0\n"))
        .isInstanceOf(XiaException.class)
        .hasMessageContaining("line=2");
  }

  @Test
  void theClientSpeaksAsTheDaemonsDoAndReportsWhatTheServerSays() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
      StringBuilder heard = new StringBuilder();
      Thread click =
          new Thread(
              () -> {
                try (Socket s = server.accept()) {
                  var out = s.getOutputStream();
                  out.write("Click::ControlSocket/1.3\r\n".getBytes(StandardCharsets.US_ASCII));
                  byte[] buffer = new byte[400];
                  int n = s.getInputStream().read(buffer);
                  heard.append(new String(buffer, 0, n, StandardCharsets.US_ASCII));
                  out.write("200 OK\r\n".getBytes(StandardCharsets.US_ASCII));
                  assertThat(s.getInputStream().read(buffer)).isPositive();
                  out.write(
                      "520-bad\r\n520 duplicate XID: \r\n".getBytes(StandardCharsets.US_ASCII));
                } catch (IOException e) {
                  heard.append(e);
                }
              });
      click.start();
      RouteControl control =
          HandlerRouteControl.of(
              new ControlSocketClient(
                  new InetSocketAddress(server.getInetAddress(), server.getLocalPort()),
                  Duration.ofSeconds(60),
                  Runnable::run),
              "router0");
      RouteEntry entry = RouteEntry.parseList("AD:" + "1".repeat(40) + ",1,,65535").get(0);
      control.set(XidType.AD, entry).join();
      assertThat(heard.toString())
          .isEqualTo("WRITEDATA router0/xrc/n/proc/rt_AD.set4 52\r\n" + entry.value());
      assertThatThrownBy(() -> control.add(XidType.AD, entry).join())
          .isInstanceOf(CompletionException.class)
          .hasMessageContaining("duplicate XID");
      control.close();
      click.join(5000);
    }
  }

  @Test
  void aServerThatIsNotThereIsNamedWithTheNextThingToTry() {
    try (ControlSocketClient client =
        new ControlSocketClient(
            new InetSocketAddress("127.0.0.1", 1), Duration.ofSeconds(2), Runnable::run)) {
      assertThatThrownBy(() -> client.read("list").join())
          .hasCauseInstanceOf(XiaSocketException.class)
          .hasMessageContaining("ControlSocket(tcp, PORT)");
    }
  }
}
