package io.xmig.testbed.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.xmig.xia.click.Topology;
import io.xmig.xia.host.HostOptions;
import io.xmig.xia.host.NodeHost;
import io.xmig.xia.socket.XcmpSocket;
import io.xmig.xia.socket.control.ControlSocketClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The prototype's click as router of a run, with a stand-in for the program. */
@Timeout(300)
class ClickRoutersTest {
  @TempDir Path home;
  private Lab lab;

  @BeforeEach
  void open() throws IOException {
    lab = Lab.open(false);
  }

  @AfterEach
  void close() {
    lab.close();
  }

  private Path program(String script) throws IOException {
    FakeClick.install(home);
    return FakeClick.program(home, script);
  }

  private Path fakeClick() throws IOException {
    return FakeClick.install(home);
  }

  private static Topology intraAd() {
    return Topology.load(Path.of("topologies", "intra-ad.click").toAbsolutePath());
  }

  @Test
  void clickIsStartedOnItsPartOfTheTopologyAndForwardsBetweenNodesOfOurs() throws Exception {
    ClickProgram program = ClickProgram.of("click:" + fakeClick());

    ClickRouters routers = ClickRouters.start(lab, intraAd(), List.of("ROUTER_1"), program, 1500);

    assertThat(Files.readAllLines(home.resolve("arguments")))
        .containsExactly(lab.directory().resolve("click.click").toString());
    assertThat(Files.readString(home.resolve("directory")))
        .isEqualTo(home.resolve("conf").toRealPath().toString());
    try (NodeHost nodes =
        NodeHost.start(
            Topology.load(routers.rest()), HostOptions.in(lab.directory().resolve("n")))) {
      String a = "HID:0000000000000000000000000000000000000000";
      String c = "HID:0000000000000000000000000000000000000002";
      route(nodes, "HOST_A", c);
      route(nodes, "HOST_C", a);
      try (ControlSocketClient click =
          new ControlSocketClient(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), routers.control()),
              Duration.ofSeconds(60),
              Runnable::run)) {
        String table = "ROUTER_1/xrc/n/proc/rt_HID.set4";
        click.write(table, a + ",0," + a + ",0").get(60, TimeUnit.SECONDS);
        click.write(table, c + ",2," + c + ",0").get(60, TimeUnit.SECONDS);
      }
      CompletableFuture<Integer> answer = new CompletableFuture<>();
      XcmpSocket socket =
          nodes
              .loop()
              .call(
                  () ->
                      nodes
                          .stack("HOST_A")
                          .openXcmp((source, message) -> answer.complete(message.remaining())))
              .get()
              .get(60, TimeUnit.SECONDS);
      for (int i = 0; i < 1200 && !answer.isDone(); i++) {
        int sequence = i;
        nodes
            .loop()
            .execute(
                () ->
                    socket.echo(
                        nodes.stack("HOST_C").localAddress().host(),
                        1,
                        sequence,
                        ByteBuffer.allocate(56),
                        250));
        Clients.pause(50);
      }
      assertThat(answer).isCompleted();
    }
  }

  /** The way of a frame is HOST_A, its segment, Click by UDP, another segment, HOST_C. */
  private static void route(NodeHost nodes, String host, String peer) throws Exception {
    String router = "HID:1100000000000000000000000000000000000000";
    String tables = "./xrc/n/proc/rt_";
    nodes
        .loop()
        .call(
            () ->
                nodes
                    .stack(host)
                    .writeHandler(
                        tables + "AD.set", "AD:1000000000000000000000000000000000000000 -2"))
        .get()
        .get(60, TimeUnit.SECONDS);
    nodes
        .loop()
        .call(
            () -> nodes.stack(host).writeHandler(tables + "HID.set4", peer + ",0," + router + ",0"))
        .get()
        .get(60, TimeUnit.SECONDS);
  }

  @Test
  void aConfigurationWithAnythingThatRelease11LacksIsRefusedByTheStandIn() {
    assertThat(
            FakeClick.complaints(
                """
                require(library nothing.click);
                a :: EtherSwitch();
                r :: XIARouter2Port(RE AD0, AD0, RHID0, 0.0.0.0, 1700, 0:0:0:0:0:1, 0:0:0:0:0:2);
                Idle -> [0]r[0] -> TapLink(x) -> Discard;
                """,
                List.of(home)))
        .containsExactly(
            "can't find library 'nothing.click'",
            "unknown element class 'EtherSwitch'",
            "undeclared element 'TapLink'");
  }

  @Test
  void aClickThatRefusesItsConfigurationIsQuoted() throws Exception {
    Path program = program("echo \"$1:5: unknown element class 'XIARouter4Port'\" >&2; exit 1");

    assertThatThrownBy(
            () ->
                ClickRouters.start(
                    lab, intraAd(), List.of("ROUTER_1"), ClickProgram.of("click:" + program), 1500))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("click ended at once")
        .hasMessageContaining("unknown element class 'XIARouter4Port'")
        .hasMessageContaining("status=1");
  }

  @Test
  void aClickThatServesNothingIsGivenUp() throws Exception {
    ClickProgram.of("click:" + program("exec sleep 60"))
        .launch(lab, "click", home.resolve("none.click"));

    assertThatThrownBy(
            () ->
                ClickProgram.awaitNodes(
                    lab, "click", 1, List.of("ROUTER_1"), Duration.ofMillis(300)))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("does not serve its nodes on the ControlSocket")
        .hasMessageContaining("port=1");
  }

  @Test
  void aProgramThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> ClickProgram.of("click:/nonexistent/click"))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("/nonexistent/click")
        .hasMessageContaining("xia-core/click/userlevel/click");
  }

  @Test
  void aProgramWithoutItsLibraryIsToldHowToNameIt() throws Exception {
    Path program = fakeClick();
    Files.delete(home.resolve("conf").resolve(ClickProgram.LIBRARY_FILE));

    assertThatThrownBy(() -> ClickProgram.of("click:" + program))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("--router click:PROGRAM,DIRECTORY");
    assertThatThrownBy(() -> ClickProgram.of("click:" + program + ",/nonexistent"))
        .hasMessageContaining("/nonexistent");
  }
}
