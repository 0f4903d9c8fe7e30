package io.xmig.testbed.vm;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.route.HandlerRouteControl;
import io.xmig.adapt.route.RouteControl;
import io.xmig.adapt.route.RouteEntry;
import io.xmig.adapt.service.AdaptServices;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.testbed.perf.PerfServer;
import io.xmig.testbed.workload.AgentDiary;
import io.xmig.testbed.workload.CalServer;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.addr.XidType;
import io.xmig.xia.key.KeyFiles;
import io.xmig.xia.key.Signer;
import io.xmig.xia.link.LinkWatcher;
import io.xmig.xia.link.NodeLoop;
import io.xmig.xia.link.PacketLink;
import io.xmig.xia.link.posix.NetDevice;
import io.xmig.xia.link.posix.Threads;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.NodeStack;
import io.xmig.xia.node.UrgentSink;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.ipc.BufferPool;
import io.xmig.xia.socket.ipc.IpcServer;
import io.xmig.xia.socket.ipc.IpcStack;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.commons.codec.digest.DigestUtils;
import org.jspecify.annotations.Nullable;

/**
 * XIA in the guest: a node on its network card, the agent that keeps it reachable, and the
 * calculation service.
 *
 * <p>Told by the environment ({@link GuestImage#forVm}): {@code XMIG_KEY} with {@code XMIG_PUB},
 * the PEM bodies of the host's key; {@code XMIG_TRUST}, the gateways that may speak for domains
 * ({@code AD:…=HID:…}, separated by commas; without it self-certifying domains only); {@code
 * XMIG_NAME}; {@code XMIG_DELEGATED=yes} if hosts have leave to speak for it. Without a key it is a
 * plain v1.1 host called {@code XMIG_HID}. With {@code XMIG_AGENT=none} no agent runs: the host
 * stays in {@code XMIG_AD} for ever and sends what it has to {@code XMIG_GATEWAY}. {@code
 * XMIG_PERF=server} adds the server of {@code xmig perf}.
 */
final class GuestNode implements AutoCloseable {
  /** Domain of a host that has not heard a beacon yet. */
  private static final Xid NO_AD = Xid.parse("AD:1234567890123456789012345678901234567890");

  private static final int REHEARSALS = 4;

  /** An agent puts no chunks. */
  private static final int POOL_BYTES = 1 << 16;

  /** Signs that come closer together count as one. */
  private static final long REHEARSAL_PAUSE_NS = 1_050_000_000L;

  private final NodeLoop loop;
  private final @Nullable XiaStack beside;
  private final @Nullable Agent agent;
  private final CalServer cal;

  private GuestNode(
      NodeLoop loop, @Nullable XiaStack beside, @Nullable Agent agent, CalServer cal) {
    this.loop = loop;
    this.beside = beside;
    this.agent = agent;
    this.cal = cal;
  }

  /** Starts everything on the interface; returns when the calculation service is bound. */
  static GuestNode start(String interfaceName, Map<String, String> environment) throws Exception {
    Signer signer = signer(environment);
    String given = environment.get("XMIG_HID");
    Xid hid;
    if (signer != null) {
      hid = signer.identity().xid(XidType.HID);
    } else {
      hid = given != null ? Xid.parse(given) : ofMac(NetDevice.named(interfaceName).mac());
    }
    NodeLoop loop = NodeLoop.start("guest-node");
    try {
      String home = environment.get("XMIG_AD");
      Xid ad = home == null ? NO_AD : Xid.parse(home);
      return loop.call(
              () ->
                  build(
                      loop,
                      interfaceName,
                      new LocalAddress(ad, hid, null),
                      isDelegated(environment)))
          .get()
          .thenServe(loop, signer, environment);
    } catch (Exception e) {
      loop.close();
      throw e;
    }
  }

  /** A guest that nobody named is called after its network card. */
  private static Xid ofMac(long mac) {
    return Xid.of(XidType.HID, DigestUtils.sha1("xmig guest " + Long.toHexString(mac)));
  }

  /** Node and network card. */
  private record Parts(XiaNode node, PacketLink link, LinkWatcher watcher) {
    GuestNode thenServe(NodeLoop loop, @Nullable Signer signer, Map<String, String> environment)
        throws Exception {
      NodeStack stack = loop.call(() -> new NodeStack(node)).get();
      CalServer cal = loop.call(() -> CalServer.start(stack)).get().get();
      if ("server".equals(environment.get("XMIG_PERF"))) {
        loop.call(() -> PerfServer.start(stack)).get().get();
      }
      if ("none".equals(environment.get("XMIG_AGENT"))) {
        String gateway = environment.get("XMIG_GATEWAY");
        if (gateway != null) {
          Xid next = Xid.parse(gateway);
          loop.call(() -> staticRoutes(stack, next)).get().get();
        }
        return new GuestNode(loop, null, null, cal);
      }
      AgentConfig config = config(signer, environment, link);
      XiaStack beside = besideTheNode(loop);
      Agent agent = AdaptServices.agent(beside, config).get();
      onLoop(beside, () -> AgentDiary.start(beside, agent)).get();
      loop.execute(() -> rehearse(loop, REHEARSALS));
      return new GuestNode(loop, beside, agent, cal);
    }

