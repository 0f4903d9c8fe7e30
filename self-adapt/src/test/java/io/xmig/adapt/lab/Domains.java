package io.xmig.adapt.lab;

import io.xmig.adapt.agent.Agent;
import io.xmig.adapt.agent.AgentConfig;
import io.xmig.adapt.gateway.Gateway;
import io.xmig.adapt.gateway.GatewayConfig;
import io.xmig.adapt.names.NameJournal;
import io.xmig.adapt.names.NameServer;
import io.xmig.adapt.names.NameTable;
import io.xmig.adapt.trust.DomainTrust;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.key.Signer;
import io.xmig.xia.node.NodeConfig;
import io.xmig.xia.node.XiaNode;
import io.xmig.xia.socket.DatagramSocket;
import io.xmig.xia.socket.LinkEvent;
import io.xmig.xia.socket.LocalAddress;
import io.xmig.xia.socket.XiaSocketException;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.testkit.LinkProfile;
import io.xmig.xia.testkit.SimLink;
import io.xmig.xia.testkit.SimNetwork;
import io.xmig.xia.testkit.SimSwitch;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Domains, each with a router and a host, and one machine that moves between them. Router ports: 0
 * the host, 1 the machine's slot, 2 an attacker's, from 3 on the neighbours. With segments the
 * machine is plugged into a switch that it shares with the host and port 0 of the router.
 */
public final class Domains {
  /** Service of the machine in all tests. */
  public static final Xid SERVICE = Xid.parse("SID:0f0000000000000000000000000000000000cafe");

  /** Name under which the machine is registered. */
  public static final String NAME = "vm.xia";

  /** Ethernet address of the machine. */
  public static final long VM_MAC = 0x525400123456L;

  private static final long EPOCH_MICROS = 1_800_000_000_000_000L;
  private static final int SPARE_PORTS = 8;

  /** One domain. */
  public static final class Domain {
    public final int number;
    public final Xid ad;
    public final XiaNode router;
    public final XiaStack routerStack;
    public final XiaNode host;
    public final XiaStack hostStack;
    public final Signer routerKey;
    public final Signer hostKey;
    public final List<SimLink> links = new ArrayList<>();
    public @Nullable Gateway gateway;
    public @Nullable Agent hostAgent;

    /** Joins host, machine and router, if the lab has segments. */
    @Nullable SimSwitch segment;

    /** Whether the router's node refuses to set routes of hosts just now. */
    public boolean refusing;

    int nextPort = 3;

    Domain(
        int number,
        Xid ad,
        XiaNode router,
        XiaStack routerStack,
        XiaNode host,
        XiaStack hostStack,
        Signer routerKey,
        Signer hostKey) {
      this.number = number;
      this.ad = ad;
      this.router = router;
      this.routerStack = routerStack;
      this.host = host;
      this.hostStack = hostStack;
      this.routerKey = routerKey;
      this.hostKey = hostKey;
    }
  }

  public final SimNetwork net;
  public final List<Domain> domains = new ArrayList<>();
  public final XiaNode vm;
  public final XiaStack vmStack;
  public final Signer vmKey = TestKeys.signer("vm");
  public final LinkProfile local;
  public final Map<Integer, Integer> received = new HashMap<>();
  public @Nullable Agent agent;
  public @Nullable NameServer nameServer;
  public @Nullable SimLink vmLink;
  public int vmAt = -1;

  /** What the machine's link is like; for the next time it is plugged in. */
  public LinkProfile vmProfile;

  public DomainTrust trust = DomainTrust.selfCertifying();
  private final Map<Integer, DatagramSocket> clients = new HashMap<>();
  private final NameJournal journal = new Memory();
  private int probes;

  /**
   * @param count domains
   * @param local profile of the links to hosts
   */
  public Domains(SimNetwork net, int count, LinkProfile local) {
    this(net, count, local, false);
  }

