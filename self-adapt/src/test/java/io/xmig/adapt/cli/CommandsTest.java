package io.xmig.adapt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.gateway.Gateway;
import io.xmig.adapt.gateway.GatewayConfig;
import io.xmig.adapt.names.NameServer;
import io.xmig.adapt.service.AdaptServices;
import io.xmig.adapt.service.StatusWriter;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.key.Ed25519;
import io.xmig.xia.key.Signer;
import io.xmig.xia.link.LinkOptions;
import io.xmig.xia.link.MemoryLink;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.node.chunk.ChunkOptions;
import io.xmig.xia.node.stream.StreamOptions;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.ipc.BufferPool;
import io.xmig.xia.socket.ipc.IpcServer;
import io.xmig.xia.socket.ipc.IpcStack;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Commands and services with real keys, through the local API of a router's and a host's node. */
@Timeout(300)
class CommandsTest {
  private static final Xid NOWHERE = Xid.parse("AD:" + "9".repeat(40));

  @TempDir Path directory;
  private final Signer routerKey = Ed25519.generate();
  private final Signer hostKey = Ed25519.generate();
  private final Xid ad = routerKey.identity().xid(XidType.AD); // the gateway's key is the domain's
  private final NodeLoop loop = NodeLoop.start("nodes");
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private IpcStack router;
  private IpcStack host;

  @BeforeEach
  void build() throws Exception {
    loop.call(
            () -> {
              MemoryLink[] wire = MemoryLink.pair(loop, "wire", LinkOptions.ofMtu(1500));
              node(
                  NodeConfig.router(
                      "router",
                      new LocalAddress(ad, routerKey.identity().hid(), null),
                      0x020000000001L),
                  wire[0]);
              node(
                  NodeConfig.host(
                      "host",
                      new LocalAddress(NOWHERE, hostKey.identity().hid(), null),
                      0x020000000002L),
                  wire[1]);
              return null;
            })
        .get(60, TimeUnit.SECONDS);
    router = IpcStack.connect(directory.resolve("router.api"));
    host = IpcStack.connect(directory.resolve("host.api"));
  }

  private void node(NodeConfig config, MemoryLink link) {
    BufferPool pool = new BufferPool(4 << 20);
    XiaNode node =
        new XiaNode(
            config,
            loop,
            new Random(1),
            StreamOptions.defaults(),
            ChunkOptions.defaults().withAllocator(pool::take));
    node.attach(0, link);
    link.receiver(frame -> node.receive(0, frame));
    loop.own(
        new IpcServer(
            loop, directory.resolve(config.name() + ".api"), () -> new NodeStack(node), pool));
  }

  @AfterEach
  void close() {
    router.close();
    host.close();
    loop.close();
  }

