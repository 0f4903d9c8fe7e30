package io.xmig.testbed.run;

import io.xmig.control.qemu.VmDirectory;
import io.xmig.testbed.links.Net;
import io.xmig.testbed.links.UserNet;
import io.xmig.testbed.links.VethNet;
import io.xmig.testbed.network.Identities;
import io.xmig.testbed.network.Network;
import io.xmig.xia.addr.Dag;
import io.xmig.xia.addr.Xid;
import io.xmig.xia.click.Topology;
import io.xmig.xia.socket.Stacks;
import io.xmig.xia.socket.XiaStack;
import io.xmig.xia.socket.libxsocket.LibraryCheck;
import io.xmig.xia.socket.libxsocket.LibraryFinder;
import io.xmig.xia.wire.EthernetFlyweight;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of a run, a process each, with the services of their domains in them: every one signs
 * with a key of its own, and believes those gateways only that the run's trust file names.
 *
 * <p>With {@code --xia libxsocket} nothing but the nodes themselves knows that they are ours: what
 * runs on a host reaches it through the C library and Click's local protocol, and through the
 * ControlSocket.
 */
public final class Nodes {
  /** Who besides the nodes has a key. */
  public static final String VM = "VM";

  /** Ethernet address of the VM's interface; hosts that speak for it are told. */
  public static final String GUEST_MAC = "52:54:00:78:6d:69";

  /** The VM's name in the name service. */
  public static final String GUEST_NAME = "vm.xia";

  private static final String LIBRARY = "libxsocket";
  private static final String ROUTER_PORT = "--router-port";
  private static final long HANDLER_SECONDS = 5;
  private static final long LEAVE_SECONDS = 86_400;
  private static final Duration START = Duration.ofSeconds(30);

  private final Lab lab;
  private final Scenario scenario;
  private final RunOptions options;
  private @Nullable Net links;
  private final Identities identities;
  private final Network network;
  private final Path trust;
  private boolean offerLibrary;
  private Path file;
  private final Xid vm;
  private final Map<String, Path> leaves = new LinkedHashMap<>();

  private Nodes(
      Lab lab,
      Scenario scenario,
      RunOptions options,
      Identities identities,
      Network network,
      Path trust)
      throws IOException {
    this.lab = lab;
    this.scenario = scenario;
    this.options = options;
    this.identities = identities;
    this.network = network;
    this.trust = trust;
    this.file = lab.directory().resolve(scenario.topology());
    this.vm = identities.hid(VM);
  }

  /**
   * Makes the keys and the topology of a run in network namespaces, and starts it.
   *
   * @param scenario {@code intra-ad} or {@code inter-ad}
   * @param shape of the link between the hosts, {@code null} for bare veth pairs
   * @param offerLibrary whether programs linked with libXsocket are served on hosts, too
   */
  public static Nodes inNamespaces(
      Lab lab, String scenario, int mtu, @Nullable String shape, boolean offerLibrary)
      throws IOException {
    RunOptions options = new RunOptions();
    options.links = "veth";
    options.xia = "node";
    options.mtu = mtu;
    options.shape = shape;
    Path topologies = Path.of(System.getProperty("xmig.home", "."), "testbed", "topologies");
    Nodes nodes = prepare(lab, Scenario.of(scenario, topologies, options), options);
    nodes.offerLibrary = offerLibrary;
    nodes.start();
    return nodes;
  }

  /** Makes the keys and the topology of a run in its directory. */
  static Nodes prepare(Lab lab, Scenario scenario, RunOptions options) throws IOException {
    Identities identities =
        Identities.issue(lab.directory(), scenario.topology(), scenario.click(), List.of(VM));
    Network network = new Network(Topology.load(lab.directory().resolve(scenario.topology())));
    Nodes nodes =
        new Nodes(lab, scenario, options, identities, network, identities.writeTrust(network));
    for (String host : scenario.hosts()) {
      nodes.leaves.put(
          host, identities.delegate(VM, host, Instant.now().getEpochSecond(), LEAVE_SECONDS));
    }
    return nodes;
  }

  /** The keys. */
  public Identities identities() {
    return identities;
  }

  /** Who is where in the topology. */
  public Network network() {
    return network;
  }