  /**
   * @param count domains
   * @param local profile of the links to hosts
   * @param segments whether host and machine share one
   */
  public Domains(SimNetwork net, int count, LinkProfile local, boolean segments) {
    this.net = net;
    this.local = local;
    this.vmProfile = local;
    for (int i = 0; i < count; i++) {
      Signer routerKey = TestKeys.signer("router" + i);
      Signer hostKey = TestKeys.signer("host" + i);
      Xid ad = Xid.parse(String.format("AD:%040x", 0x1000 + i));
      long[] macs = new long[3 + SPARE_PORTS];
      for (int p = 0; p < macs.length; p++) {
        macs[p] = 0x020000000000L | (long) i << 8 | 0x20 + p;
      }
      XiaNode router =
          net.add(
              NodeConfig.router(
                      "router" + i, new LocalAddress(ad, routerKey.identity().hid(), null), macs)
                  .withLearnFromBroadcast(false));
      XiaNode host =
          net.add(
              NodeConfig.host(
                  "host" + i,
                  new LocalAddress(
                      Xid.parse("AD:" + "9".repeat(40)), hostKey.identity().hid(), null),
                  0x020000010000L | (long) i << 8 | 0x10));
      Domain domain =
          new Domain(i, ad, router, net.stack(router), host, net.stack(host), routerKey, hostKey);
      if (segments) {
        SimSwitch segment = net.addSwitch("segment" + i, 3);
        net.link(segment, 0, net.station(router), 0, LinkProfile.delay(Duration.ofNanos(1000)));
        net.link(net.station(host), 0, segment, 1, local);
        domain.segment = segment;
      } else {
        net.link(host, 0, router, 0, local);
      }
      domains.add(domain);
    }
    vm =
        net.add(
            NodeConfig.host(
                "vm",
                new LocalAddress(Xid.parse("AD:" + "9".repeat(40)), vmKey.identity().hid(), null),
                VM_MAC));
    vmStack = net.stack(vm);
    Map<Xid, Set<Xid>> gateways = new HashMap<>();
    domains.forEach(d -> gateways.put(d.ad, new HashSet<>(List.of(d.routerKey.identity().hid()))));
    trust = DomainTrust.of(gateways);
  }

  /** Links two routers. */
  public SimLink join(int a, int b, LinkProfile profile) {
    Domain x = domains.get(a);
    Domain y = domains.get(b);
    SimLink link = net.link(x.router, x.nextPort++, y.router, y.nextPort++, profile);
    x.links.add(link);
    y.links.add(link);
    return link;
  }

  /** A chain of all domains. */
  public Domains chain(LinkProfile profile) {
    for (int i = 0; i + 1 < domains.size(); i++) {
      join(i, i + 1, profile);
    }
    return this;
  }

  /** Wall clock of everybody. */
  public long epochMicros() {
    return EPOCH_MICROS + net.loop().nanoTime() / 1000;
  }

  /** Starts all services; the name server runs on host 0. */
  public Domains start(UnaryOperator<GatewayConfig> gateways, UnaryOperator<AgentConfig> agents) {
    for (Domain d : domains) {
      d.gateway = newGateway(d, gateways);
      net.await(d.gateway.start());
    }
    for (Domain d : domains) {
      AgentConfig config = agents.apply(AgentConfig.signed(d.hostKey, trust));
      d.hostAgent =
          new Agent(d.hostStack, config, TestKeys.verifier(), net.newRandom(), this::epochMicros);
      net.await(d.hostAgent.start());
    }
    startNameServer();
    agent =
        new Agent(
            vmStack,
            agents.apply(
                AgentConfig.signed(vmKey, trust).withNames(Map.of(NAME, SERVICE)).withMac(VM_MAC)),
            TestKeys.verifier(),
            net.newRandom(),
            this::epochMicros);
    net.await(agent.start());
    net.await(
        vmStack.openDatagram(
            SERVICE,
            (source, payload, port) -> {
              if (payload.remaining() >= 12) { // what the attacker sends may be of any length
                received.merge(payload.getInt(8), 1, Integer::sum);
              }
            }));
    return this;
  }

  /** Starts the machine's agent; one that runs is ended first and its memory is lost. */
  public void restartAgent(UnaryOperator<AgentConfig> change) {
    if (agent != null) {
      agent.close();
    }
    agent =
        new Agent(
            vmStack,
            change.apply(
                AgentConfig.signed(vmKey, trust).withNames(Map.of(NAME, SERVICE)).withMac(VM_MAC)),
            TestKeys.verifier(),
            net.newRandom(),
            this::epochMicros);
    net.await(agent.start());
  }

  /** Starts all services with the usual configuration. */
  public Domains start() {
    return start(UnaryOperator.identity(), UnaryOperator.identity());
  }

  /** A gateway for a domain, not started. */
  public Gateway newGateway(Domain d, UnaryOperator<GatewayConfig> change) {
    return new Gateway(
        refusable(d),
        change.apply(
            GatewayConfig.signed(d.routerKey, trust)
                .withGuestPorts(Set.of(1))
                .withNameServer(nameServerDag())),
        TestKeys.verifier(),
        net.newRandom(),
        this::epochMicros);
  }