  private int run(Object command, String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return new CommandLine(command)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  private String api(String node) {
    return "--xia=node:" + directory.resolve(node + ".api");
  }

  @Test
  void aHostIsConfiguredRegisteredAndNamedAndItsStatusSaysSo() throws Exception {
    Xid service = Xid.parse("SID:" + "5".repeat(40));
    NameServer names =
        Running.await(
            AdaptServices.nameServer(router, new NameServer.Config(routerKey, false, 100)));
    Gateway gateway =
        Running.await(
            AdaptServices.gateway(
                router, GatewayConfig.signed(routerKey, DomainTrust.selfCertifying())));
    Agent agent =
        Running.await(
            AdaptServices.agent(
                host,
                AgentConfig.signed(hostKey, DomainTrust.selfCertifying())
                    .withNames(Map.of("vm.xia", service))));
    Path file = directory.resolve("agent.status");
    try (StatusWriter status = new StatusWriter(agent, host, file)) {
      assertThat(status).isNotNull();
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(
              () ->
                  Files.exists(file)
                      && run(new AgentStatusCommand(), "--status-file", file.toString()) == 0);
      assertThat(out.toString()).contains("ATTACHED", "waiting for  nothing", ad.toString());
      assertThat(run(new AgentStatusCommand(), "--json", "--status-file", file.toString()))
          .isZero();
      assertThat(out.toString()).contains("\"waitingFor\" : \"nothing\"");
    }
    assertThat(run(new NameCommand(), "lookup", "vm.xia", api("host"))).isZero();
    assertThat(Dag.parse(out.toString().trim()))
        .isEqualTo(Dag.path(ad, hostKey.identity().hid(), service));
    assertThat(run(new NameCommand(), "lookup", "nobody.xia", api("host"))).isEqualTo(1);
    assertThat(err.toString()).contains("knows no such name").doesNotContain("\tat ");
    assertThat(run(new NameCommand(), "register", "vm.xia", "RE " + ad, api("host")))
        .as("an unsigned registration of a name that has an owner")
        .isEqualTo(1);
    assertThat(run(new RouteCommand(), "show", "HID", api("router"))).isZero();
    assertThat(out.toString()).contains(hostKey.identity().hid() + ",0,");
    for (AutoCloseable service1 : new AutoCloseable[] {agent, gateway, names}) {
      service1.close();
    }
  }

  @Test
  void routesAreShownSetAndRemoved() {
    String hid = "HID:" + "7".repeat(40);
    assertThat(run(new RouteCommand(), "set", hid, "--port", "0", api("router"))).isZero();
    assertThat(run(new RouteCommand(), "add", hid, "--port", "0", api("router"))).isEqualTo(1);
    assertThat(err.toString()).contains("duplicate XID", "'xmig route set' overwrites it");
    assertThat(run(new RouteCommand(), "show", "hid", api("router"))).isZero();
    assertThat(out.toString()).contains(hid + ",0,,65535");
    assertThat(run(new RouteCommand(), "remove", hid, api("router"))).isZero();
    assertThat(run(new RouteCommand(), "remove", hid, api("router"))).isEqualTo(1);
    assertThat(err.toString()).contains("'xmig route show' lists them");
    assertThat(run(new RouteCommand(), "show", "AD", "--node", "nobody", api("router")))
        .isEqualTo(1);
    assertThat(err.toString()).contains("no node 'nobody' there");
    assertThat(run(new RouteCommand(), "show", "--xia=node:" + directory.resolve("none.api")))
        .isEqualTo(1);
    assertThat(err.toString()).contains("no node answers", "xmig node");
    assertThat(run(new RouteCommand(), "set", "AD:-", "--port", "0", "--next", hid, api("router")))
        .isZero();
    assertThat(run(new RouteCommand(), "show", "AD", api("router"))).isZero();
    assertThat(out.toString()).contains("-,0," + hid);
  }

  @Test
  void wrongUsageIsExitCodeTwoAndPointsAtTheMistake() {
    assertThat(run(new RouteCommand(), "set", "HID:xyz", "--port", "0", api("router")))
        .isEqualTo(2);
    assertThat(err.toString()).contains("^").doesNotContain("\tat ");
    String hid = "HID:" + "7".repeat(40);
    assertThat(run(new RouteCommand(), "set", "RE " + hid, "--port", "0", api("router")))
        .isEqualTo(2);
    assertThat(err.toString()).contains("one XID, not a DAG");
    assertThat(run(new RouteCommand(), "set", hid, "--port", "-8", api("router"))).isEqualTo(2);
    assertThat(err.toString()).contains("-1 to -7");
    assertThat(run(new RouteCommand())).isEqualTo(2);
    assertThat(run(new RouteCommand(), "show", "--control", "localhost:1")).isEqualTo(2);
    assertThat(err.toString()).contains("--node");
    assertThat(run(new GatewayCommand(), api("router"))).isEqualTo(2);
    assertThat(err.toString()).contains("--accept-unsigned");
    assertThat(run(new AgentCommand(), "--accept-unsigned", "--name", "a=HID:1", api("host")))
        .isEqualTo(2);
  }

  @Test
  void keysAreMadeShownAndDelegated() throws Exception {
    assertThat(run(new KeyCommand(), "new", directory.toString())).isZero();
    Path key = Path.of(out.toString().trim());
    assertThat(run(new KeyCommand(), "show", key + ".pub")).isZero();
    assertThat(out.toString()).contains("HID:" + key.getFileName());
    assertThat(Files.getPosixFilePermissions(key)).hasSize(2);
    Path leave = directory.resolve("leave");
    assertThat(
            run(
                new KeyCommand(),
                "delegate",
                "--key=" + key,
                "--to=" + key + ".pub",
                "--scope=location,names",
                "--for=24h",
                "--out=" + leave))
        .isZero();
    assertThat(leave).isNotEmptyFile();
    assertThat(run(new KeyCommand(), "show", "nosuch.pub")).isEqualTo(1);
    assertThat(run(new GatewayCommand(), "--key=nosuch", api("router"))).isEqualTo(2);
    assertThat(err.toString()).contains("xmig key new");
  }
}