  /** File with those who may speak for the domains. */
  Path trust() {
    return trust;
  }

  /** Names of all nodes. */
  public List<String> names() {
    return network.topology().nodes().stream().map(Topology.Node::name).toList();
  }

  /**
   * Looks at what the options name before anything is started.
   *
   * @throws io.xmig.xia.XiaException when it cannot be used, with what to do
   */
  static void check(RunOptions options) {
    if (throughLibrary(options)) {
      String path = options.xia.substring(Math.min(options.xia.length(), LIBRARY.length() + 1));
      LibraryFinder.Found library = LibraryFinder.find(path.isEmpty() ? null : path);
      LibraryCheck.of(library.path()).requireUsable();
    }
    if (ClickProgram.isNamed(options.router)) {
      ClickProgram.of(options.router);
    }
  }

  /** Makes the links, starts every node and its services; returns when they serve. */
  void start() {
    ClickRouters routers = clickRouters() ? startClick() : null;
    Net made = lab.own(makeLinks());
    links = made;
    List<String> ours =
        names().stream().filter(node -> routers == null || !isGateway(node)).toList();
    for (String node : ours) {
      lab.launch(node, made.prefix(node), nodeWords(node, made));
    }
    ours.forEach(node -> lab.awaitReady(node, "\nready", START));
    made.nodesRun();
    if (routers != null) {
      routers.startGateways(
          throughLibrary() ? withColon() : LIBRARY + ":ours", this::gatewayOnClick);
    }
    if (throughLibrary()) {
      names().stream().filter(node -> !isGateway(node)).forEach(this::startServices);
    }
  }

  /** The rest of the topology is for nodes of ours from here on. */
  private ClickRouters startClick() {
    ClickRouters routers =
        ClickRouters.start(
            lab,
            network.topology(),
            network.gateways(),
            ClickProgram.of(options.router),
            options.mtu);
    file = routers.rest();
    return routers;
  }

  /**
   * Click does not tell by which port a datagram came: no port can be asked for, and the gateway
   * has to ask the table of HIDs that Click learns from broadcasts, which a gateway of signed hosts
   * only would forbid.
   */
  private List<String> gatewayOnClick(String router) {
    List<String> words = new ArrayList<>(servicesOf(router).get(0));
    for (int at = words.indexOf(ROUTER_PORT); at >= 0; at = words.indexOf(ROUTER_PORT)) {
      words.subList(at, at + 2).clear();
    }
    words.add("--accept-unsigned");
    return words;
  }

  private boolean clickRouters() {
    return ClickProgram.isNamed(options.router);
  }

  private Net makeLinks() {
    return options.links.equals("veth")
        ? VethNet.make(
            network.topology(),
            lab.directory(),
            names(),
            scenario.hosts(),
            GUEST_MAC,
            options.mtu,
            options.pathShape(),
            lab)
        : new UserNet(
            network.topology(),
            lab.directory(),
            scenario.hosts(),
            scenario.hosts().stream().map(network::lan).toList(),
            options.mtu,
            options.pathShape());
  }

  /** What joins the nodes; there once they run. */
  public Net links() {
    return java.util.Objects.requireNonNull(links, "not started");
  }

  private List<String> nodeWords(String node, Net net) {
    List<String> words =
        new ArrayList<>(
            List.of("node", file.toString(), "--run", lab.directory().toString(), "--only", node));
    words.addAll(net.nodeOptions());
    if (clickRouters()) { // what the file attaches leads to click, and to nothing else
      words.remove("--no-attachments");
    }
    if (isGateway(node) || !throughLibrary()) {
      servicesOf(node)
          .forEach(service -> words.addAll(List.of("--with", withService(node, service))));
      pipes(node)
          .ifPresent(
              socket ->
                  words.addAll(List.of("--with", withService(node, pipesWords(node, socket)))));
    }
    if (!isGateway(node) && (offerLibrary || throughLibrary())) {
      words.addAll(List.of("--api-ports", "0", "--control", "0"));
    } else { // the file's ports are for whoever runs it by hand
      words.addAll(List.of("--api-ports", "none"));
    }
    return words;
  }