    /**
     * The agent has a thread of its own, after all others in the guest's only processor: what it
     * signs and checks shall keep nobody waiting who asks the guest for something.
     */
    private XiaStack besideTheNode(NodeLoop loop) throws Exception {
      Path socket = Files.createTempDirectory("xmig-node").resolve("agent.api");
      loop.call(
              () -> {
                loop.own(
                    new IpcServer(
                        loop, socket, () -> new NodeStack(node), new BufferPool(POOL_BYTES)));
                return socket;
              })
          .get();
      XiaStack stack = IpcStack.connect(socket);
      stack.loop().execute(Threads::background);
      return stack;
    }

    /**
     * Does as if the machine had just been resumed elsewhere. Code that runs for the first time
     * costs Java, and a translated processor even more, far too much for that to be at the event.
     */
    private void rehearse(NodeLoop loop, int times) {
      watcher.query();
      node.linkEvent(new LinkEvent(LinkEvent.Kind.NOTIFY_PEERS, 0, 0));
      if (times > 1) {
        loop.schedule(REHEARSAL_PAUSE_NS, () -> rehearse(loop, times - 1));
      }
    }
  }

  /** As an administrator would type them: everything goes to one gateway. */
  private static CompletableFuture<Void> staticRoutes(NodeStack stack, Xid gateway) {
    RouteControl control = HandlerRouteControl.of(stack);
    RouteEntry rest = new RouteEntry(null, 0, gateway, RouteEntry.FLAGS_DAEMON);
    RouteEntry itself = new RouteEntry(gateway, 0, gateway, RouteEntry.FLAGS_DAEMON);
    return control
        .set(XidType.AD, rest)
        .thenCompose(set -> control.set(XidType.HID, rest))
        .thenCompose(set -> control.set(XidType.HID, itself))
        .thenCompose(set -> stack.openDatagram(null, (source, payload, port) -> {}))
        .thenAccept(
            socket -> {
              // the first word of a guest shows the network where it is; nobody needs to answer
              socket.send(Dag.path(gateway, Xid.SID_XHCP), ByteBuffer.allocate(1));
              socket.close();
            });
  }

  private static UrgentSink receiver(XiaNode node) {
    return new UrgentSink() {
      @Override
      public void frame(ByteBuffer frame) {
        node.receive(0, frame);
      }

      @Override
      public boolean urgent(ByteBuffer frame) {
        return node.receiveUrgent(0, frame);
      }
    };
  }

  private static boolean isDelegated(Map<String, String> environment) {
    return "yes".equals(environment.get("XMIG_DELEGATED"));
  }

  private static Parts build(
      NodeLoop loop, String interfaceName, LocalAddress address, boolean hostSpeaks) {
    PacketLink link = PacketLink.open(loop, interfaceName, false);
    loop.own(link);
    NodeConfig.Port port =
        new NodeConfig.Port(link.device().mac(), Math.max(link.mtu(), NodeConfig.Port.MIN_MTU));
    NodeConfig config =
        new NodeConfig("guest", NodeConfig.Role.HOST, address, List.of(port), true, false, false);
    XiaNode node = new XiaNode(config, loop, new Random(new SecureRandom().nextLong()));
    node.attach(0, link);
    UrgentSink receiver = receiver(node);
    link.receiver(hostSpeaks ? new ClientsFirst(loop, receiver) : receiver);
    LinkWatcher watcher = new LinkWatcher(loop);
    watcher.watch(link.device().index(), 0, node::linkEvent);
    loop.own(watcher);
    return new Parts(node, link, watcher);
  }

  private static <T> CompletableFuture<T> onLoop(
      XiaStack stack, Supplier<CompletableFuture<T>> work) {
    CompletableFuture<T> done = new CompletableFuture<>();
    stack
        .loop()
        .execute(
            () ->
                work.get()
                    .whenComplete(
                        (value, error) -> {
                          if (error == null) {
                            done.complete(value);
                          } else {
                            done.completeExceptionally(error);
                          }
                        }));
    return done;
  }

  private static AgentConfig config(
      @Nullable Signer signer, Map<String, String> environment, PacketLink link) {
    String trusted = environment.get("XMIG_TRUST");
    AgentConfig config =
        signer == null
            ? AgentConfig.unsigned()
            : AgentConfig.signed(
                signer,
                trusted == null
                    ? DomainTrust.selfCertifying()
                    : DomainTrust.parse(List.of(trusted.split(",", -1))));
    String name = environment.get("XMIG_NAME");
    if (name != null) {
      config = config.withNames(java.util.Collections.singletonMap(name, null));
    }
    return config.withMac(link.device().mac()).withDelegated(isDelegated(environment));
  }

  private static @Nullable Signer signer(Map<String, String> environment) throws IOException {
    String secret = environment.get("XMIG_KEY");
    String open = environment.get("XMIG_PUB");
    if (secret == null || open == null) {
      return null;
    }
    Path directory = Files.createTempDirectory("xmig-key");
    Path file = directory.resolve("host");
    Files.writeString(file, pem("PRIVATE KEY", secret), StandardCharsets.US_ASCII);
    Files.writeString(
        directory.resolve("host.pub"), pem("PUBLIC KEY", open), StandardCharsets.US_ASCII);
    return KeyFiles.load(file);
  }

  private static String pem(String what, String body) {
    Base64.getDecoder().decode(body); // fails early, and with what is wrong
    return "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n";
  }

  @Override
  public void close() {
    loop.execute(cal::close);
    if (agent != null && beside != null) {
      beside.loop().execute(agent::close);
      beside.close();
    }
    loop.close();
  }
}