  private static XiaStack refusable(Domain d) {
    return (XiaStack)
        Proxy.newProxyInstance(
            Domains.class.getClassLoader(),
            new Class<?>[] {XiaStack.class},
            (proxy, method, arguments) -> {
              if (d.refusing
                  && method.getName().equals("writeHandler")
                  && String.valueOf(arguments[0]).contains("rt_HID")) {
                return CompletableFuture.failedFuture(
                    new XiaSocketException(XiaSocketException.Kind.REFUSED, "not now"));
              }
              try {
                return method.invoke(d.routerStack, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** Keeps names in memory, for name servers that are started again. */
  private static final class Memory implements NameJournal {
    private final Map<String, NameTable.Held> held = new LinkedHashMap<>();

    @Override
    public List<NameTable.Held> read() {
      return List.copyOf(held.values());
    }

    @Override
    public void write(NameTable.Held one) {
      held.put(one.name(), one);
    }
  }

  /** Starts the name server on host 0. */
  public void startNameServer() {
    Domain first = domains.get(0);
    nameServer =
        new NameServer(
            first.hostStack,
            new NameServer.Config(first.hostKey, false, 1000),
            TestKeys.verifier(),
            journal,
            this::epochMicros);
    net.await(nameServer.start());
  }

  /** Address of the name server. */
  public Dag nameServerDag() {
    Domain first = domains.get(0);
    return Dag.path(first.ad, first.hostKey.identity().hid(), Xid.SID_NS);
  }

  /** Takes the machine off the network. */
  public void stopVm() {
    if (vmLink != null) {
      vmLink.unplug();
      vmLink = null;
    }
  }

  /** Plugs the machine in, without any sign. */
  public void plugVm(int domain) {
    stopVm();
    Domain to = domains.get(domain);
    vmLink =
        to.segment == null
            ? net.link(vm, 0, to.router, slot(), vmProfile)
            : net.link(net.station(vm), 0, to.segment, 2, vmProfile);
    vmAt = domain;
  }

  /** Resumes the machine behind another port of the same router; the guest is told. */
  public void resumeVmElsewhereIn(int domain) {
    stopVm();
    Domain to = domains.get(domain);
    vmLink = net.link(vm, 0, to.router, to.nextPort++, vmProfile);
    vmAt = domain;
    net.loop()
        .schedule(
            20_000_000, () -> vm.linkEvent(new LinkEvent(LinkEvent.Kind.NOTIFY_PEERS, 0, VM_MAC)));
  }

  /** The port of a router behind which the machine is plugged in. */
  public int slot() {
    return domains.get(0).segment == null ? 1 : 0;
  }

  /** Plugs the machine in; the hypervisor's RARPs go out and, later, the guest is told. */
  public void resumeVm(int domain) {
    plugVm(domain);
    XiaNode router = domains.get(domain).router;
    SimLink link = vmLink;
    for (long ms : new long[] {0, 50, 200, 450, 800}) {
      net.loop()
          .schedule(
              ms * 1_000_000 + local.delay().toNanos(),
              () -> {
                if (vmLink == link) {
                  router.linkEvent(new LinkEvent(LinkEvent.Kind.RARP, slot(), VM_MAC));
                }
              });
      net.loop()
          .schedule(
              (ms + 20) * 1_000_000,
              () -> {
                if (vmLink == link) {
                  vm.linkEvent(new LinkEvent(LinkEvent.Kind.NOTIFY_PEERS, 0, VM_MAC));
                }
              });
    }
  }

  /** Whether the agent, every route and the name are as they should be for where the machine is. */
  public boolean settled() {
    Agent a = agent;
    return a != null
        && a.machine().waitingFor().equals("nothing")
        && a.machine().place() != null
        && a.machine().place().ad().equals(domains.get(vmAt).ad);
  }

  /** Sends one probe from a domain's host to the machine by its address in some domain. */
  public int probe(int fromDomain, int addressDomain) {
    DatagramSocket socket =
        clients.computeIfAbsent(
            fromDomain,
            d -> net.await(domains.get(d).hostStack.openDatagram(null, (s, p, port) -> {})));
    int number = ++probes;
    ByteBuffer payload = ByteBuffer.allocate(12);
    payload.put("probe...".getBytes(StandardCharsets.US_ASCII)).putInt(number).flip();
    socket.send(vmDag(addressDomain), payload);
    return number;
  }

  /** The machine's address in a domain. */
  public Dag vmDag(int domain) {
    return Dag.path(domains.get(domain).ad, vmKey.identity().hid(), SERVICE);
  }

  /** Whether a probe from a domain to the machine's address in another arrives. */
  public boolean reaches(int fromDomain, int addressDomain) {
    int number = probe(fromDomain, addressDomain);
    return net.runUntil(() -> received.containsKey(number), Duration.ofSeconds(2));
  }

  /** Runs until everything is settled. */
  public boolean settle(Duration limit) {
    return net.runUntil(this::settled, limit);
  }
}