  /** Control socket of the pipes in the process of a host's node, where VMs run and it has some. */
  public Optional<Path> pipes(String node) {
    return scenario.hosts().contains(node) && !throughLibrary()
        ? Optional.of(lab.directory().resolve(node + ".pipes"))
        : Optional.empty();
  }

  private List<String> pipesWords(String node, Path socket) {
    return List.of("pipes", "--socket", socket.toString(), "--xia", nodeOf(node));
  }

  private static String withService(String node, List<String> service) {
    StringBuilder line = new StringBuilder(node).append('=');
    service.forEach(word -> line.append('\'').append(word).append("' "));
    return line.toString().trim();
  }

  /**
   * Services that use the library are processes of their own: it talks to one Click per process.
   */
  private void startServices(String node) {
    for (List<String> service : servicesOf(node)) {
      String name = service.get(0) + "-" + node;
      List<String> words = new ArrayList<>(service);
      words.addAll(List.of("--xia", stackOf(node), "--accept-unsigned"));
      if (service.get(0).equals("agent")) {
        words.addAll(
            List.of("--status-file", lab.directory().resolve(name + ".status").toString()));
      }
      lab.launch(name, links().prefix(node), words);
      lab.awaitReady(
          name, service.get(0).equals("agent") ? "agent of" : "name server ready", START);
    }
  }

  private List<List<String>> servicesOf(String node) {
    List<String> key = List.of("--key", identities.key(node).toString());
    if (isGateway(node)) {
      List<String> gateway = new ArrayList<>(List.of("gateway"));
      gateway.addAll(key);
      gateway.addAll(
          List.of("--trust-file", trust.toString(), "--name-server", nameServer().toString()));
      gateway.addAll(routing(node));
      return List.of(gateway);
    }
    List<List<String>> services = new ArrayList<>();
    if (node.equals(scenario.nameServer())) {
      services.add(words("nameserver", key));
    }
    List<String> agent = words("agent", key);
    agent.addAll(List.of("--trust-file", trust.toString(), "--name", node + ".xia"));
    services.add(agent);
    if (options.agent().onHost() && scenario.hosts().contains(node)) {
      services.add(follower(node, key));
    }
    return services;
  }

  private static List<String> words(String first, List<String> more) {
    List<String> words = new ArrayList<>(List.of(first));
    words.addAll(more);
    return words;
  }

  /** Speaks for the VM while it runs on this host, or when it arrives. */
  private List<String> follower(String host, List<String> key) {
    List<String> words = words("follower", key);
    words.addAll(
        List.of(
            "--trust-file",
            trust.toString(),
            "--mandate",
            leaves.get(host).toString(),
            "--guest",
            vm.toString(),
            "--mac",
            GUEST_MAC,
            "--name",
            GUEST_NAME,
            "--qmp",
            vmDirectory(host).watchSocket().toString()));
    String plug = links().plug(host, vmDirectory(host).nicSocket());
    if (plug != null) {
      words.addAll(List.of("--plug", plug));
    }
    scenario.hosts().stream()
        .map(network::ad)
        .distinct()
        .filter(ad -> !ad.equals(network.ad(host)))
        .forEach(ad -> words.addAll(List.of("--former", ad.toString())));
    if (options.agent() == RunOptions.AgentPlace.BOTH) {
      words.add("--own-agent");
      scenario.hosts().stream()
          .filter(other -> !network.gateway(other).equals(network.gateway(host)))
          .forEach(other -> words.addAll(homeOf(other)));
    } else {
      words.addAll(homeOf(scenario.hosts().get(0)));
    }
    return words;
  }

  /** Where the VM's files are while it is on a host: who speaks for it listens to QEMU there. */
  public VmDirectory vmDirectory(String host) {
    return new VmDirectory(lab.directory().resolve(host).resolve("vms").resolve(Experiment.VM));
  }

  /** The gateway that the VM talks to after a stay on a host. */
  private List<String> homeOf(String host) {
    return List.of(
        "--home-gateway",
        network.topology().node(network.gateway(host)).hid()
            + "="
            + EthernetFlyweight.formatMac(network.gatewayMac(host)));
  }

  private boolean isGateway(String node) {
    return network.gateways().contains(node);
  }

  private boolean throughLibrary() {
    return throughLibrary(options);
  }

  private static boolean throughLibrary(RunOptions options) {
    return options.xia.equals(LIBRARY) || options.xia.startsWith(LIBRARY + ":");
  }

  /** What {@code --xia} of a command says that is to run on this host. */
  String stackOf(String node) {
    return throughLibrary() ? withColon() + "@" + portsOf(node) : nodeOf(node);
  }

  private String withColon() {
    return options.xia.equals(LIBRARY) ? LIBRARY + ":" : options.xia;
  }

  private String said(String node, String pattern) {
    try {
      Matcher matcher =
          Pattern.compile("^" + pattern + "$", Pattern.MULTILINE)
              .matcher(Files.readString(lab.log(node), StandardCharsets.UTF_8));
      if (matcher.find()) {
        return matcher.group(1);
      }
    } catch (IOException e) {
      throw new RunException("cannot read the log of " + node, e);
    }
    throw new RunException("the node does not say its ports", Map.of("node", node));
  }

  /** {@code --xia} of a host's node by the C library; for nodes that offer it. */
  public String libraryOf(String node) {
    return LIBRARY + ":@" + portsOf(node);
  }

  private String portsOf(String node) {
    return said(node, "api " + Pattern.quote(node) + " 127\\.0\\.0\\.1:(\\d+)")
        + "/"
        + said(node, "control 127\\.0\\.0\\.1:(\\d+)");
  }

  /** {@code --xia} of a host's node by its own socket. */
  public String nodeOf(String node) {
    return "node:" + lab.directory().resolve(node + ".api");
  }

  /**
   * What the VM's init is told: its key, the gateways it may believe, its name; or the one domain
   * and gateway that it knows, if its host speaks for it.
   */
  public Map<String, String> guestSecrets(String name) throws IOException {
    Map<String, String> told = new TreeMap<>();
    told.put("XMIG_KEY", identities.privateBody(VM));
    told.put("XMIG_PUB", identities.publicBody(VM));
    if (options.agent() == RunOptions.AgentPlace.HOST) {
      String home = scenario.hosts().get(0);
      told.put("XMIG_AGENT", "none");
      told.put("XMIG_AD", network.ad(home).toString());
      told.put("XMIG_GATEWAY", identities.hid(network.gateway(home)).toString());
    } else {
      told.put("XMIG_TRUST", String.join(",", identities.trust(network, "=")));
      told.put("XMIG_NAME", name);
      if (options.agent().onHost()) {
        told.put("XMIG_DELEGATED", "yes");
      }
    }
    return told;
  }

  /** The stack of a host, for this process. */
  XiaStack open(String node) {
    return Stacks.open(stackOf(node));
  }

  /**
   * A node's own stack, whatever its host uses: for looking at its counters. A router that is not
   * ours has none; the client's answers in its place that it does not know them.
   */
  XiaStack inspect(String node) {
    String ours = clickRouters() && isGateway(node) ? scenario.client() : node;
    return Stacks.open("node:" + lab.directory().resolve(ours + ".api"));
  }

  /** What a handler says; nothing where there is none. */
  static String read(XiaStack stack, String handler) {
    CompletableFuture<String> read = new CompletableFuture<>();
    stack
        .loop()
        .execute(
            () ->
                stack
                    .readHandler(handler)
                    .whenComplete((text, failure) -> read.complete(failure != null ? "" : text)));
    return read.completeOnTimeout("", HANDLER_SECONDS, TimeUnit.SECONDS).join();
  }

  /** The stack as results name it. */
  String stackName() {
    return throughLibrary() ? LIBRARY : "node";
  }

  private Dag nameServer() {
    return network.local(scenario.nameServer()).service(Xid.SID_NS);
  }

  /** Routers are believed on ports towards routers only; without such a port there is no need. */
  private List<String> routing(String router) {
    Set<Integer> ports = network.routerPorts(router);
    if (ports.isEmpty()) {
      return List.of("--no-routing");
    }
    List<String> words = new ArrayList<>();
    ports.forEach(port -> words.addAll(List.of(ROUTER_PORT, port.toString())));
    return words;
  }
}
